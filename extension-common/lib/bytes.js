// SPDX-License-Identifier: Apache-2.0
// Bytes and their text forms.

/** Strict: throws for anything that is not base64. */
export function parseBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Lower-case hexadecimal. */
export function encodeHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Text that encodeHex gave. */
export function parseHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

export function encodeBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

export async function sha256Hex(bytes) {
  return encodeHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
