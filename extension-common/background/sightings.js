// SPDX-License-Identifier: Apache-2.0
// When the certificates of a site were looked at last, and through which proxy port it was reached.
//
// The port belongs to the program for as long as the session with it lasts: nobody else can listen
// there, so whatever comes through it comes from the program that showed the evidence. For a moment
// after one response showed the expected certificate, parts of a page that come the same way are
// not looked at one by one: each look is a trip to the browser's main process.
const validMs = 5_000;
const sitesMax = 200;

const nameOf = ({ host, port }) => `${host}:${port}`;

export class Sightings {
  #seen = new Map();
  #now;

  /** now(): milliseconds on a clock that nobody sets. */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** The site showed the expected certificate by way of this proxy port; null: by another way. */
  note(site, proxyPort) {
    this.#seen.delete(nameOf(site));
    if (proxyPort === null) return;
    this.#seen.set(nameOf(site), { proxyPort, untilMs: this.#now() + validMs });
    if (this.#seen.size > sitesMax) this.#seen.delete(this.#seen.keys().next().value);
  }

  /** Did it, by this way, a moment ago? */
  covers(site, proxyPort) {
    const last = this.#seen.get(nameOf(site));
    return last !== undefined && proxyPort !== null && last.proxyPort === proxyPort &&
      this.#now() < last.untilMs;
  }

  /** The session ended, and with it what was known of its port. */
  clear() {
    this.#seen.clear();
  }
}
