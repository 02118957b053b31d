// SPDX-License-Identifier: Apache-2.0
// Starts everything. Listeners are registered before anything is awaited: a browser that wakes this
// script for an event looks for them right then.
import { loadCore } from '../core/driver.mjs';
import { addressOfBareKey, addressOfSearch, addressOfText, siteOf } from '../lib/hosts.js';
import { webextension } from '../lib/webextension.js';
import * as certificates from '../platform/certificates.js';
import * as intercept from '../platform/intercept.js';
import { isEnded } from '../platform/navigation.js';
import { Custody } from './custody.js';
import { HostBackend } from './host-backend.js';
import { Indicator } from './indicator.js';
import { Inquiries } from './inquiries.js';
import { judge } from './judge.js';
import { KeyRing, lockAlarm } from './key-ring.js';
import { registerMessages } from './messages.js';
import { Mode } from './mode.js';
import { keyOperations, networkOperations, siteOperations } from './operations.js';
import { PinWatch } from './pin-watch.js';
import { PlainKeys } from './plain-keys.js';
import { probe } from './probe.js';
import { Publications, resumeAlarm } from './publications.js';
import { RelayBackend, republishAlarm } from './relay-backend.js';
import { Session } from './session.js';
import { loadSettings } from './settings.js';
import { Sightings } from './sightings.js';
import { Sites } from './sites.js';

const readyTimeoutMs = 15_000;
const minuteMs = 60_000;
const blockedPage = webextension.runtime.getURL('blocked/blocked.html');
const recordsPage = webextension.runtime.getURL('records/records.html');
const startCore = () => loadCore(fetch(webextension.runtime.getURL('core/dotkey-core.wasm')));

let core = startCore();
const sites = new Sites();
const sightings = new Sightings();
const indicator = new Indicator();
const inquiries = new Inquiries({ sites });
const plainKeys = new PlainKeys((keys) => intercept.allowPlain(keys));
const session = new Session({
  async onOpen({ proxyPort, httpKeys }) {
    await intercept.openGate(proxyPort);
    await plainKeys.set(httpKeys);
    await watchForeign();
    handOver().catch((error) => console.warn('dotkey: could not hand over:', error));
  },
  onClose() {
    sightings.clear();
    intercept.closeGate();
    certificates.watchForeign(true);
    plainKeys.set([]);
  },
  onEvidence: answer,
  onRefusal: (refusal) => sites.refuse(refusal),
  onHttpKeys: (keys) => plainKeys.set(keys),
  onProbe: probe,
  onProgress(progress) {
    hostBackend.onProgress(progress);
    publications.onProgress(progress);
  },
});

const mode = new Mode(session);
const keyRing = new KeyRing({
  loadCore: startCore,
  lockAfterMs: async () => (await loadSettings()).lockAfterMin * minuteMs,
});
const hostBackend = new HostBackend({ session, core: () => core });
const custody = new Custody({ keyRing, host: hostBackend, mode });
// What another device published took the place of ours: the editor sees it when it asks next.
const relayBackend = new RelayBackend({ loadCore: startCore, settings: loadSettings,
  onAdopted() {} });
const backend = async () => ((await mode.settled()) === 'host' ? hostBackend : relayBackend);
const publications = new Publications({ backend,
  sign: (key, ...zone) => custody.sign(key, ...zone) });
const pinWatch = new PinWatch({ core: () => core });

async function answer(evidence, reply) {
  try {
    const { allow, slug, site } = await judge(await core, evidence, Date.now());
    if (sites.get(site)?.leafSha256 !== site.leafSha256) sightings.forget(site);
    await sites.put(site);
    await (allow ? intercept.retrySite(site) : intercept.denySite(site));
    reply(allow, slug);
  } catch (error) {
    console.error('dotkey: the core failed:', error);
    reply(false, 'evidence.undecided');
    // A module that trapped is not asked again.
    core = startCore();
  }
}

