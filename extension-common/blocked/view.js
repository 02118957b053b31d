// SPDX-License-Identifier: Apache-2.0
// State → blocked page. Everything that a stranger wrote goes in by textContent.
import { addressText, fillFacts, showBadge } from '../ui/parts.js';
import { causeOf, fixOf } from '../ui/slugs.js';
import { translate } from '../ui/text.js';

const element = (document, id) => document.getElementById(id);

function hostText(where) {
  if (where === null) return '';
  return where.port === 443 ? where.host : addressText(where.host, where.port);
}

function routeText({ host, port, address }) {
  const route = addressText(host, port);
  return address ? `${route} (${address})` : route;
}

function factsOf({ site, slug, key, session }) {
  const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
  const { certificate } = site ?? {};
  const validity = certificate &&
    `${day(certificate.not_before_s)} – ${day(certificate.not_after_s)}`;
  return [
    ['blocked_slug_label', slug],
    ['blocked_key_label', key],
    ['blocked_pins_label', site?.pins],
    ['blocked_certificate_label', certificate && `3 1 1 ${certificate.spki_sha256}`],
    ['blocked_validity_label', validity],
    ['blocked_route_label', site?.endpoint && routeText(site.endpoint)],
    ['blocked_detail_label', site?.detail],
    ['blocked_program_label', session.version],
  ];
}

function headingOf(slug) {
  const area = slug.split('.')[0];
  return translate(`blocked_heading_${area}`) || translate('blocked_heading');
}

export function render(document, description) {
  const answer = description ??
    { where: null, site: null, slug: '', advice: '', key: null, session: { version: null } };
  const { slug, advice, where } = answer;
  document.querySelector('main').dataset.state = 'blocked';
  showBadge(element(document, 'state'), 'blocked', translate('state_blocked'));
  element(document, 'heading').textContent = headingOf(slug);
  element(document, 'host').textContent = hostText(where);
  element(document, 'cause').textContent = causeOf(slug, advice);
  element(document, 'fix').textContent = fixOf(slug, advice);
  fillFacts(element(document, 'facts'), factsOf(answer));
  document.querySelector('main').removeAttribute('aria-busy');
}

/** No answer came to a question: that is the cause, whatever kept the page from loading before. */
export function renderFailure(document, where, { error, advice = '', detail = '' }) {
  render(document, { where, site: { detail }, slug: error, advice, key: null,
    session: { version: null } });
}

export function renderWaiting(document, { where }) {
  document.querySelector('main').dataset.state = 'waiting';
  showBadge(element(document, 'state'), 'unverified', translate('state_waiting'));
  element(document, 'heading').textContent = translate('blocked_waiting_heading');
  element(document, 'host').textContent = hostText(where);
  element(document, 'cause').textContent = translate('blocked_waiting_cause');
}
