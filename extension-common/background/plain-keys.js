// SPDX-License-Identifier: Apache-2.0
// Keys without pins whose pages the user wants to see over http. The program keeps the list; here
// is what it said last, for as long as the session with it lasts.
import { keyOf } from '../lib/hosts.js';

export class PlainKeys {
  #keys = new Set();
  #apply;

  /** apply(keys): makes the browser let these through as http, and no others. */
  constructor(apply) {
    this.#apply = apply;
  }

  async set(keys) {
    this.#keys = new Set(keys);
    await this.#apply([...this.#keys]);
  }

  has(key) {
    return this.#keys.has(key);
  }

  /** Is this the address of a page that may be shown unencrypted? */
  covers(url) {
    try {
      const { protocol, hostname } = new URL(url);
      return protocol === 'http:' && this.#keys.has(keyOf(hostname));
    } catch {
      return false;
    }
  }
}
