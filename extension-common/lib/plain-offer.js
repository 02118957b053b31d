// SPDX-License-Identifier: Apache-2.0
// May a page that was blocked be opened over http instead? Only where its key publishes no pin at
// all, and the way over TLS came to nothing. The program looks at the packet again in any case.

const unreachable = ['site.unreachable', 'site.tls_failed'];

/** `site`: what is known of it, or null. */
export function isPlainOffered(site) {
  if (site === null || site.allowed !== false || site.port !== 443) return false;
  if (site.slug === 'pin.no_records') return site.pins?.length === 0;
  return site.pinless === true && unreachable.includes(site.slug);
}
