// SPDX-License-Identifier: Apache-2.0
// The network → tiles and charts. Each chart says in words what it draws.
import { find, make, makeSvg } from '../ui/element.js';
import { fillFacts } from '../ui/parts.js';
import { ageText, numberText, translate } from '../ui/text.js';
import { columnChart } from './columns.js';

function tile(value, name) {
  return make('li', { class: 'card' }, make('b', {}, value), make('span', {}, translate(name)));
}

export function renderTiles({ relays, kept, status }) {
  const { dht } = status ?? {};
  const fine = relays.filter(({ failing }) => !failing).length;
  find('tiles').replaceChildren(...[
    dht?.enabled && tile(numberText(dht.nodes), 'network_tile_nodes'),
    dht?.network_size > 0 && tile(`≈ ${numberText(dht.network_size)}`, 'network_tile_size'),
    relays.length > 0 && tile(`${numberText(fine)} / ${numberText(relays.length)}`,
      'network_tile_relays'),
    tile(numberText(kept.length), 'network_tile_kept')].filter(Boolean));
}

function bar(share, isBad) {
  return makeSvg('svg',
    { 'viewBox': '0 0 100 12', 'preserveAspectRatio': 'none', 'aria-hidden': 'true' },
    makeSvg('rect', { class: 'track', width: 100, height: 12, rx: 2 }),
    makeSvg('rect', { class: isBad ? 'bar-value bad' : 'bar-value', width: 100 * share, height: 12,
      rx: 2 }));
}

function barLine(what, share, value, isBad = false) {
  return make('li', {}, make('span', { class: 'what mono' }, what), bar(share, isBad),
    make('span', { class: 'value' }, value));
}

/** lookups: [{key, queried, responded}], or undefined where there is no DHT. */
export function renderLookups(lookups) {
  find('lookups-section').hidden = lookups === undefined;
  if (lookups === undefined) return;
  find('lookups-none').hidden = lookups.length > 0;
  find('lookups').replaceChildren(...lookups.map(({ key, queried, responded }) =>
    barLine(`${key.slice(0, 20)}…`, queried > 0 ? responded / queried : 0,
      translate('network_lookup_answered', numberText(responded), numberText(queried)))));
}

// A network of a thousand million nodes fills no more.
const bucketsMax = 30;

function bucketColumns(buckets) {
  return buckets.slice(0, bucketsMax)
    .map((count, bits) => ({ label: numberText(bits), count }));
}

function tripColumns(trips) {
  return trips.map(({ below_ms: belowMs, nodes }, at) => ({
    label: belowMs === undefined ? `≥ ${numberText(trips[at - 1]?.below_ms ?? 0)}`
      : `< ${numberText(belowMs)}`, count: nodes }));
}

/** dht: as the program's status has it; undefined without the program. */
export function renderPeers(dht) {
  find('peers-section').hidden = dht?.enabled !== true || !Array.isArray(dht.buckets);
  if (find('peers-section').hidden) return;
  const { buckets, round_trips: trips = [] } = dht;
  find('peers-none').hidden = buckets.length > 0;
  find('peers-charts').hidden = buckets.length === 0;
  if (buckets.length === 0) return;
  const nodes = translate('network_peers_column');
  find('buckets').replaceChildren(...columnChart(bucketColumns(buckets),
    [translate('network_buckets_column'), nodes]));
  const measured = trips.reduce((sum, trip) => sum + trip.nodes, 0);
  find('trips-text').textContent = translate('network_trips_text', numberText(measured));
  find('trips').replaceChildren(...columnChart(tripColumns(trips),
    [translate('network_trips_column'), nodes]));
}

export function renderRelays(relays) {
  find('relays-none').hidden = relays.length > 0;
  const slowest = Math.max(200, ...relays.map(({ latencyMs }) => latencyMs));
  find('relays').replaceChildren(...relays.map(({ url, failing, answered, latencyMs }) => {
    if (failing) return barLine(url, 1, translate('network_relay_failed'), true);
    if (!answered) return barLine(url, 0, translate('network_relay_idle'));
    return barLine(url, latencyMs / slowest,
      translate('network_relay_latency', numberText(latencyMs)));
  }));
}

const hourMs = 3_600_000;
const spanMs = 2 * hourMs;
const [width, left, rowHeight] = [860, 200, 34];

const xOf = (ms, nowMs) => left + (width - left - 20) *
  (Math.min(1, Math.max(-1, (ms - nowMs) / spanMs)) + 1) / 2;

function timelineRow({ label, storedMs, dueMs, failures }, at, nowMs) {
  const y = at * rowHeight + 18;
  return makeSvg('g', {},
    makeSvg('text', { class: 'name', x: 0, y: y + 4 }, label),
    makeSvg('line', { x1: left, x2: width - 20, y1: y, y2: y }),
    storedMs > 0
      ? makeSvg('circle', { class: 'stored', cx: xOf(storedMs, nowMs), cy: y, r: 6 }) : null,
    makeSvg('circle', { class: failures > 0 ? 'due failed' : 'due', cx: xOf(dueMs, nowMs), cy: y,
      r: 6 }));
}

function axis(nowMs, rows) {
  const y = rows * rowHeight + 18;
  const label = (x, text, anchor) => makeSvg('text', { x, y, 'text-anchor': anchor }, text);
  return makeSvg('g', {},
    makeSvg('line', { class: 'now', x1: xOf(nowMs, nowMs), x2: xOf(nowMs, nowMs), y1: 4,
      y2: rows * rowHeight }),
    label(left, ageText(spanMs), 'start'),
    label(xOf(nowMs - hourMs, nowMs), ageText(hourMs), 'middle'),
    label(xOf(nowMs, nowMs), translate('network_now'), 'middle'),
    label(xOf(nowMs + hourMs, nowMs), ageText(-hourMs), 'middle'),
    label(width - 20, ageText(-spanMs), 'end'));
}

function keptText({ storedMs, dueMs, failures }, nowMs) {
  return [
    storedMs > 0 && translate('network_kept_stored', ageText(nowMs - storedMs)),
    translate('network_kept_due', ageText(Math.min(0, nowMs - dueMs))),
    failures > 0 && translate('network_kept_failures', numberText(failures))]
    .filter(Boolean).join(' · ');
}

export function renderKept(kept, keys, nowMs = Date.now()) {
  find('kept-none').hidden = kept.length > 0;
  find('kept-text').hidden = kept.length === 0;
  const rows = kept.slice(0, 20).map((entry) => ({ ...entry,
    label: keys.find(({ key }) => key === entry.key)?.name ?? `${entry.key.slice(0, 16)}…` }));
  const height = rows.length * rowHeight + 26;
  find('timeline').replaceChildren(...(rows.length === 0 ? [] : [makeSvg('svg', {
    'class': 'timeline', 'viewBox': `0 0 ${width} ${height}`, 'role': 'img',
    'aria-label': translate('network_kept_heading') },
  ...rows.map((row, at) => timelineRow(row, at, nowMs)), axis(nowMs, rows.length))]));
  fillFacts(find('kept'), rows.map((row) => [row.label, keptText(row, nowMs)]), (name) => name);
}
