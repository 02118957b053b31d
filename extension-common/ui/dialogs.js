// SPDX-License-Identifier: Apache-2.0
// A form in a dialog: made of a <template>, gone when it is closed, and with it what was typed.
import { find } from './element.js';
import { translateBelow } from './text.js';

/** Parts of what a template gave, by data-part. */
export const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

// A browser gives the focus back to what had it. What was drawn anew meanwhile has the same id;
// what is gone leaves it to the page's first thing to do.
function returnFocus(opener) {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const again = opener?.isConnected === true ? opener : find(opener?.id ?? '');
  (again ?? document.querySelector('main .primary'))?.focus();
}

// The form that is open: what had the focus before it.
let current = null;

/** → the dialog with a fresh copy of `template` in it, open. */
export function openDialog(template) {
  const dialog = find('dialog');
  const focused = document.activeElement === document.body ? null : document.activeElement;
  const opened = { opener: focused ?? current?.opener ?? null };
  current = opened;
  const content = find(template).content.cloneNode(true);
  translateBelow(content);
  dialog.replaceChildren(content);
  dialog.querySelector('[value="cancel"]').addEventListener('click', () => dialog.close());
  // By the time that the browser tells, another form may stand there.
  const onClose = () => {
    if (current === opened && dialog.open) return;
    dialog.removeEventListener('close', onClose);
    if (current !== opened) return;
    current = null;
    dialog.replaceChildren();
    returnFocus(opened.opener);
  };
  dialog.addEventListener('close', onClose);
  dialog.showModal();
  dialog.querySelector('input:not([type="radio"]), textarea')?.focus();
  return dialog;
}

/**
 * Asks until it is answered: `submit(fields)` gives a sentence about what is wrong, or null, which
 * closes the dialog. While it runs, nothing can be pressed twice.
 */
export function openForm(template, submit, prepare = () => {}) {
  const dialog = openDialog(template);
  const form = dialog.querySelector('form');
  prepare(dialog);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const fault = form.querySelector('.fault');
    const buttons = form.querySelectorAll('button');
    fault.textContent = '';
    for (const button of buttons) button.disabled = true;
    form.ariaBusy = 'true';
    const wrong = await submit(Object.fromEntries(new FormData(form)), dialog);
    form.ariaBusy = null;
    for (const button of buttons) button.disabled = false;
    if (wrong === null && form.isConnected) dialog.close();
    else if (wrong !== null) fault.textContent = wrong;
  });
  return dialog;
}