// Before a page that was refused is tried again. True when it is worth trying.
async function reopen(url) {
  const site = siteOf(url);
  if (site === null || !(await whenReady())) return false;
  await intercept.retrySite(site);
  // What the program decided a moment ago it would not show again.
  if (sites.get(site)?.allowed !== true) await session.ask('recheck', site);
  if (sites.describe(site)?.slug !== 'evidence.missing') return true;
  return (await inquiries.ask(site))?.allowed === true;
}

// Only where a response can be held, and only for a page in a tab: our own questions wait for none.
function askAbout(site, tabId) {
  return certificates.holdsResponses && tabId >= 0 ? inquiries.ask(site) : null;
}

// Without the program, the records are all that a page of a key can be.
function block(tabId, url) {
  const page = mode.current() === 'relay' ? recordsPage : blockedPage;
  return webextension.tabs.update(tabId, { url: `${page}#${encodeURIComponent(url)}` });
}

// Browsers look up the hosts of links and of half-typed addresses ahead, and those that no proxy
// could be found for.
async function stopLookingAhead() {
  try {
    await webextension.privacy.network.networkPredictionEnabled.set({ value: false });
  } catch {
    // The administrator's word stands.
  }
}

const ready = (async () => {
  await Promise.all([sites.load(), intercept.closeGate(), stopLookingAhead()]);
  session.connect();
})();

// What an earlier life left, once it is known who is to finish it.
ready.then(() => publications.resume()).then(() => republish())
  .catch((error) => console.warn('dotkey: could not go on:', error));

async function whenReady() {
  await ready;
  return session.whenReady(readyTimeoutMs);
}

function faultOf(site, secure, fingerprints) {
  if (site === null) return 'evidence.missing';
  if (!site.allowed) return site.slug;
  if (!secure) return 'browser.certificate_foreign';
  // Nobody told what to expect, or the browser does not show what it got.
  if (session.hello === null || session.hello.caSha256 === null || fingerprints === null) return '';
  const expected = [site.leafSha256, session.hello.caSha256];
  const known = fingerprints.some((fingerprint) => expected.includes(fingerprint));
  return known ? '' : 'browser.certificate_foreign';
}

// What the browser itself saw of the connection; `fingerprints` is null where it does not tell.
// True when the page may go on.
async function onCertificate(
  { tabId, url, isMainFrame, secure, fingerprints, proxyPort: port, fromCache }) {
  await ready;
  const where = siteOf(url);
  const site = sites.get(where) ?? await askAbout(where, tabId);
  const slug = faultOf(site, secure, fingerprints);
  if (slug === '') {
    const confirmed = fingerprints !== null && session.hello?.caSha256 !== null;
    if (confirmed && !site.confirmed) await sites.put({ ...site, confirmed });
    else await sites.noteOpen(where);
    // What was kept since some earlier time says nothing of the way there.
    if (!fromCache) sightings.note(where, port);
    return true;
  }
  if (isMainFrame && tabId >= 0) block(tabId, url);
  await intercept.denySite(where);
  await (site === null ? sites.refuse({ ...where, slug, pinless: false })
    : sites.put({ ...site, allowed: false, slug }));
  return false;
}

const proxyPort = () => session.hello?.proxyPort ?? null;

// An allowed site whose certificate the browser showed, by way of this session's port.
function isSeen({ url, proxyPort: port }) {
  const where = siteOf(url);
  return where !== null && port === proxyPort() && sites.get(where)?.allowed === true &&
    sightings.covers(where, port);
}

// A part of a page came first: a request of our own has the site looked at.
async function findOut(url) {
  const where = siteOf(url);
  if (where !== null) await inquiries.ask(where);
}

// With the program, nobody but a person with an older question asks about a host outside `.key`.
async function watchForeign() {
  if (!(await pinWatch.isNeeded())) await certificates.watchForeign(false);
}

