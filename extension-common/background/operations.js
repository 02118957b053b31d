// SPDX-License-Identifier: Apache-2.0
// Every question that a page may ask, who may ask it, and what its body must look like.
import { isKeyHost, keyOf, siteOf } from '../lib/hosts.js';
import { parseHttpKeys, parseReport } from '../lib/native-protocol.js';
import { isPlainOffered } from '../lib/plain-offer.js';
import { saveSettings } from './settings.js';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value, sizeMax) => typeof value === 'string' && value.length <= sizeMax;
const isUrl = (value) => isText(value, 4096);
const isKey = (value) => typeof value === 'string' && /^[13-9a-km-uw-z]{52}$/.test(value);
const isPort = (value) => Number.isInteger(value) && value > 0 && value < 65536;
const isNothing = (value) => value === undefined || value === null;
const isTtl = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;
const isTime = (value) => value === null || (Number.isSafeInteger(value) && value >= 0);

const isPage = (body) => isUrl(body?.url) && typeof body.isOpen === 'boolean';
const isConsent = (body) => isUrl(body?.url) && typeof body.allow === 'boolean';

const doctorTimeoutMs = 100_000;
const connectTimeoutMs = 15_000;
const secretSizeMax = 4096;
const isPassphrase = (value) => isNothing(value) || isText(value, 1024);
const hasName = (body) => isObject(body) && isText(body.name, 64);
const hasSecret = (body) => hasName(body) && isPassphrase(body.passphrase);
const isKeyHere = (body) =>
  hasName(body) && ['host', 'browser'].includes(body.custody) && isKey(body.key);
const isHost = (value) => isText(value, 254) && isKeyHost(value);

const custodians = ['keys', 'editor'];
const readers = ['popup', 'keys', 'editor', 'options', 'network', 'welcome', 'records'];

/** What pages that guard sites ask. */
export function siteOperations({ session, sites, plainKeys, reopen, core, mode }) {
  // What is known of the page that stands in a tab: not what became of another try to load it.
  const siteShown = (where) => {
    const verdict = sites.get(where);
    return verdict?.allowed ? verdict : sites.describe(where);
  };

  async function describe({ url, isOpen }) {
    const where = siteOf(url);
    // Nothing is known of a page that nobody verified, even if there is one beside it that was.
    const plain = plainKeys.covers(url);
    const site = where === null || plain ? null
      : isOpen ? siteShown(where) : sites.describe(where);
    const slug = site?.allowed === false ? site.slug : session.slug;
    const status = { state: session.state, version: session.hello?.version ?? null };
    let advice = '';
    let key = site?.key ?? null;
    try {
      const loaded = await core();
      if (slug) advice = loaded.adviceFor(slug);
      if (where !== null) key ??= loaded.classifyHostname(where.host).key ?? null;
    } catch {
      // Without the core the page still says what happened.
    }
    const httpAllowed = plainKeys.has(key);
    return { where, site, slug, advice, key, plain, httpAllowed, session: status,
      mode: mode.current() };
  }

  // The user's word, from a page of ours. The program keeps it, and decides for each request
  // whether the key has a pin by now. → {origin} to open over http, null where that cannot be; or a
  // Failure.
  async function allowHttp({ url, allow }) {
    const where = siteOf(url);
    const key = where === null ? null : keyOf(where.host);
    const isOffered = key !== null && (!allow || isPlainOffered(sites.describe(where)));
    if (!isOffered) return { origin: null };
    const answer = await session.ask('allow_http', { key, allow });
    if (answer.error !== undefined) return answer;
    await plainKeys.set(parseHttpKeys({ http_keys: answer.keys }));
    return { origin: `http://${where.host}` };
  }

  // The program looks at the whole way; where it was not there, it is connected to first. → {links}
  // or a Failure.
  async function examine() {
    if (!(await session.whenReady(connectTimeoutMs))) {
      return { error: session.slug || 'host.lost', advice: '', detail: '' };
    }
    const answer = await session.ask('doctor', {}, doctorTimeoutMs);
    if (answer.error !== undefined) return answer;
    try {
      return { links: parseReport(answer) };
    } catch (error) {
      return { error: 'host.incompatible', advice: '', detail: error.message };
    }
  }

  return {
    'describe': { from: ['popup', 'blocked', 'options', 'records'], accepts: isPage,
      run: describe },
    'advice': { from: ['records'], accepts: (slug) => isText(slug, 81),
      run: async (slug) => ({ advice: (await core()).adviceFor(slug) }) },
    'allow_http': { from: ['popup', 'blocked'], accepts: isConsent, run: allowHttp },
    'doctor': { from: ['options'], accepts: isNothing, run: examine },
    'reopen': { from: ['blocked'], accepts: isUrl, run: reopen },
    'mode': { from: readers, accepts: isNothing,
      run: async () => ({ mode: await mode.settled() }) },
  };
}

