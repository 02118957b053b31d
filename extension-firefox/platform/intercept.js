// SPDX-License-Identifier: Apache-2.0
// Firefox: each request below `.key` waits for the session with the program and goes to its proxy.
// When a handler throws or Firefox does not like its answer, the request goes where it would have
// gone without the extension. So what finds the port can only say a number, and whatever else it
// does, the answer is the dead port (facts: never `proxyDNS` with `http`).
import { isBareKeyHost, isKeyHost, keyOf, siteOf } from '../lib/hosts.js';
import { isPart, keyUrls } from '../proxy/parts.js';

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
  denied.clear();
  browser.webRequest.onHeadersReceived.removeListener(stopDenied);
}

/** Lets http pages of these keys, and of no others, go to the program as they are. */
export async function allowPlain(keys) {
  plainKeys = new Set(keys);
}

// Sites that were refused in this session, oldest first. A part of a page that was on its way when
// the verdict came is looked at by nobody else.
const deniedMax = 100;
const denied = new Set();
const nameOf = ({ host, port }) => `${host}:${port}`;

function stopDenied({ url }) {
  const site = siteOf(url);
  return { cancel: site === null || denied.has(nameOf(site)) };
}

/** Whatever the program does from here on, nothing of this site loads. */
export async function denySite(site) {
  denied.delete(nameOf(site));
  denied.add(nameOf(site));
  if (denied.size > deniedMax) denied.delete(denied.values().next().value);
  const { onHeadersReceived } = browser.webRequest;
  if (!onHeadersReceived.hasListener(stopDenied)) {
    onHeadersReceived.addListener(stopDenied, { urls: keyUrls }, ['blocking']);
  }
  // Firefox has done what it was told before, once it answers.
  await browser.webRequest.handlerBehaviorChanged();
}

/** Lets the program be asked about a site again. */
export async function retrySite(site) {
  denied.delete(nameOf(site));
  if (denied.size === 0) browser.webRequest.onHeadersReceived.removeListener(stopDenied);
}

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

const isSecure = (url) => /^(?:https|wss):/.test(url);

/**
 * whenReady(): true when a session is there; proxyPort(): its port or null; isSeen({url,
 * proxyPort}): true where a part of a page may be asked for there; findOut(url): a promise, once it
 * was seen whether it may.
 */
export function registerListeners({ whenReady, proxyPort, isSeen, findOut }) {
  const isOpenFor = (request) => open && proxyPort() !== null && (!isSecure(request.url) ||
    !isPart(request) || isSeen({ url: request.url, proxyPort: proxyPort() }));
  const waitForPort = async (request) => {
    if (!(await whenReady())) return deadPort;
    if (!isOpenFor(request)) await findOut(request.url);
    return isOpenFor(request) ? proxyPort() : deadPort;
  };
  // One handler: each costs a page more than all else here (docs/PERFORMANCE.md).
  browser.proxy.onRequest.addListener((request) => {
    const host = hostOf(request.url);
    if (host !== null && isKeyHost(host)) {
      // At once where nothing is to be waited for: each part of a page passes here.
      const findPort = () => (isOpenFor(request) ? proxyPort() : waitForPort(request));
      return proxyBy(findPort);
    }
    // What cannot be read is not let through.
    return host === null || isBareKeyHost(host) ? proxyAt(deadPort) : undefined;
  }, { urls: ['<all_urls>'] });

  browser.webRequest.onBeforeRequest.addListener(
    ({ url }) => (isPlain(url) ? {} : { upgradeToSecure: true }),
    { urls: ['http://*.key/*', 'http://*.key./*', 'ws://*.key/*', 'ws://*.key./*'] }, ['blocking']);
}
