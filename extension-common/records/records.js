// SPDX-License-Identifier: Apache-2.0
// What a key publishes. Without the program this is all that its pages can be, so the browser is
// brought here instead of to one. The address is all that is believed of the location.
import { originOf, siteOf } from '../lib/hosts.js';
import { webextension } from '../lib/webextension.js';
import { ask } from '../ui/ask.js';
import { find } from '../ui/element.js';
import { onStored, startPage } from '../ui/shell.js';
import { renderAsking, renderDenied, renderFailure, renderFound, renderWay } from './view.js';

const understoodKey = 'understood';

function wantedAddress() {
  const raw = location.hash.slice(1);
  try {
    const url = /^https?:/.test(raw) ? raw : decodeURIComponent(raw);
    return siteOf(url) === null ? null : url;
  } catch {
    return null;
  }
}

async function checkPin(where, endpoint, packets, show) {
  const { icann_host: host, port } = endpoint;
  const granted = await webextension.permissions.request({ origins: [`https://${host}/*`] });
  if (!granted) return show({ state: 'not_permitted' });
  show({ state: 'checking' });
  const answer = await ask('records.checkPin', { ...where, route: { host, port },
    packets: packets.map(({ canonical }) => canonical) });
  show(answer.state === undefined ? { state: 'unreachable' } : answer);
}

async function show(mode) {
  const url = wantedAddress();
  const denied = new URLSearchParams(location.search).get('denied');
  if (denied !== null && /^[a-z0-9_.]{1,81}$/.test(denied)) {
    const { advice = '' } = await ask('advice', denied);
    return renderDenied(denied, advice);
  }
  if (url === null) return renderFailure({ error: 'hostname.malformed', advice: '' }, null);
  const description = await ask('describe', { url: originOf(url), isOpen: false });
  const { where = null, key } = description;
  if (description.error !== undefined) return renderFailure(description, where);
  if (!key) return renderFailure({ error: 'hostname.malformed', advice: '' }, where);
  renderAsking(where);
  const [newest, ways] = await Promise.all([ask('records.newest', key),
    ask('records.endpoints', { host: where.host, port: where.port })]);
  if (!newest.found) return renderFailure(newest, where);
  renderFound({ where, packet: newest.found.packet, ways, mode });
  const { endpoints = [], packets = [] } = ways;
  endpoints.forEach((endpoint) => {
    const way = renderWay(endpoint, mode);
    way.check?.addEventListener('click', () => checkPin(where, endpoint, packets, way.show));
  });
}

async function showOnce(mode) {
  const { [understoodKey]: understood } = await webextension.storage.local.get(understoodKey);
  find('once').hidden = mode !== 'relay' || understood === true;
  find('understood').addEventListener('click', async () => {
    await webextension.storage.local.set({ [understoodKey]: true });
  });
  onStored([understoodKey], () => { find('once').hidden = true; });
}

async function start() {
  const mode = await startPage('records');
  find('again').addEventListener('click', () => show(mode));
  addEventListener('hashchange', () => show(mode));
  await showOnce(mode);
  await show(mode);
}

await start();
