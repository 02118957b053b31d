// SPDX-License-Identifier: Apache-2.0
// What was typed and is not published. It outlives the page, and other pages of the same key show
// it as it is typed.
import { webextension } from '../lib/webextension.js';

const saveAfterMs = 300;

export class Draft {
  #name;
  #current;
  #by = crypto.randomUUID();
  #isStored = false;
  #saving = null;
  #last = Promise.resolve();

  /**
   * current() → {rows, base, text, isClean}: what to keep, unless it is clean.
   * onOther({rows, base, text}): another page of this key has changed it.
   */
  constructor(key, { current, onOther }) {
    this.#name = `draft:${key}`;
    this.#current = current;
    webextension.storage.onChanged.addListener(({ [this.#name]: change }) => {
      const draft = change?.newValue;
      // What is being typed here is stored in a moment, and told to the others.
      if (draft === undefined || draft.by === this.#by || this.#saving !== null) return;
      this.#isStored = true;
      onOther(draft);
    });
  }

  /** → {rows, base, text}, null where there is none */
  async load() {
    const { [this.#name]: draft } = await webextension.storage.local.get(this.#name);
    this.#isStored = draft !== undefined;
    return draft ?? null;
  }

  /** Once for what is typed without a pause. */
  saveSoon() {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.save(), saveAfterMs);
  }

  save() {
    clearTimeout(this.#saving);
    this.#saving = null;
    this.#last = this.#last.then(() => this.#store())
      .catch((error) => console.warn('dotkey: a draft was not kept:', error));
    return this.#last;
  }

  async #store() {
    const { isClean, ...draft } = this.#current();
    if (isClean && !this.#isStored) return;
    this.#isStored = !isClean;
    // Also what is clean, so that other pages show it.
    await webextension.storage.local.set({ [this.#name]: { ...draft, by: this.#by } });
    if (isClean) await webextension.storage.local.remove(this.#name);
  }
}
