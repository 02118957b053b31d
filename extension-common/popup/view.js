// SPDX-License-Identifier: Apache-2.0
// State → popup. Everything that a stranger wrote goes in by textContent.
import { sentenceOf } from '../ui/ask.js';
import { make } from '../ui/element.js';
import { keyMark } from '../ui/key-mark.js';
import { addressText, fillFacts, showBadge } from '../ui/parts.js';
import { publishedText } from '../ui/publication.js';
import { pageUrl } from '../ui/shell.js';
import { causeOf } from '../ui/slugs.js';
import { ageText, translate } from '../ui/text.js';

const find = (id) => document.getElementById(id);

function stateOf({ where, site }) {
  if (where === null) return 'idle';
  if (site === null) return 'unverified';
  return site.allowed ? 'verified' : 'blocked';
}

function summaryOf(state, description) {
  if (state === 'unverified' && description.mode === 'relay') {
    return translate('popup_records_summary');
  }
  if (state === 'blocked') return causeOf(description.slug, description.advice);
  if (description.plain) return translate('popup_plain_summary');
  return translate(`popup_${state}_summary`);
}

function factsOf({ site, where, key }) {
  if (!site?.endpoint) return [];
  const pin = site.pinIndex === null ? null : site.pins[site.pinIndex];
  const published = site.timestampUs && ageText(Date.now() - site.timestampUs / 1000);
  const isPlain = where.host === `${key}.key` && where.port === 443;
  return [
    ['popup_host_label', !isPlain && addressText(where.host, where.port)],
    ['popup_source_label', site.source && translate(`source_${site.source}`)],
    ['popup_age_label', published],
    ['popup_endpoint_label',
      addressText(site.endpoint.address || site.endpoint.host, site.endpoint.port)],
    ['popup_pin_label', pin ? `TLSA ${pin}` : translate(
      site.slug === 'pin.allow_by_key' ? 'popup_pin_is_key' : 'popup_pin_none'), pin && 'mono'],
    ['popup_browser_label',
      site.allowed && translate(site.confirmed ? 'popup_confirmed' : 'popup_unconfirmed')],
  ];
}

export function render(document, description) {
  const state = stateOf(description);
  showBadge(find('state'), state, translate(`state_${state}`));
  find('summary').textContent = summaryOf(state, description);
  find('site').hidden = description.key === null;
  find('key').textContent = description.key ?? '';
  if (description.key !== null) {
    find('mark').replaceChildren(keyMark(description.key, 40));
    find('records').href =
      `../records/records.html#${encodeURIComponent(`https://${description.where.host}/`)}`;
  }
  fillFacts(find('facts'), factsOf(description));
  const { session, mode } = description;
  find('program').textContent = mode === 'relay' ? translate('popup_program_none')
    : translate(`popup_program_${session.state}`, session.version ?? '');
  document.querySelector('main').removeAttribute('aria-busy');
}

/** The background script gave no answer: nothing is known of the page, nor of the program. */
export function renderFailure(document, failure) {
  showBadge(find('state'), 'unverified', translate('state_unverified'));
  find('summary').textContent = sentenceOf(failure);
  find('site').hidden = true;
  document.querySelector('main').removeAttribute('aria-busy');
}

export function renderLocal(isShown, isAllowed) {
  find('local-switch').hidden = !isShown;
  find('local').checked = isAllowed;
}

/** address: of the page over http, where it may be opened; '' elsewhere. */
export function renderHttp(isAllowed, address) {
  find('http-part').hidden = false;
  find('http').checked = isAllowed;
  find('open-http').hidden = address === '';
  if (address !== '') find('open-http').href = address;
}

export function renderTrace({ trace = [], error = '', advice = '' }) {
  const lines = trace.map(({ name, record, note }) =>
    make('li', {}, [name, record, note].filter(Boolean).join(' · ')));
  if (error !== '') lines.push(make('li', {}, causeOf(error, advice)));
  find('steps').replaceChildren(...lines);
}

/** stored: what the extension keeps; drafts are among it. */
export function renderKeys(keys, stored) {
  const publications = stored.publications ?? {};
  find('no-keys').hidden = keys.length > 0;
  find('keys').replaceChildren(...keys.map(({ name, key }) => {
    const isDraft = stored[`draft:${key}`] !== undefined;
    return make('li', {}, make('a', { href: pageUrl('editor', { key }), target: '_blank' },
      keyMark(key, 36),
      make('span', { class: 'names' }, make('b', {}, name),
        make('span', { class: 'small quiet' }, isDraft ? translate('popup_keys_draft')
          : publishedText(publications[key]))),
      make('span', { class: 'go' },
        translate(isDraft ? 'popup_keys_publish' : 'popup_keys_edit'))));
  }));
}
