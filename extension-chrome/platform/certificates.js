// SPDX-License-Identifier: Apache-2.0
// Chrome tells an extension about certificates only with the flag web-request-security-info.
// Without it the listener is accepted and never called, so nothing may depend on it: it can only
// deny more.

/** Chrome does not wait for what is said of a response. */
export const holdsResponses = false;

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
    proxyPort: null,
    fromCache: false,
  });
}

function listenForCertificates(listener, urls, details) {
  try {
    chrome.webRequest.onHeadersReceived.addListener((response) => {
      if (response.securityInfo === undefined) return;
      listener(response);
    }, { urls }, details);
  } catch {
    // An older Chrome does not know the option.
  }
}

/**
 * onCertificate({tabId, url, isMainFrame, secure, fingerprints, proxyPort, fromCache}): a promise
 * of true. Chrome does not wait for it; what is refused is replaced as soon as its first byte is
 * there.
 * onChain({tabId, url, isMainFrame, secure, chain}), DER of the leaf alone: Chrome shows no more,
 * and does not wait for the answer. Called for hosts that the person allowed the extension to see.
 */
export function registerListeners({ onCertificate, onChain }) {
  const urls = ['https://*.key/*', 'wss://*.key/*'];
  chrome.webRequest.onHeadersReceived.addListener(
    (response) => void report(onCertificate, response), { urls });
  listenForCertificates((response) => void report(onCertificate, response), urls, ['securityInfo']);
  listenForCertificates(({ tabId, url, type, securityInfo }) => {
    const { state, certificates = [] } = securityInfo;
    const chain = certificates.map(({ rawDER }) => new Uint8Array(rawDER));
    onChain({ tabId, url, isMainFrame: type === 'main_frame', secure: state === 'secure', chain });
  }, ['https://*/*'], ['securityInfo', 'securityInfoRawDer']);
}

/** Chrome holds nothing for the listener, so it may stay. */
export async function watchForeign() {}
