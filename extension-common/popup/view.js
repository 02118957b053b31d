// SPDX-License-Identifier: Apache-2.0
// State → popup. Everything that a stranger wrote goes in by textContent.
import { causeOf } from '../ui/slugs.js';
import { ageText, translate } from '../ui/text.js';
import { addressText, fillFacts, showBadge } from '../ui/parts.js';

function stateOf({ where, site }) {
  if (where === null) return 'idle';
  if (site === null) return 'unverified';
  return site.allowed ? 'verified' : 'blocked';
}

function summaryOf(state, description) {
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
  const element = (id) => document.getElementById(id);
  const answer = description ??
    { where: null, site: null, slug: '', advice: '', key: null, session: { state: 'lost' } };
  const state = stateOf(answer);
  showBadge(element('state'), state, translate(`state_${state}`));
  element('summary').textContent = summaryOf(state, answer);
  element('site').hidden = answer.key === null;
  element('key').textContent = answer.key ?? '';
  fillFacts(element('facts'), factsOf(answer));
  element('facts').hidden = element('facts').childElementCount === 0;
  const { session } = answer;
  element('program').textContent =
    translate(`popup_program_${session.state}`, session.version ?? '');
  document.querySelector('main').removeAttribute('aria-busy');
}
