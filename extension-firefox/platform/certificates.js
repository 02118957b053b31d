// SPDX-License-Identifier: Apache-2.0
// Firefox shows the certificates of each connection before the page sees its first byte.
import { siteOf } from '../lib/hosts.js';
import { keyUrls, lookedAtOfNoTab, lookedAtTypes } from '../proxy/parts.js';

export const holdsResponses = true;

function fingerprintsOf({ certificates }) {
  return certificates.map(
    ({ fingerprint }) => fingerprint.sha256.replaceAll(':', '').toLowerCase());
}

// An exception made by hand gives 'secure' too, with isUntrusted beside it.
const isSecure = (info) => info.state === 'secure' && info.isUntrusted !== true;

/** The port of this computer's proxy that the response came through; null: it came another way. */
function proxyPortOf({ proxyInfo, fromCache }) {
  const isOurs = proxyInfo?.type === 'http' && proxyInfo.host === '127.0.0.1';
  return isOurs && fromCache === false ? proxyInfo.port : null;
}

/** What decides an answer decides it: the response goes on for true, and for nothing else. */
async function heldFor(decision) {
  try {
    return { cancel: (await decision()) !== true };
  } catch {
    return { cancel: true };
  }
}

const certificatesOf = ({ requestId }, details) =>
  browser.webRequest.getSecurityInfo(requestId, { certificateChain: true, ...details });

function reportOf({ tabId, url, type }, info) {
  return { tabId, url, isMainFrame: type === 'main_frame', secure: isSecure(info) };
}

let onForeign;

/**
 * onCertificate({tabId, url, isMainFrame, secure, fingerprints, proxyPort, fromCache}): a promise
 * of true to go on. isSeen({url, proxyPort}): true where a response needs no look of its own.
 * onChain({tabId, url, isMainFrame, secure, chain}), DER with the leaf first: the same for hosts
 * outside `.key` that the person allowed the extension to see, and for no other.
 */
export function registerListeners({ onCertificate, isSeen, onChain }) {
  const { onHeadersReceived } = browser.webRequest;
  const look = async (response) => {
    const info = await certificatesOf(response);
    return onCertificate({ ...reportOf(response, info), fingerprints: fingerprintsOf(info),
      proxyPort: proxyPortOf(response), fromCache: response.fromCache });
  };
  onHeadersReceived.addListener((response) => heldFor(() => look(response)),
    { urls: keyUrls, types: lookedAtTypes }, ['blocking']);
  onHeadersReceived.addListener((response) =>
    (isSeen({ url: response.url, proxyPort: proxyPortOf(response) }) ? {}
      : heldFor(() => look(response))),
  { urls: keyUrls, ...lookedAtOfNoTab }, ['blocking']);
  onForeign = (response) => (siteOf(response.url) !== null ? {} : heldFor(async () => {
    const info = await certificatesOf(response, { rawDER: true });
    const chain = info.certificates.map(({ rawDER }) => Uint8Array.from(rawDER));
    return onChain({ ...reportOf(response, info), chain });
  }));
  addForeign();
}

function addForeign() {
  browser.webRequest.onHeadersReceived.addListener(onForeign, { urls: ['https://*/*'] },
    ['blocking']);
}

/**
 * Whether `onChain` is to be called. Firefox asks that listener about `.key` too, which costs each
 * part of a page a question, so it is there only as long as somebody may need it.
 */
export async function watchForeign(needed) {
  const { onHeadersReceived } = browser.webRequest;
  if (!needed) onHeadersReceived.removeListener(onForeign);
  else if (!onHeadersReceived.hasListener(onForeign)) addForeign();
  // Firefox has done what it was told before, once it answers.
  if (needed) await browser.webRequest.handlerBehaviorChanged();
}
