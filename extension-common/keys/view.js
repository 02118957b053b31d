// SPDX-License-Identifier: Apache-2.0
// State → list of keys.
import { encodeQr } from '../lib/qr.js';
import { part } from '../ui/dialogs.js';
import { find, make, makeSvg } from '../ui/element.js';
import { keyMark } from '../ui/key-mark.js';
import { showBadge } from '../ui/parts.js';
import { publishedText } from '../ui/publication.js';
import { pageUrl } from '../ui/shell.js';
import { translate, translateBelow } from '../ui/text.js';

function cardOf(key, publication, act) {
  const card = find('card').content.cloneNode(true).firstElementChild;
  translateBelow(card);
  part(card, 'mark').append(keyMark(key.key, 44));
  part(card, 'name').textContent = key.name;
  part(card, 'published').textContent = publishedText(publication);
  part(card, 'key').textContent = key.key;
  part(card, 'backup').hidden = key.savedMs !== null;
  part(card, 'warning').textContent = translate(
    key.custody === 'host' ? 'keys_backup_missing_host' : 'keys_backup_missing');
  part(card, 'edit').href = pageUrl('editor', { key: key.key });
  part(card, 'edit').id = `edit-${key.key}`;
  part(card, 'custody').dataset.state = 'plain';
  part(card, 'custody').textContent = translate(`keys_custody_${key.custody}`);
  // The program locks by itself, after each use.
  const locks = key.custody === 'browser';
  part(card, 'lock').hidden = !locks && !key.locked;
  card.querySelector('[data-act="lock"]').hidden = !locks;
  showBadge(part(card, 'lock'), key.locked ? 'locked' : 'unlocked',
    translate(key.locked ? 'keys_state_locked' : 'keys_state_unlocked'));
  for (const button of card.querySelectorAll('[data-act]')) {
    const name = button.dataset.act;
    button.id = `${name}-${key.key}`;
    if (name === 'lock') {
      button.textContent = translate(key.locked ? 'keys_unlock_button' : 'keys_lock_button');
    }
    button.setAttribute('aria-label', `${button.textContent}: ${key.name}`);
    button.addEventListener('click', () => act(name, key, button));
  }
  return card;
}

function damagedText({ name, error }) {
  return make('li', { 'class': 'note', 'data-kind': 'bad' },
    make('p', {}, make('b', {}, name), ' ', translate('keys_file_damaged', error)));
}

/** Keeps the focus where it was, for whoever uses the keyboard. */
export function renderKeys(keys, publications, act) {
  const focused = find('list').contains(document.activeElement) ? document.activeElement.id : '';
  find('list').replaceChildren(...keys.map((key) => (key.error === undefined
    ? cardOf(key, publications[key.key], act) : damagedText(key))));
  find('nothing').hidden = keys.length > 0;
  find(focused)?.focus();
}

export function renderNotice(kind, text) {
  find('notice').replaceChildren(make('p', { 'class': 'note', 'data-kind': kind }, text));
}

export function renderWords(list, words) {
  list.replaceChildren(...words.split(' ').map((word) => make('li', {}, word)));
}

export function drawQr(text) {
  const rows = encodeQr(text);
  const path = rows.flatMap((row, y) =>
    row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return makeSvg('svg', { 'viewBox': `0 0 ${rows.length} ${rows.length}`, 'role': 'img',
    'aria-label': text, 'shape-rendering': 'crispEdges' }, makeSvg('path', { d: path }));
}
