// SPDX-License-Identifier: Apache-2.0
// Records → page. Everything that a stranger wrote goes in by textContent, in zone-file form.
import { relativeName } from '../lib/record-fields.js';
import { part } from '../ui/dialogs.js';
import { find, make } from '../ui/element.js';
import { addressText, fillFacts, showBadge } from '../ui/parts.js';
import { causeOf, fixOf } from '../ui/slugs.js';
import { ageText, numberText, timeText, translate, translateBelow } from '../ui/text.js';

const isHostName = (name) => /^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/i.test(name);

function head(state, badge, heading, where, text) {
  showBadge(find('state'), state, badge);
  find('heading').textContent = heading;
  find('host').textContent = where === null ? ''
    : where.port === 443 ? where.host : addressText(where.host, where.port);
  find('text').textContent = text;
}

export function renderAsking(where) {
  document.querySelector('main').ariaBusy = 'true';
  find('found').hidden = true;
  head('unverified', translate('records_state_asking'), translate('records_asking_heading'),
    where, '');
}

export function renderFailure({ error, advice = '' }, where) {
  document.querySelector('main').removeAttribute('aria-busy');
  find('found').hidden = true;
  find('again').hidden = where === null;
  const isAddress = error !== 'hostname.malformed';
  head('blocked', translate('records_state_failed'),
    translate(isAddress ? 'records_failed_heading' : 'records_malformed_heading'), where,
    isAddress ? `${causeOf(error, advice)} ${fixOf(error, advice)}`
      : translate('records_malformed_text'));
}

export function renderDenied(slug, advice) {
  document.querySelector('main').removeAttribute('aria-busy');
  find('again').hidden = true;
  head('blocked', translate('state_blocked'), translate('records_denied_heading'), null,
    `${causeOf(slug, advice)} ${fixOf(slug, advice)}`);
}

export function renderFound({ where, packet, ways, mode }) {
  document.querySelector('main').removeAttribute('aria-busy');
  head('verified', translate('records_state_verified'), translate('records_found_heading'), where,
    translate(`records_found_text_${mode}`));
  find('found').hidden = false;
  find('records').replaceChildren(...packet.records.map(({ name, type, ttl, data }) =>
    make('tr', {}, [relativeName(name, packet.key), type, String(ttl), data]
      .map((text) => make('td', {}, text)))));
  const publishedMs = packet.timestamp_us / 1000;
  fillFacts(find('facts'), [
    ['records_published_label',
      `${timeText(publishedMs)}, ${ageText(Date.now() - publishedMs)}`],
    ['records_size_label', translate('records_size', numberText(packet.size))]]);
  find('ways').replaceChildren();
  find('ways-section').hidden = (ways.endpoints ?? []).length === 0;
  find('steps').replaceChildren(...(ways.trace ?? []).map(({ name, record, note }) =>
    make('li', {}, [name, record, note].filter(Boolean).join(' · '))));
  find('trace').hidden = (ways.trace ?? []).length === 0;
}

const badgeOfPin = { allowed: 'verified', denied: 'blocked', none: 'unverified' };

/** → {check, show}: the button that checks, and what shows how it went. */
export function renderWay({ icann_host: host, port, addresses = [], pins = [] }, mode) {
  const way = find('way').content.cloneNode(true).firstElementChild;
  translateBelow(way);
  find('ways').append(way);
  const isOpenable = isHostName(host);
  part(way, 'place').textContent = addressText(host || addresses[0] || '', port);
  part(way, 'open').hidden = !isOpenable;
  if (isOpenable) part(way, 'open').href = `https://${host}${port === 443 ? '' : `:${port}`}/`;
  part(way, 'check').hidden = !isOpenable || pins.length === 0 || mode !== 'relay';
  const show = ({ state, slug = '' }) => {
    part(way, 'state').hidden = false;
    showBadge(part(way, 'state'), badgeOfPin[state] ?? 'unverified',
      translate(`pin_state_${state}`));
    part(way, 'text').textContent = state === 'denied' ? `${causeOf(slug, '')} ${fixOf(slug, '')}`
      : translate(`pin_text_${state}`);
    // A wrong certificate is no place to go.
    if (state === 'denied') part(way, 'open').hidden = true;
  };
  if (isOpenable) show({ state: pins.length === 0 ? 'none' : 'unchecked' });
  else {
    part(way, 'state').hidden = true;
    part(way, 'text').textContent = translate(
      mode === 'relay' ? 'records_way_address' : 'records_way_address_host');
  }
  return { check: part(way, 'check'), show };
}