/** Keys: those of the program and those of the extension's own storage. */
export function keyOperations({ custody, onRemoved }) {
  const change = (accepts, run) => ({ from: custodians, accepts, run });
  return {
    'keys.list': { from: readers, accepts: isNothing, run: () => custody.list() },
    'keys.make': change(hasSecret, ({ name, passphrase }) => custody.make(name, passphrase)),
    'keys.import': change((body) => hasSecret(body) && isText(body.secret, secretSizeMax),
      ({ name, secret, passphrase }) => custody.import(name, secret, passphrase)),
    'keys.export': change((body) => isKeyHere(body) && isPassphrase(body.passphrase) &&
        ['file', 'words', 'hex'].includes(body.form),
    (body) => custody.export(body)),
    'keys.saved': change(isKeyHere, (body) => custody.noteSaved(body)),
    'keys.rename': change((body) => isKeyHere(body) && isText(body.newName, 64),
      (body) => custody.rename(body)),
    'keys.remove': change(isKeyHere, async (body) => {
      const removed = await custody.remove(body);
      if (removed.error === undefined) await onRemoved(body.key);
      return removed;
    }),
    'keys.unlock': change((body) => hasName(body) && isText(body.passphrase, 1024),
      (body) => custody.unlock(body)),
    'keys.lock': { from: [...custodians, 'popup'],
      accepts: (body) => isNothing(body) || hasName(body),
      run: (body) => custody.lock(body) },
  };
}

/** Records in the network. */
export function networkOperations(
  { session, backend, publications, applySettings, certificate, checkPin }) {
  return {
    'records.newest': { from: ['editor', 'records'], accepts: isKey,
      run: async (key) => (await backend()).newest(key) },
    'records.endpoints': { from: ['popup', 'records'],
      accepts: (body) => isObject(body) && isHost(body.host) && isPort(body.port),
      run: async ({ host, port }) => (await backend()).endpoints(host, port, 'newest') },
    'records.checkPin': { from: ['records'],
      accepts: (body) => isObject(body) && isHost(body.host) && isPort(body.port) &&
        isObject(body.route) && isText(body.route.host, 254) && isPort(body.route.port) &&
        Array.isArray(body.packets) && body.packets.length <= 16 &&
        body.packets.every((packet) => isText(packet, 1500)),
      run: checkPin },
    'publish.start': { from: ['editor'],
      accepts: (body) => isKeyHere(body) && isText(body.zone, 1 << 16) &&
        isTime(body.baseUs) && isTtl(body.oldTtlS) && isPassphrase(body.passphrase),
      run: (body) => publications.start(body) },
    'certificate': { from: ['editor'],
      accepts: (body) => isObject(body) && isText(body.host, 253) && body.host !== '' &&
        isPort(body.port),
      run: certificate },
    'publish.forget': { from: ['editor', 'keys'], accepts: isKey,
      run: async (key) => { await publications.forget(key); return {}; } },
    'local.list': { from: ['options', 'popup'], accepts: isNothing,
      run: () => session.ask('allow_local', {}) },
    'local.allow': { from: ['options', 'popup'],
      accepts: (body) => isObject(body) && isKey(body.key) && typeof body.allow === 'boolean',
      run: ({ key, allow }) => session.ask('allow_local', { key, allow }) },
    'network.status': { from: ['network', 'options', 'keys', 'editor'], accepts: isNothing,
      run: async () => (await backend()).overview() },
    'settings.save': { from: ['options'], accepts: isObject,
      run: async (changes) => {
        const settings = await saveSettings(changes);
        await applySettings();
        return { settings };
      } },
  };
}
