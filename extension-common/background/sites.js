// SPDX-License-Identifier: Apache-2.0
// What was found out about each site since the browser started: the verdict on its evidence, and
// beside it the program's word for why it did not load last. Any page can bring about the second by
// naming hosts, so it never takes the place of the first. Kept in the session's storage too, since
// a background script is stopped and started at the browser's pleasure.
import { webextension } from '../lib/webextension.js';

// The program remembers 256 sites of a session (host/proxy/upstreams.h). What it still knows and
// does not ask about again must not be forgotten here.
const verdictsMax = 512;
const refusalsMax = 200;

const nameOf = ({ host, port }) => `${host}:${port}`;

/** By site, the one put last at the end; the oldest go first. */
class SiteMap {
  #entries = new Map();
  #storageKey;
  #sizeMax;

  constructor(storageKey, sizeMax) {
    this.#storageKey = storageKey;
    this.#sizeMax = sizeMax;
  }

  async load() {
    const stored = (await webextension.storage.session.get(this.#storageKey))[this.#storageKey];
    // What was learned while loading is newer.
    this.#entries = new Map([...(stored ?? []), ...this.#entries]);
  }

  get(site) {
    return this.#entries.get(nameOf(site)) ?? null;
  }

  put(site) {
    this.#entries.delete(nameOf(site));
    this.#entries.set(nameOf(site), site);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#sizeMax) break;
      this.#entries.delete(oldest);
    }
    return this.#store();
  }

  remove(site) {
    return this.#entries.delete(nameOf(site)) ? this.#store() : Promise.resolve();
  }

  #store() {
    return webextension.storage.session.set({ [this.#storageKey]: [...this.#entries] });
  }
}

export class Sites {
  #verdicts = new SiteMap('sites', verdictsMax);
  #refusals = new SiteMap('refusals', refusalsMax);

  load() {
    return Promise.all([this.#verdicts.load(), this.#refusals.load()]);
  }

  /** The verdict; null where there is none. */
  get(site) {
    return this.#verdicts.get(site);
  }

  /** A new verdict. What was refused before it is past. */
  put(site) {
    return Promise.all([this.#verdicts.put(site), this.#refusals.remove(site)]);
  }

  /** Why the site did not load; {host, port, slug, pinless}. A verdict that denies says more. */
  async refuse(refusal) {
    if (this.get(refusal)?.allowed !== false) await this.#refusals.put(refusal);
  }

  /** It loaded. */
  noteOpen(site) {
    return this.#refusals.remove(site);
  }

  /** What stands in a blocked page: the verdict, under what was refused since; null for neither. */
  describe(site) {
    const refusal = this.#refusals.get(site);
    return refusal === null ? this.get(site) : { ...this.get(site), ...refusal, allowed: false };
  }
}
