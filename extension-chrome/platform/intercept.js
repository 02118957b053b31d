// SPDX-License-Identifier: Apache-2.0
// Chrome: a mandatory PAC script sends `.key` to the program's proxy and to nowhere else. The rules
// of rules.json keep `.key` closed from the moment the browser starts; one session rule opens it
// while a session with the program lasts.

import { deadPort, pacScript, rulesOf } from '../proxy/pac.js';

const gateRule = 1;
const plainRule = 2;
const ours = 'controlled_by_this_extension';

// Fixed proxies that were set before keep all other traffic. What a system's settings or another
// PAC script say cannot be read here.
async function rulesOfTheRest() {
  const { levelOfControl, value } = await chrome.proxy.settings.get({});
  if (levelOfControl === ours) {
    const { proxyOfTheRest } = await chrome.storage.local.get('proxyOfTheRest');
    return proxyOfTheRest ?? rulesOf();
  }
  const rules = rulesOf(value);
  // A storage that fails does not keep `.key` from being closed; opened it will not be.
  await chrome.storage.local.set({ proxyOfTheRest: rules }).catch(() => {});
  return rules;
}

async function setProxy(port) {
  const data = pacScript(port, await rulesOfTheRest());
  const value = { mode: 'pac_script', pacScript: { mandatory: true, data } };
  await chrome.proxy.settings.set({ scope: 'regular', value });
}

// Listed, since a rule without them leaves out main_frame.
const partTypes = [
  'sub_frame', 'stylesheet', 'script', 'image', 'font', 'object', 'xmlhttprequest', 'ping',
  'csp_report', 'media', 'websocket', 'webtransport', 'webbundle', 'other'];

const openRule = {
  id: gateRule,
  priority: 2,
  action: { type: 'allow' },
  condition: { requestDomains: ['key'], resourceTypes: ['main_frame', ...partTypes] },
};

// Sites that were refused, oldest first; each has rules of its own, with the numbers behind it.
const denialsMax = 100;
const denials = new Map();
let nextRule = plainRule + 1;

// Every spelling of the site in an address. Not one pattern: a regular expression may be too large
// for Chrome.
function denialRules({ host, port }) {
  const suffix = port === 443 ? '' : `:${port}`;
  const addresses = ['https', 'wss'].flatMap((scheme) =>
    [`|${scheme}://${host}${suffix}/`, `|${scheme}://${host}.${suffix}/`]);
  return addresses.map((urlFilter) => ({
    id: nextRule++,
    priority: 4,
    action: { type: 'block' },
    condition: { urlFilter, resourceTypes: ['main_frame', ...partTypes] },
  }));
}

// One change at a time, in the order asked for.
let last = Promise.resolve();
function inOrder(change) {
  last = last.then(change, change);
  return last;
}

export function openGate(port) {
  return inOrder(async () => {
    await setProxy(port);
    // Another extension's settings, or the administrator's, come before ours.
    const { levelOfControl } = await chrome.proxy.settings.get({});
    if (levelOfControl !== ours) throw new Error('browser.proxy_taken');
    await chrome.declarativeNetRequest.updateSessionRules(
      { removeRuleIds: [gateRule], addRules: [openRule] });
  });
}

export function closeGate() {
  return inOrder(async () => {
    // Those of an earlier life of this script among them.
    const rules = await chrome.declarativeNetRequest.getSessionRules();
    await chrome.declarativeNetRequest.updateSessionRules(
      { removeRuleIds: rules.map(({ id }) => id) });
    denials.clear();
    await setProxy(deadPort);
  });
}

/** Lets http pages of these keys, and of no others, go to the program as they are. */
export function allowPlain(keys) {
  const rule = {
    id: plainRule,
    // Above the rule that turns http into https.
    priority: 5,
    action: { type: 'allow' },
    condition: { urlFilter: '|http://', requestDomains: keys.map((key) => `${key}.key`),
      resourceTypes: ['main_frame', ...partTypes] },
  };
  return inOrder(() => chrome.declarativeNetRequest.updateSessionRules(
    { removeRuleIds: [plainRule], addRules: keys.length > 0 ? [rule] : [] }));
}

/** Whatever the program does from here on, nothing of this site loads. */
export function denySite(site) {
  return inOrder(async () => {
    const name = `${site.host}:${site.port}`;
    if (denials.has(name)) return;
    const removeRuleIds = [];
    if (denials.size >= denialsMax) {
      const [oldest, ids] = denials.entries().next().value;
      denials.delete(oldest);
      removeRuleIds.push(...ids);
    }
    const addRules = denialRules(site);
    denials.set(name, addRules.map(({ id }) => id));
    await chrome.declarativeNetRequest.updateSessionRules({ removeRuleIds, addRules });
  });
}

/** Lets the program be asked about a site again. */
export function retrySite({ host, port }) {
  return inOrder(async () => {
    const removeRuleIds = denials.get(`${host}:${port}`);
    if (removeRuleIds === undefined) return;
    denials.delete(`${host}:${port}`);
    await chrome.declarativeNetRequest.updateSessionRules({ removeRuleIds });
  });
}

/**
 * Chrome cannot hold a request for `whenReady`: the gate shows the blocked page, which waits.
 * onProxyTaken(): somebody else decides where requests go from here on.
 */
export function registerListeners({ onProxyTaken }) {
  chrome.proxy.settings.onChange.addListener(({ levelOfControl }) => {
    if (levelOfControl !== ours) onProxyTaken();
  });
}