const onProxyTaken = () => session.end('browser.proxy_taken');
intercept.registerListeners({ whenReady, proxyPort, isSeen, findOut, onProxyTaken });
certificates.registerListeners({ onCertificate, isSeen, onChain });
registerMessages({ ready, table: {
  ...siteOperations({ session, sites, plainKeys, reopen, core: () => core, mode }),
  ...keyOperations({ custody, onRemoved: forgetKey }),
  ...networkOperations({ session, backend, publications, applySettings,
    certificate: fetchCertificate, checkPin }),
} });

async function forgetKey(key) {
  const isHost = (await mode.settled()) === 'host';
  await Promise.all([publications.forget(key), relayBackend.forget(key),
    isHost && hostBackend.forget(key), webextension.storage.local.remove(`draft:${key}`)]);
}

async function fetchCertificate({ host, port }) {
  if ((await mode.settled()) === 'host') return hostBackend.certificate(host, port);
  await certificates.watchForeign(true);
  return pinWatch.certificate(host, port);
}

async function checkPin(question) {
  await certificates.watchForeign(true);
  return pinWatch.check(question);
}

async function applySettings() {
  await keyRing.shorten();
  await relayBackend.restart();
  await republish();
  if ((await mode.settled()) === 'host') await handOver();
}

async function republish() {
  if ((await mode.settled()) === 'relay') await relayBackend.planRepublication();
}

// The program republishes by itself what it published. What was published before it was there, it
// has to be told.
async function handOver() {
  if (!(await loadSettings()).republish) return;
  for (const { custody: holder, state, packet } of Object.values(await publications.all())) {
    if (holder === 'browser' && state === 'done') await hostBackend.keepAlive(packet);
  }
}

// A page of a host whose pins a person asked about; null where there are none.
async function onChain({ tabId, url, isMainFrame, secure, chain }) {
  const decision = await pinWatch.onChain({ tabId, url, secure, chain });
  if (decision === null || decision.state === 'allowed') return true;
  if (isMainFrame && tabId >= 0) {
    await webextension.tabs.update(tabId,
      { url: `${recordsPage}?denied=${encodeURIComponent(decision.slug)}` });
  }
  return false;
}

webextension.alarms.onAlarm.addListener(async ({ name }) => {
  await ready;
  if (name === lockAlarm) await keyRing.lockExpired();
  else if (name === resumeAlarm) await publications.resume();
  else if (name === republishAlarm) await republish();
});

webextension.runtime.onInstalled.addListener(({ reason }) => {
  if (reason === 'install') webextension.tabs.create({ url: '/welcome/welcome.html' });
});

webextension.webNavigation.onBeforeNavigate.addListener(({ tabId, frameId, url }) => {
  if (frameId !== 0) return;
  const address = addressOfBareKey(url) ?? addressOfSearch(url);
  if (address !== null) webextension.tabs.update(tabId, { url: address });
});

webextension.webNavigation.onCommitted.addListener(async ({ tabId, frameId, url }) => {
  if (frameId !== 0) return;
  await ready;
  const where = siteOf(url);
  if (url.startsWith(blockedPage)) indicator.show(tabId, 'blocked');
  else if (where === null) indicator.show(tabId, 'idle');
  else if (plainKeys.covers(url)) indicator.show(tabId, 'plain');
  else indicator.show(tabId, sites.get(where)?.allowed ? 'verified' : 'unverified');
});

webextension.webNavigation.onErrorOccurred.addListener(async ({ tabId, frameId, url, error }) => {
  // Our own redirects end what was under way, too.
  if (frameId !== 0 || isEnded(error) || siteOf(url) === null) return;
  await ready;
  await block(tabId, url);
}, { url: [{ hostSuffix: '.key' }] });

webextension.omnibox.onInputEntered.addListener((text, disposition) => {
  const url = addressOfText(text);
  if (url === null) return;
  if (disposition === 'currentTab') webextension.tabs.update({ url });
  else webextension.tabs.create({ url, active: disposition === 'newForegroundTab' });
});
webextension.omnibox.setDefaultSuggestion({
  description: webextension.i18n.getMessage('omnibox_hint'),
});
