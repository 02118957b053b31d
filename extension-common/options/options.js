// SPDX-License-Identifier: Apache-2.0
// Options, and what of dotkey works in this browser.
import { loadSettings, lockChoices, relaysMax, standardRelays } from '../background/settings.js';
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { find, make } from '../ui/element.js';
import { onStored, showMode, startPage } from '../ui/shell.js';
import { numberText, translate } from '../ui/text.js';
import { chainOf, verdictOf } from './chain.js';
import { renderChain } from './chain-view.js';

const petnamesKey = 'petnames';
const { host_permissions: keyOrigins } = webextension.runtime.getManifest();
const browser = /^moz-/.test(webextension.runtime.getURL('')) ? 'firefox' : 'chromium';
let mode = 'host';
// What the program's doctor found, once it was asked.
let report = null;
let isExamining = false;

function notice(kind, text) {
  find('notice').replaceChildren(make('p', { 'class': 'note', 'data-kind': kind }, text));
}

async function save(changes) {
  const answer = await ask('settings.save', changes);
  if (answer.error === undefined) notice('good', translate('options_saved'));
  else notice('bad', sentenceOf(answer));
  await show();
}

function entry(content, label, onclick) {
  return make('li', {}, content, onclick === null ? null
    : make('button', { 'class': 'small', 'type': 'button', 'aria-label': label, onclick },
      translate('options_remove_button')));
}

const mono = (text) => make('span', { class: 'mono' }, text);

function showRelays(relays) {
  const isOwn = mode === 'relay';
  find('relays').replaceChildren(...relays.map((url) => entry(mono(url),
    translate('options_relay_remove_label', url),
    isOwn ? () => save({ relays: relays.filter((other) => other !== url) }) : null)));
}

/** "https://host[:port][/path]" without a slash at its end, or null. */
function relayOf(text) {
  try {
    const url = new URL(text.trim());
    const isLocal = ['127.0.0.1', 'localhost'].includes(url.hostname);
    const isRelay = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
    if (!isRelay || url.search !== '' || url.hash !== '' || url.username !== '') return null;
    return url.href.replace(/\/$/, '');
  } catch {
    return null;
  }
}

async function addRelay(event) {
  event.preventDefault();
  const url = relayOf(find('relay').value);
  const { relays } = await loadSettings();
  const fault = url === null || relays.includes(url) || relays.length >= relaysMax;
  find('relay-fault').textContent = fault ? translate('options_relay_malformed') : '';
  if (fault) return;
  find('relay').value = '';
  await save({ relays: [...relays, url] });
  // What was said and shown above it may have moved it out of sight.
  find('relay').scrollIntoView({ block: 'nearest' });
}

async function showNames() {
  const names = (await webextension.storage.local.get(petnamesKey))[petnamesKey] ?? {};
  find('names-section').hidden = Object.keys(names).length === 0;
  find('names').replaceChildren(...Object.entries(names).map(([key, name]) => entry(
    make('span', { class: 'names' }, make('b', {}, name), mono(key)),
    translate('options_name_remove_label', name), async () => {
      const { [key]: _, ...rest } = names;
      await webextension.storage.local.set({ [petnamesKey]: rest });
    })));
}

async function showLocal() {
  const { keys = [] } = mode === 'host' ? await ask('local.list') : {};
  find('local-section').hidden = keys.length === 0;
  find('local').replaceChildren(...keys.map((key) => entry(mono(key),
    translate('options_local_remove_label', key), async () => {
      await ask('local.allow', { key, allow: false });
      await showLocal();
    })));
}

async function chain(settings, { relays = [], status }) {
  const [permitted, { os }, description] = await Promise.all([
    webextension.permissions.contains({ origins: keyOrigins }),
    webextension.runtime.getPlatformInfo(),
    ask('describe', { url: '', isOpen: false })]);
  const { session = { state: 'lost' }, slug = description.error, advice = '' } = description;
  const own = settings.relays.map((url) => relays.find((relay) => relay.url === url) ?? { url });
  return chainOf({ permitted, browser, hasProgram: os === 'linux', session, slug, advice, mode,
    nodes: status?.dht?.nodes ?? 0, relays: mode === 'relay' ? own : relays, standardRelays,
    report });
}

function showChain(steps) {
  const hadFocus = find('chain').contains(document.activeElement);
  renderChain(find('chain'), steps, mend);
  if (hadFocus) find('examine').focus();
}

/** Looks at all of it again. The button stays as it is, so that whoever is there stays there. */
async function examine() {
  if (isExamining) return;
  isExamining = true;
  find('chain').ariaBusy = 'true';
  find('chain-verdict').textContent = translate('chain_examining');
  const { links = null, ...failure } = await ask('doctor');
  report = links;
  mode = await showMode();
  const steps = await show();
  find('notice').replaceChildren();
  // Where there is no session, the chain says why.
  const isTold = links !== null || steps.some((step) => step.mend === 'connect');
  if (!isTold) notice('bad', sentenceOf(failure));
  find('chain-verdict').textContent = translate(verdictOf(steps));
  find('chain').removeAttribute('aria-busy');
  isExamining = false;
}

const mends = {
  // First of all: a browser asks the person only while it still knows of the press.
  permit: () => webextension.permissions.request({ origins: keyOrigins }),
  // Examining begins with it.
  connect: async () => {},
  relays: () => save({ relays: standardRelays }),
};

async function mend(name) {
  await mends[name]();
  await examine();
}

/** → the steps of the chain */
async function show() {
  const settings = await loadSettings();
  find('relays-own').hidden = mode !== 'relay';
  find('relays-host').hidden = mode === 'relay';
  find('republish').checked = settings.republish;
  find('lock').value = String(settings.lockAfterMin);
  const overview = await ask('network.status');
  const { relays = [] } = overview;
  showRelays(mode === 'relay' ? settings.relays : relays.map(({ url }) => url));
  const [steps] = await Promise.all([chain(settings, overview), showNames(), showLocal()]);
  showChain(steps);
  document.querySelector('main').removeAttribute('aria-busy');
  return steps;
}

async function start() {
  mode = await startPage('options');
  find('lock').append(...lockChoices.map((minutes) => make('option', { value: minutes },
    translate('options_lock_minutes', numberText(minutes)))));
  find('lock').addEventListener('change', ({ currentTarget }) =>
    save({ lockAfterMin: Number(currentTarget.value) }));
  find('republish').addEventListener('change', ({ currentTarget }) =>
    save({ republish: currentTarget.checked }));
  find('relay-form').addEventListener('submit', addRelay);
  find('examine').addEventListener('click', examine);
  onStored([petnamesKey], showNames);
  await show();
}

await start();
