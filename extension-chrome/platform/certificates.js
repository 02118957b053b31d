// SPDX-License-Identifier: Apache-2.0
// Chrome tells an extension about certificates only with the flag web-request-security-info.
// Without it the listener is accepted and never called, so nothing may depend on it: it can only
// deny more.

function fingerprintsOf(securityInfo) {
  return (securityInfo.certificates ?? []).map(
    ({ fingerprint }) => fingerprint.sha256.replaceAll(':', '').toLowerCase());
}

function report(onCertificate, { tabId, url, type, securityInfo }) {
  return onCertificate({
    tabId,
    url,
    isMainFrame: type === 'main_frame',
    secure: securityInfo === undefined || securityInfo.state === 'secure',
    fingerprints: securityInfo === undefined ? null : fingerprintsOf(securityInfo),
  });
}

/**
 * onCertificate({tabId, url, isMainFrame, secure, fingerprints}): a promise of true to go on.
 * Chrome does not wait for it; what is refused is replaced as soon as its first byte is there.
 */
export function registerListeners({ onCertificate }) {
  const filter = { urls: ['https://*.key/*'] };
  const onHeaders = chrome.webRequest.onHeadersReceived;
  onHeaders.addListener((details) => void report(onCertificate, details), filter);
  try {
    onHeaders.addListener((details) => {
      if (details.securityInfo !== undefined) report(onCertificate, details);
    }, filter, ['securityInfo']);
  } catch {
    // An older Chrome does not know the option.
  }
}
