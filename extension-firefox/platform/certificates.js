// SPDX-License-Identifier: Apache-2.0
// Firefox shows the certificates of each connection before the page sees its first byte.

export const holdsResponses = true;

function fingerprintsOf({ certificates }) {
  return certificates.map(
    ({ fingerprint }) => fingerprint.sha256.replaceAll(':', '').toLowerCase());
}

// An exception made by hand gives 'secure' too, with isUntrusted beside it.
const isSecure = (info) => info.state === 'secure' && info.isUntrusted !== true;

// What belongs to a page that was looked at. Documents, WebSockets and whatever else there is are
// looked at each time.
const partTypes = [
  'beacon', 'font', 'image', 'imageset', 'media', 'script', 'stylesheet', 'xmlhttprequest'];

/** The port of this computer's proxy that the response came through; null: it came another way. */
function proxyPortOf({ proxyInfo, fromCache }) {
  const isOurs = proxyInfo?.type === 'http' && proxyInfo.host === '127.0.0.1';
  return isOurs && fromCache === false ? proxyInfo.port : null;
}

/**
 * onCertificate({tabId, url, isMainFrame, secure, fingerprints, proxyPort}): a promise of true to
 * go on. isSeen({url, proxyPort}): true where this part of a page needs no look of its own.
 */
export function registerListeners({ onCertificate, isSeen }) {
  const look = async ({ requestId, tabId, url, type }, proxyPort) => {
    try {
      const info = await browser.webRequest.getSecurityInfo(requestId, { certificateChain: true });
      const secure = isSecure(info);
      const isMainFrame = type === 'main_frame';
      const fingerprints = fingerprintsOf(info);
      const goesOn =
        await onCertificate({ tabId, url, isMainFrame, secure, fingerprints, proxyPort });
      return { cancel: !goesOn };
    } catch {
      return { cancel: true };
    }
  };
  browser.webRequest.onHeadersReceived.addListener((response) => {
    const proxyPort = proxyPortOf(response);
    const isPart = partTypes.includes(response.type);
    return isPart && isSeen({ url: response.url, proxyPort }) ? {} : look(response, proxyPort);
  }, { urls: ['https://*.key/*', 'https://*.key./*', 'wss://*.key/*', 'wss://*.key./*'] },
  ['blocking']);
}

/**
 * onChain({tabId, url, isMainFrame, secure, chain}), DER with the leaf first: a promise of true to
 * go on. Called for hosts that the person allowed the extension to see, and for no other.
 */
export function registerPinWatch({ onChain }) {
  browser.webRequest.onHeadersReceived.addListener(async ({ requestId, tabId, url, type }) => {
    try {
      const info = await browser.webRequest.getSecurityInfo(requestId,
        { certificateChain: true, rawDER: true });
      const chain = info.certificates.map(({ rawDER }) => Uint8Array.from(rawDER));
      const isMainFrame = type === 'main_frame';
      const secure = isSecure(info);
      return { cancel: !(await onChain({ tabId, url, isMainFrame, secure, chain })) };
    } catch {
      return { cancel: true };
    }
  }, { urls: ['https://*/*'] }, ['blocking']);
}
