// SPDX-License-Identifier: Apache-2.0
// A slug's cause and fix in the browser's language. What a translation lacks, the core's English
// sentence says.
import { translate } from './text.js';

const nameOf = (kind, slug) => `${kind}_${slug.replace('.', '_')}`;

export function causeOf(slug, advice) {
  return translate(nameOf('cause', slug)) || advice.split('; ')[0] || translate('cause_unknown');
}

export function fixOf(slug, advice) {
  const [, ...rest] = advice.split('; ');
  const sentence = rest.join('; ');
  return translate(nameOf('fix', slug)) ||
    sentence.charAt(0).toUpperCase() + sentence.slice(1) || translate('fix_unknown');
}
