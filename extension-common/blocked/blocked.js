// SPDX-License-Identifier: Apache-2.0
// Stands where a page below `.key` may not. Its address carries the one wanted, and nothing else of
// it is believed: why it did not load is asked of the background script.
import { siteOf } from '../lib/hosts.js';
import { isPlainOffered } from '../lib/plain-offer.js';
import { webextension } from '../lib/webextension.js';
import { translatePage } from '../ui/text.js';
import { guardButton } from './guarded-button.js';
import { render, renderWaiting } from './view.js';

function wantedAddress() {
  const raw = location.hash.slice(1);
  try {
    const url = /^https?:/.test(raw) ? raw : decodeURIComponent(raw);
    return siteOf(url) === null ? null : url;
  } catch {
    return null;
  }
}

const ask = (op, body) => webextension.runtime.sendMessage({ op, body });
const url = wantedAddress();
const describe = () => ask('describe', { url, isOpen: false });

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

async function show() {
  let description = url === null ? null : await describe();
  if (description?.mode === 'relay') return showRecords();
  if (description !== null && isEarly(description) && mayOpenByItself(description)) {
    renderWaiting(document, description);
    if (await ask('reopen', url)) {
      location.replace(url);
      return;
    }
    description = await describe();
    if (description?.mode === 'relay') return showRecords();
  }
  render(document, description);
  document.getElementById('plain').hidden = !isPlainOffered(description?.site ?? null);
}

async function openPlain() {
  const address = await ask('allow_http', { url, allow: true });
  if (address !== null) location.replace(address);
  else await show();
}

async function retry() {
  if (url === null) return;
  document.getElementById('retry').disabled = true;
  const ready = await ask('reopen', url);
  document.getElementById('retry').disabled = false;
  if (ready) location.replace(url);
  else await show();
}

translatePage(document);
document.getElementById('retry').addEventListener('click', () => retry());
guardButton(document.getElementById('open-plain'), () => openPlain());
document.getElementById('back').addEventListener('click', () => history.back());
await show();
