// SPDX-License-Identifier: Apache-2.0
// The popup: this site, and the person's keys.
import { originOf } from '../lib/hosts.js';
import { isPlainOffered } from '../lib/plain-offer.js';
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { copyOnPress } from '../ui/copy.js';
import { find } from '../ui/element.js';
import { translate, translatePage } from '../ui/text.js';
import { startPetname } from './petname.js';
import {
  render, renderFailure, renderHttp, renderKeys, renderLocal, renderTrace,
} from './view.js';

// The address of the page below: given by a test or a detached window, else the tab's own. Without
// the permission `tabs` a browser shows it for `.key` alone, which is all that is needed.
async function currentUrl() {
  const given = new URLSearchParams(location.search).get('url');
  if (given !== null) return given;
  const [tab] = await webextension.tabs.query({ active: true, currentWindow: true });
  return tab?.url ?? '';
}

// The blocked page and that of a key's records carry the address that they stand for.
function pageOf(url) {
  for (const page of ['blocked', 'records']) {
    const own = webextension.runtime.getURL(`${page}/${page}.html#`);
    if (url.startsWith(own)) {
      return { url: decodeURIComponent(url.slice(own.length)), isOpen: false };
    }
  }
  return { url, isOpen: true };
}

/** With the program: whether this key may lead to the person's own network. */
async function startLocal({ key, slug }) {
  const { keys } = await ask('local.list');
  if (!Array.isArray(keys)) return;
  renderLocal(slug === 'proxy.address_refused' || keys.includes(key), keys.includes(key));
  find('local').addEventListener('change', async ({ currentTarget: { checked } }) => {
    const answer = await ask('local.allow', { key, allow: checked });
    if (answer.error !== undefined) find('local').checked = !checked;
  });
}

function plainAddress(url) {
  const address = new URL(url);
  address.protocol = 'http:';
  return address.href;
}

/** Where it is offered or was allowed: whether pages of this key may be opened over http. */
function startHttp({ site, plain, httpAllowed }, url) {
  if (!httpAllowed && !isPlainOffered(site)) return;
  // The page itself needs no other way to it.
  const show = (isAllowed) => renderHttp(isAllowed, isAllowed && !plain ? plainAddress(url) : '');
  show(httpAllowed);
  find('http').addEventListener('change', async ({ currentTarget: { checked } }) => {
    const { origin, ...failure } = await ask('allow_http', { url: originOf(url), allow: checked });
    const isDone = typeof origin === 'string';
    find('http-fault').textContent = isDone ? ''
      : failure.error === undefined ? translate('popup_http_refused') : sentenceOf(failure);
    show(isDone ? checked : !checked);
  });
}

async function startTrace({ where }) {
  find('trace').hidden = false;
  find('trace').addEventListener('toggle', async () => {
    renderTrace(await ask('records.endpoints', { host: where.host, port: where.port }));
  }, { once: true });
}

async function showKeys() {
  const [keys, stored] = await Promise.all([
    ask('keys.list'), webextension.storage.local.get(null)]);
  renderKeys(Array.isArray(keys) ? keys.filter(({ error }) => error === undefined) : [], stored);
  if (keys.error !== undefined) find('no-keys').textContent = sentenceOf(keys);
}

function startTabs() {
  const tabs = ['site', 'keys'].map((name) => find(`${name}-tab`));
  const select = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute('aria-selected', String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      find(tab.getAttribute('aria-controls')).hidden = tab !== chosen;
    }
  };
  for (const tab of tabs) {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', ({ key }) => {
      if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key)) return;
      const other = tabs[key === 'Home' ? 0 : key === 'End' ? 1 : 1 - tabs.indexOf(tab)];
      select(other);
      other.focus();
    });
  }
  return () => select(tabs[1]);
}

async function start() {
  translatePage(document);
  const showKeysTab = startTabs();
  copyOnPress(find('copy'), () => find('key').textContent);
  const { url, isOpen } = pageOf(await currentUrl());
  const description = await ask('describe', { url: originOf(url), isOpen });
  if (description.error !== undefined) {
    renderFailure(document, description);
    return showKeys();
  }
  render(document, description);
  const { key, where, mode } = description;
  if (where === null) showKeysTab();
  const rest = [showKeys()];
  if (key !== null) {
    rest.push(startPetname(find('petname'), key), startTrace(description));
    if (mode === 'host') {
      startHttp(description, url);
      rest.push(startLocal(description));
    }
  }
  await Promise.all(rest);
}

await start();
