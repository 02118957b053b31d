// SPDX-License-Identifier: Apache-2.0
// What publishing changes, and what became of a publication. Records are shown in zone-file form,
// which has no character that is not plain ASCII.
import { differenceOf, isSame } from '../lib/difference.js';
import { relativeName } from '../lib/record-fields.js';
import { sentenceOf } from '../ui/ask.js';
import { find, make } from '../ui/element.js';
import { showBadge } from '../ui/parts.js';
import { numberText, timeText, translate } from '../ui/text.js';

const signs = { added: '+', removed: '−', kept: '' };

export function recordText({ name, ttl, type, data }, key) {
  return `${relativeName(name, key)} ${ttl} ${type} ${data}`;
}

function line(kind, record, key) {
  return make('li', { 'data-change': kind, 'data-sign': signs[kind] }, make('span', {},
    make('span', { class: 'visually-hidden' }, translate(`editor_change_${kind}`), ' '),
    recordText(record, key)));
}

function lines({ kept, changed, added, removed }, key) {
  return [
    ...kept.map((record) => line('kept', record, key)),
    ...changed.flatMap(({ before, after }) =>
      [line('removed', before, key), line('added', after, key)]),
    ...removed.map((record) => line('removed', record, key)),
    ...added.map((record) => line('added', record, key))];
}

/** published: undefined while it is not known, null for nothing. */
export function renderChanges(records, published, key) {
  const difference = differenceOf(published?.records ?? [], records);
  const same = isSame(difference);
  let text = '';
  if (published === undefined) text = translate('editor_changes_unknown');
  else if (published === null) text = translate('editor_changes_empty');
  else if (same) text = translate('editor_changes_none', timeText(published.timestampUs / 1000));
  find('changes-text').textContent = text;
  const isShown = published !== undefined && !same;
  find('changes').hidden = !isShown;
  find('changes').replaceChildren(...(isShown ? lines(difference, key) : []));
  return same;
}

export const isOpen = (publication) => ['asked', 'signed', 'sent'].includes(publication?.state);

function textOf({ state, endedMs, dhtNodes, slug, advice, detail }, progress, kept) {
  if (['asked', 'signed', 'sent'].includes(state)) {
    return progress === null ? ''
      : translate('editor_publication_progress', numberText(progress.responded),
        numberText(progress.stored));
  }
  const time = timeText(endedMs);
  const said = dhtNodes > 0 ? translate('editor_publication_nodes', time, numberText(dhtNodes))
    : translate('editor_publication_time', time);
  const why = slug === '' ? '' : ` ${sentenceOf({ error: slug, advice, detail })}`;
  const again = kept?.storedMs && kept.storedMs > endedMs + 1000
    ? ` ${translate('editor_publication_again', timeText(kept.storedMs))}` : '';
  return said + why + again;
}

// Nodes of the DHT may have told a relay before we did: no fault of a publication that is done.
const stateOfVerdict = { stored: 'verified', waiting: 'unverified', newer_exists: 'unverified',
  cas_mismatch: 'unverified' };

function relayLine({ url, verdict, error }) {
  const badge = make('span', { class: 'badge' });
  showBadge(badge, stateOfVerdict[verdict] ?? 'blocked',
    translate(`relay_verdict_${verdict}`) || verdict);
  return make('li', { title: error || null }, badge, url);
}

/** progress: {responded, stored} or null; kept: its republication, or undefined. */
export function renderPublication(publication, progress, kept) {
  const section = find('publication');
  // A conflict has a section of its own, where both sides are known.
  section.hidden = publication === undefined ||
    (publication.state === 'conflict' && Boolean(publication.theirs));
  if (section.hidden) return;
  section.ariaBusy = isOpen(publication) ? 'true' : null;
  section.dataset.ended = String(publication.endedMs ?? '');
  find('publication-heading').textContent =
    translate(`editor_publication_${publication.state}`);
  find('publication-text').textContent = textOf(publication, progress, kept);
  find('relays').replaceChildren(...(publication.relays ?? []).map(relayLine));
}

export function renderConflict(publication, theirs, mine, key) {
  const section = find('conflict');
  const isShown = publication?.state === 'conflict' && theirs !== null;
  section.hidden = !isShown;
  if (!isShown) return;
  find('conflict-text').textContent =
    translate('editor_conflict_text', timeText(theirs.timestampUs / 1000));
  // Each side shows what the other lacks.
  const { kept, changed, added, removed } = differenceOf(theirs.records, mine);
  const own = (list, ofOther) => [...kept.map((record) => line('kept', record, key)),
    ...list.map((record) => line(ofOther, record, key))];
  find('theirs').replaceChildren(
    ...own([...removed, ...changed.map(({ before }) => before)], 'removed'));
  find('mine').replaceChildren(...own([...added, ...changed.map(({ after }) => after)], 'added'));
}
