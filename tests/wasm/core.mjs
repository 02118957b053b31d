// SPDX-License-Identifier: Apache-2.0
// The wasm build and the vectors, for the tests here.
import { readFile } from 'node:fs/promises';

import { loadCore } from '../../wasm/driver.mjs';

const root = new URL('../../', import.meta.url);

export const modulePath =
  process.env.DOTKEY_WASM ?? new URL('build/wasm/wasm/dotkey-core.wasm', root).pathname;

export const readModule = () => readFile(modulePath);
export const load = async () => loadCore(await readModule());
export const readText = (path) => readFile(new URL(path, root), 'utf8');
export const vectors = async (name) => JSON.parse(await readText(`tests/vectors/${name}`));

export const hex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
export const base64 = (text) => new Uint8Array(Buffer.from(text, 'base64'));

/** Entries of exports.txt and imports.txt. */
export async function listed(path) {
  const lines = (await readText(path)).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
