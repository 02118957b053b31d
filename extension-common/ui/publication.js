// SPDX-License-Identifier: Apache-2.0
import { ageText, translate } from './text.js';

/** In words, what became of the latest publication of a key. */
export function publishedText(publication, nowMs = Date.now()) {
  if (publication === undefined) return translate('keys_published_never');
  const age = ageText(nowMs - (publication.endedMs ?? publication.createdMs));
  const state = ['asked', 'signed', 'sent'].includes(publication.state) ? 'open'
    : publication.state;
  return translate(`keys_published_${state}`, age);
}
