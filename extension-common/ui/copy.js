// SPDX-License-Identifier: Apache-2.0
// A button that copies, and says for a moment that it did.
import { translate } from './text.js';

const copiedMs = 1500;

/** textOf(): what it copies at that time. */
export function copyOnPress(button, textOf) {
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(textOf());
    button.textContent = translate('popup_copied_button');
    setTimeout(() => {
      button.textContent = translate('popup_copy_button');
    }, copiedMs);
  });
}
