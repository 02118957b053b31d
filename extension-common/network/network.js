// SPDX-License-Identifier: Apache-2.0
// The network as it is now: asked for again and again while the page is seen.
import { ask, sentenceOf } from '../ui/ask.js';
import { find, make } from '../ui/element.js';
import { onStored, startPage } from '../ui/shell.js';
import { translate } from '../ui/text.js';
import { renderKept, renderLookups, renderPeers, renderRelays, renderTiles } from './view.js';

const againAfterMs = 3000;

async function show() {
  const overview = await ask('network.status');
  if (overview.error !== undefined) {
    find('notice').replaceChildren(
      make('p', { 'class': 'note', 'data-kind': 'bad' }, sentenceOf(overview)));
  } else {
    find('notice').replaceChildren();
    const keys = await ask('keys.list');
    renderTiles(overview);
    renderLookups(overview.lookups);
    renderPeers(overview.status?.dht);
    renderRelays(overview.relays);
    renderKept(overview.kept, Array.isArray(keys) ? keys : []);
  }
  document.querySelector('main').removeAttribute('aria-busy');
}

async function watch() {
  if (!document.hidden) await show();
  setTimeout(watch, againAfterMs);
}

async function start() {
  const mode = await startPage('network');
  find('lead').textContent = translate(`network_lead_${mode}`);
  onStored(['progress', 'publications'], show);
  await watch();
}

await start();
