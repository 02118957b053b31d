// SPDX-License-Identifier: Apache-2.0
// What every whole page has: its words, the bar above it, the way to the others.
import { webextension } from '../lib/webextension.js';
import { ask } from './ask.js';
import { make } from './element.js';
import { translate, translatePage } from './text.js';

const destinations = ['keys', 'network', 'options'];

export function pageUrl(page, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return `/${page}/${page}.html${query === '' ? '' : `?${query}`}`;
}

/** Says in the bar who does the work, and gives it: 'host' or 'relay'. */
export async function showMode() {
  const { mode = 'host' } = await ask('mode');
  document.documentElement.dataset.mode = mode;
  document.querySelector('.bar .status').textContent = translate(`bar_status_${mode}`);
  return mode;
}

/** current: the page's folder. Gives the mode, 'host' or 'relay', once it is known. */
export async function startPage(current) {
  translatePage(document);
  document.body.prepend(make('header', { class: 'bar' },
    make('span', { class: 'brand' }, make('img', { src: '/icons/idle-48.png', alt: '' }), 'dotkey'),
    make('nav', { 'aria-label': translate('bar_label') }, destinations.map((page) =>
      make('a', { href: pageUrl(page), 'aria-current': page === current && 'page' },
        translate(`bar_${page}_link`)))),
    make('span', { class: 'status', role: 'status' })));
  return showMode();
}

/** Calls `changed` when something of these names is stored. */
export function onStored(names, changed) {
  webextension.storage.onChanged.addListener((changes) => {
    if (Object.keys(changes).some((name) => names.includes(name.split(':')[0]))) changed();
  });
}
