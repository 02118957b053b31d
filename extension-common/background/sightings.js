// SPDX-License-Identifier: Apache-2.0
// Which sites showed the certificate expected of them in this session, and by which proxy port.
//
// The port belongs to the program for as long as the session with it lasts: nobody else can listen
// there, so whatever comes through it comes from the program that showed the evidence. Once one
// response showed the expected certificate, parts of pages of that site that come the same way are
// not looked at one by one: Firefox would have to ask about each of them twice.
const sitesMax = 200;

const nameOf = ({ host, port }) => `${host}:${port}`;

export class Sightings {
  #seen = new Map();

  /** The site showed the expected certificate by way of this proxy port; null: by another way. */
  note(site, proxyPort) {
    this.#seen.delete(nameOf(site));
    if (proxyPort === null) return;
    this.#seen.set(nameOf(site), proxyPort);
    if (this.#seen.size > sitesMax) this.#seen.delete(this.#seen.keys().next().value);
  }

  /** Did it, by this way? */
  covers(site, proxyPort) {
    return proxyPort !== null && this.#seen.get(nameOf(site)) === proxyPort;
  }

  /** Another certificate is expected of it from here on. */
  forget(site) {
    this.#seen.delete(nameOf(site));
  }

  /** The session ended, and with it what was known of its port. */
  clear() {
    this.#seen.clear();
  }
}
