// SPDX-License-Identifier: Apache-2.0
// Stands where a page below `.key` may not. Its address carries the one wanted, and nothing else of
// it is believed: why it did not load is asked of the background script.
import { originOf, siteOf } from '../lib/hosts.js';
import { isPlainOffered } from '../lib/plain-offer.js';
import { webextension } from '../lib/webextension.js';
import { ask } from '../ui/ask.js';
import { translatePage } from '../ui/text.js';
import { guardButton } from './guarded-button.js';
import { render, renderFailure, renderWaiting } from './view.js';

function wantedAddress() {
  const raw = location.hash.slice(1);
  try {
    const url = /^https?:/.test(raw) ? raw : decodeURIComponent(raw);
    return siteOf(url) === null ? null : url;
  } catch {
    return null;
  }
}

const url = wantedAddress();
// No question carries more of an address than it needs: it may be longer than a message takes.
const origin = originOf(url);
const describe = () => ask('describe', { url: origin, isOpen: false });
const reopen = async () => (await ask('reopen', origin)) === true;

// An address is opened by itself once in a while only, or a page that never loads would be tried
// for ever.
const againAfterMs = 30_000;

function mayOpenByItself({ slug }) {
  const name = `${slug} ${url}`;
  const last = Number(sessionStorage.getItem(name) ?? 0);
  sessionStorage.setItem(name, String(Date.now()));
  return Date.now() - last > againAfterMs;
}

// Not refused, only early: the browser has just started, the program has to be started again, or
// it was not asked, since the page came from the browser's cache.
function isEarly({ session, slug }) {
  return session.state !== 'ready' || slug === '' || slug === 'evidence.missing';
}

// Where there is no program, the key's records are all that can be shown.
function showRecords() {
  location.replace(webextension.runtime.getURL(`records/records.html#${encodeURIComponent(url)}`));
}

function showAnswer(description) {
  if (description?.mode === 'relay') return showRecords();
  if (description?.error !== undefined) return renderFailure(document, siteOf(url), description);
  render(document, description);
  document.getElementById('plain').hidden = !isPlainOffered(description?.site ?? null);
}

async function show() {
  if (url === null) return showAnswer(null);
  const description = await describe();
  const isWaiting = description.session !== undefined && description.mode !== 'relay' &&
    isEarly(description) && mayOpenByItself(description);
  if (!isWaiting) return showAnswer(description);
  renderWaiting(document, description);
  if (await reopen()) location.replace(url);
  else showAnswer(await describe());
}

async function openPlain() {
  const answer = await ask('allow_http', { url: origin, allow: true });
  const { pathname, search, hash } = new URL(url);
  if (typeof answer.origin === 'string') {
    location.replace(`${answer.origin}${pathname}${search}${hash}`);
  } else if (answer.error !== undefined) {
    renderFailure(document, siteOf(url), answer);
  } else {
    await show();
  }
}

async function retry() {
  if (url === null) return;
  document.getElementById('retry').disabled = true;
  const isReady = await reopen();
  document.getElementById('retry').disabled = false;
  if (isReady) location.replace(url);
  else await show();
}

translatePage(document);
document.getElementById('retry').addEventListener('click', () => retry());
guardButton(document.getElementById('open-plain'), () => openPlain());
document.getElementById('back').addEventListener('click', () => history.back());
await show();
