// SPDX-License-Identifier: Apache-2.0
// Questions to the background script, and what its failures mean in words.
import { webextension } from '../lib/webextension.js';
import { causeOf, fixOf } from './slugs.js';

/** Never throws: a script that did not answer is a Failure too. */
export async function ask(op, body) {
  try {
    const answer = await webextension.runtime.sendMessage({ op, body });
    return answer ?? { error: 'extension.failed', detail: op };
  } catch (error) {
    return { error: 'extension.failed', detail: String(error?.message ?? error) };
  }
}

/** Cause and fix in one line. */
export function sentenceOf({ error, advice = '', detail = '' }) {
  const more = detail === '' ? '' : ` (${detail})`;
  return `${causeOf(error, advice)} ${fixOf(error, advice)}${more}`;
}
