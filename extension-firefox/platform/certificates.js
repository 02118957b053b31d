// SPDX-License-Identifier: Apache-2.0
// Firefox shows the certificates of each connection before the page sees its first byte.

function fingerprintsOf({ certificates }) {
  return certificates.map(
    ({ fingerprint }) => fingerprint.sha256.replaceAll(':', '').toLowerCase());
}

/** onCertificate({tabId, url, isMainFrame, secure, fingerprints}): a promise of true to go on. */
export function registerListeners({ onCertificate }) {
  browser.webRequest.onHeadersReceived.addListener(async ({ requestId, tabId, url, type }) => {
    try {
      const info = await browser.webRequest.getSecurityInfo(requestId, { certificateChain: true });
      // An exception made by hand gives 'secure' too, with isUntrusted beside it.
      const secure = info.state === 'secure' && info.isUntrusted !== true;
      const isMainFrame = type === 'main_frame';
      const fingerprints = fingerprintsOf(info);
      return { cancel: !(await onCertificate({ tabId, url, isMainFrame, secure, fingerprints })) };
    } catch {
      return { cancel: true };
    }
  }, { urls: ['https://*.key/*', 'https://*.key./*'] }, ['blocking']);
}
