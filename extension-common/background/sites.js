// SPDX-License-Identifier: Apache-2.0
// What was found out about each site since the browser started. Kept in the session's storage too,
// since a background script is stopped and started at the browser's pleasure.
import { webextension } from '../lib/webextension.js';

const storageKey = 'sites';
const sitesMax = 200;

const nameOf = ({ host, port }) => `${host}:${port}`;

export class Sites {
  #sites = new Map();

  async load() {
    const stored = (await webextension.storage.session.get(storageKey))[storageKey] ?? [];
    // What was learned while loading is newer.
    this.#sites = new Map([...stored, ...this.#sites]);
  }

  get(site) {
    return this.#sites.get(nameOf(site)) ?? null;
  }

  put(site) {
    // Last in the order of a Map is the most recent one.
    this.#sites.delete(nameOf(site));
    this.#sites.set(nameOf(site), site);
    for (const oldest of this.#sites.keys()) {
      if (this.#sites.size <= sitesMax) break;
      this.#sites.delete(oldest);
    }
    return webextension.storage.session.set({ [storageKey]: [...this.#sites] });
  }
}
