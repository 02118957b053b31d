// SPDX-License-Identifier: Apache-2.0
// Firefox: each request below `.key` waits for the session with the program and goes to its proxy.
// A handler that throws, or whose answer Firefox does not like, would let the request go to the
// DNS; so every way out of it ends at one well-formed proxy (facts: never `proxyDNS` with `http`).
import { isBareKeyHost, isKeyHost } from '../lib/hosts.js';

// Nothing listens there: only root could.
const deadPort = 1;

function proxyAt(port) {
  const usable = Number.isInteger(port) && port > 0 && port < 65536;
  return { type: 'http', host: '127.0.0.1', port: usable ? port : deadPort };
}

let open = false;

export async function openGate() {
  open = true;
}

export async function closeGate() {
  open = false;
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

/** whenReady(): true when a session is there; proxyPort(): its port or null. */
export function registerListeners({ whenReady, proxyPort }) {
  browser.proxy.onRequest.addListener(async ({ url }) => {
    try {
      if (!isOurs(url)) return { type: 'direct' };
      if (isBareKeyHost(new URL(url).hostname)) return proxyAt(deadPort);
      return (await whenReady()) && open ? proxyAt(proxyPort()) : proxyAt(deadPort);
    } catch {
      return proxyAt(deadPort);
    }
  }, { urls: ['<all_urls>'] });

  browser.webRequest.onBeforeRequest.addListener(
    () => ({ upgradeToSecure: true }),
    { urls: ['http://*.key/*', 'http://*.key./*', 'ws://*.key/*', 'ws://*.key./*'] }, ['blocking']);
}
