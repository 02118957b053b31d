// SPDX-License-Identifier: Apache-2.0
// Steps of the chain → list. What the program and its logs say goes in as text.
import { copyOnPress } from '../ui/copy.js';
import { make } from '../ui/element.js';
import { showBadge } from '../ui/parts.js';
import { causeOf, fixOf } from '../ui/slugs.js';
import { translate } from '../ui/text.js';

const shapeOf = { ok: 'verified', warning: 'unverified', broken: 'blocked', untested: 'idle' };

function badge(state) {
  const element = make('span', { class: 'badge' });
  showBadge(element, shapeOf[state], translate(`chain_state_${state}`));
  return element;
}

function sentenceOf({ message, slug, advice, text }) {
  if (message !== undefined) return translate(...message);
  return text ?? `${causeOf(slug, advice)} ${fixOf(slug, advice)}`;
}

function commandLine(command) {
  const button = make('button',
    { 'class': 'small', 'type': 'button', 'aria-label': translate('chain_copy_label', command) },
    translate('popup_copy_button'));
  copyOnPress(button, () => command);
  return make('div', { class: 'command' }, make('code', { class: 'mono' }, command), button);
}

function fault(one) {
  const { subject = '', command = '', details = [] } = one;
  return make('div', { class: 'fault-of' },
    make('p', {}, subject === '' ? null : make('span', { class: 'mono' }, subject),
      subject === '' ? null : ': ', sentenceOf(one)),
    details.map((line) => make('p', { class: 'small quiet mono' }, line)),
    command === '' ? null : commandLine(command));
}

function entry({ name, state, says, faults, mend }, onMend) {
  const words = says === null ? null : [' ', translate(...says)];
  return make('li', { 'data-step': name, 'data-state': state }, badge(state),
    make('div', { class: 'link' },
      make('p', {}, make('b', {}, translate(`chain_${name}`)), words),
      faults.map(fault),
      mend === null ? null : make('button', { 'class': 'small primary', 'type': 'button',
        'data-mend': mend, 'onclick': () => onMend(mend) }, translate(`chain_mend_${mend}`))));
}

/** onMend(name): a button that mends something was pressed. */
export function renderChain(list, steps, onMend) {
  list.replaceChildren(...steps.map((step) => entry(step, onMend)));
}
