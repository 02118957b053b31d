// SPDX-License-Identifier: Apache-2.0
// Firefox: each request below `.key` waits for the session with the program and goes to its proxy.
// When a handler throws or Firefox does not like its answer, the request goes where it would have
// gone without the extension. So what finds the port can only say a number, and whatever else it
// does, the answer is the dead port (facts: never `proxyDNS` with `http`).
import { isBareKeyHost, isKeyHost, keyOf } from '../lib/hosts.js';

// Nothing listens there: only root could.
const deadPort = 1;

function proxyAt(port) {
  const usable = Number.isInteger(port) && port > 0 && port < 65536;
  return { type: 'http', host: '127.0.0.1', port: usable ? port : deadPort };
}

/** `findPort` gives a port or a promise of one, and may fail in any way. */
function proxyBy(findPort) {
  try {
    const found = findPort();
    return typeof found?.then === 'function'
      ? Promise.resolve(found).then(proxyAt, () => proxyAt(deadPort)) : proxyAt(found);
  } catch {
    return proxyAt(deadPort);
  }
}

let open = false;
let plainKeys = new Set();

export async function openGate() {
  open = true;
}

export async function closeGate() {
  open = false;
}

/** Lets http pages of these keys, and of no others, go to the program as they are. */
export async function allowPlain(keys) {
  plainKeys = new Set(keys);
}

/** Each response is looked at before its page is (certificates.js); that suffices. */
export async function denySite() {}

export async function retrySite() {}

function hostOf(url) {
  try {
    return new URL(url).hostname;
  } catch {
    return null;
  }
}

function isPlain(url) {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === 'http:' && plainKeys.has(keyOf(hostname));
  } catch {
    return false;
  }
}

/** whenReady(): true when a session is there; proxyPort(): its port or null. */
export function registerListeners({ whenReady, proxyPort }) {
  const findPort = () => {
    // At once where nothing is to be waited for: each part of a page passes here.
    if (open && proxyPort() !== null) return proxyPort();
    return whenReady().then((ready) => (ready && open ? proxyPort() : deadPort));
  };
  // One handler: each costs a page more than all else here (docs/PERFORMANCE.md).
  browser.proxy.onRequest.addListener(({ url }) => {
    const host = hostOf(url);
    if (host !== null && isKeyHost(host)) return proxyBy(findPort);
    // What cannot be read is not let through.
    return host === null || isBareKeyHost(host) ? proxyAt(deadPort) : undefined;
  }, { urls: ['<all_urls>'] });

  browser.webRequest.onBeforeRequest.addListener(
    ({ url }) => (isPlain(url) ? {} : { upgradeToSecure: true }),
    { urls: ['http://*.key/*', 'http://*.key./*', 'ws://*.key/*', 'ws://*.key./*'] }, ['blocking']);
}
