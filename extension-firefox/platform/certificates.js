// SPDX-License-Identifier: Apache-2.0
// Firefox shows the certificates of each connection before the page sees its first byte.

function fingerprintsOf({ certificates }) {
  return certificates.map(
    ({ fingerprint }) => fingerprint.sha256.replaceAll(':', '').toLowerCase());
}

// An exception made by hand gives 'secure' too, with isUntrusted beside it.
const isSecure = (info) => info.state === 'secure' && info.isUntrusted !== true;

/** onCertificate({tabId, url, isMainFrame, secure, fingerprints}): a promise of true to go on. */
export function registerListeners({ onCertificate }) {
  browser.webRequest.onHeadersReceived.addListener(async ({ requestId, tabId, url, type }) => {
    try {
      const info = await browser.webRequest.getSecurityInfo(requestId, { certificateChain: true });
      const secure = isSecure(info);
      const isMainFrame = type === 'main_frame';
      const fingerprints = fingerprintsOf(info);
      return { cancel: !(await onCertificate({ tabId, url, isMainFrame, secure, fingerprints })) };
    } catch {
      return { cancel: true };
    }
  }, { urls: ['https://*.key/*', 'https://*.key./*'] }, ['blocking']);
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
