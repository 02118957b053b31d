// SPDX-License-Identifier: Apache-2.0
// Options, and what of dotkey works in this browser.
import { loadSettings, lockChoices, relaysMax } from '../background/settings.js';
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { find, make } from '../ui/element.js';
import { showBadge } from '../ui/parts.js';
import { causeOf, fixOf } from '../ui/slugs.js';
import { onStored, startPage } from '../ui/shell.js';
import { numberText, translate } from '../ui/text.js';

const petnamesKey = 'petnames';
let mode = 'host';

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

function link(state, name, text) {
  const badge = make('span', { class: 'badge' });
  showBadge(badge, state, translate(`chain_state_${state}`));
  return make('li', {}, badge, make('span', {}, make('b', {}, translate(name)), ' ', text));
}

async function showChain(relays) {
  const { session, slug, advice = '' } = await ask('describe', { url: '', isOpen: false });
  const program = session?.state === 'ready'
    ? link('verified', 'chain_program', translate('chain_program_fine', session.version))
    : link(mode === 'relay' ? 'unverified' : 'blocked', 'chain_program',
      `${causeOf(slug ?? '', advice)} ${fixOf(slug ?? '', advice)}`);
  const fine = relays.filter(({ failing }) => !failing).length;
  find('chain').replaceChildren(link('verified', 'chain_extension', ''), program,
    link(fine > 0 ? 'verified' : 'unverified', 'chain_relays',
      translate('chain_relays_text', numberText(fine), numberText(relays.length))));
}

async function show() {
  const settings = await loadSettings();
  find('relays-own').hidden = mode !== 'relay';
  find('relays-host').hidden = mode === 'relay';
  find('republish').checked = settings.republish;
  find('lock').value = String(settings.lockAfterMin);
  const { relays = [] } = await ask('network.status');
  showRelays(mode === 'relay' ? settings.relays : relays.map(({ url }) => url));
  await Promise.all([showNames(), showLocal(), showChain(relays)]);
  document.querySelector('main').removeAttribute('aria-busy');
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
  onStored([petnamesKey], showNames);
  await show();
}

await start();
