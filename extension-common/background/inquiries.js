// SPDX-License-Identifier: Apache-2.0
// A response of a site that there is no verdict on came from the browser's cache, or over a
// connection that is older than what is remembered here. A request of our own, past the cache and
// over a connection of its own, has the program show its evidence.

// The program may have to find the site first.
const timeoutMs = 20_000;
const pendingMax = 32;

export class Inquiries {
  #sites;
  #pending = new Map();

  constructor({ sites }) {
    this.#sites = sites;
  }

  /** → the verdict; null where none came of it. Who asks meanwhile waits for the same answer. */
  ask(site) {
    const url = `https://${site.host}:${site.port}/`;
    const pending = this.#pending.get(url);
    if (pending !== undefined) return pending;
    if (this.#pending.size >= pendingMax) return Promise.resolve(null);
    const asked = this.#request(url).then(() => this.#sites.get(site))
      .finally(() => this.#pending.delete(url));
    this.#pending.set(url, asked);
    return asked;
  }

  async #request(url) {
    try {
      await fetch(url, { method: 'HEAD', cache: 'no-store', credentials: 'omit',
        redirect: 'manual', referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(timeoutMs) });
    } catch {
      // Why it failed is the program's to say.
    }
  }
}
