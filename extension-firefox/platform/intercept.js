// SPDX-License-Identifier: Apache-2.0
// Firefox: each request below `.key` waits for the session with the program and goes to its proxy.
// When a handler throws or Firefox does not like its answer, the request goes where it would have
// gone without that handler. So there are two: the first sends `.key` to a dead port, in one line
// that cannot fail; the second, which can, changes that (facts: never `proxyDNS` with `http`).
import { isBareKeyHost, isKeyHost, keyOf } from '../lib/hosts.js';

// Nothing listens there: only root could.
const deadPort = 1;

function proxyAt(port) {
  const usable = Number.isInteger(port) && port > 0 && port < 65536;
  return { type: 'http', host: '127.0.0.1', port: usable ? port : deadPort };
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

function isOurs(url) {
  try {
    const { hostname } = new URL(url);
    return isKeyHost(hostname) || isBareKeyHost(hostname);
  } catch {
    // What cannot be read is not let through.
    return true;
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
  browser.proxy.onRequest.addListener(
    ({ url }) => (isOurs(url) ? proxyAt(deadPort) : undefined), { urls: ['<all_urls>'] });

  browser.proxy.onRequest.addListener(() => {
    // At once where nothing is to be waited for: each part of a page passes here.
    if (open && proxyPort() !== null) return proxyAt(proxyPort());
    return whenReady().then((ready) => (ready && open ? proxyAt(proxyPort()) : undefined));
  }, { urls: ['*://*.key/*', '*://*.key./*'] });

  browser.webRequest.onBeforeRequest.addListener(
    ({ url }) => (isPlain(url) ? {} : { upgradeToSecure: true }),
    { urls: ['http://*.key/*', 'http://*.key./*', 'ws://*.key/*', 'ws://*.key./*'] }, ['blocking']);
}
