// SPDX-License-Identifier: Apache-2.0
// What Firefox asks of each request below `.key`. A document, a WebSocket and whatever may stand by
// itself is looked at when its response begins. A part of a page is asked for only once its site
// was looked at (sightings.js): then its response needs no question of its own.

/** Responses of these types are looked at, each of them. */
export const lookedAtTypes = [
  'csp_report', 'main_frame', 'object', 'other', 'ping', 'speculative', 'sub_frame',
  'web_manifest', 'websocket', 'xml_dtd', 'xslt'];

/** So are those of requests that no tab made: the extension's own, and a service worker's. */
export const lookedAtOfNoTab = { tabId: -1, types: ['xmlhttprequest'] };

/** Every request that is not looked at is a part, also of a type that nobody knows yet. */
export function isPart({ type, tabId }) {
  return !lookedAtTypes.includes(type) &&
    !(tabId === lookedAtOfNoTab.tabId && lookedAtOfNoTab.types.includes(type));
}

export const keyUrls = ['https://*.key/*', 'https://*.key./*', 'wss://*.key/*', 'wss://*.key./*'];
