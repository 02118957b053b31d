// SPDX-License-Identifier: Apache-2.0
// The pins of ICANN hosts that a person opens from the records of a key, without the program. Only
// hosts that the person allowed are seen, and only where the browser shows certificates at all.
import { encodeBase64, parseBase64 } from '../lib/bytes.js';
import { webextension } from '../lib/webextension.js';

const storageKey = 'watches';
const watchesMax = 50;
const fetchTimeoutMs = 15_000;
const chainTimeoutMs = 2_000;

const placeOf = ({ host, port }) => `${host}:${port}`;

function placeOfUrl(url) {
  const { hostname, port } = new URL(url);
  return placeOf({ host: hostname, port: port === '' ? 443 : Number(port) });
}

export class PinWatch {
  #core;
  #checks = new Map();
  #looks = new Map();

  /** core(): a promise of the core; showsCertificates: whether this browser ever does. */
  constructor({ core }) {
    this.#core = core;
  }

  async #watches() {
    return (await webextension.storage.session.get(storageKey))[storageKey] ?? {};
  }

  /** Is there a host to be watched, or a question under way? */
  async isNeeded() {
    const isWatching = Object.keys(await this.#watches()).length > 0;
    return isWatching || this.#checks.size > 0 || this.#looks.size > 0;
  }

  async #put(place, watch) {
    const watches = Object.entries({ ...(await this.#watches()), [place]: watch });
    const kept = Object.fromEntries(watches.slice(-watchesMax));
    await webextension.storage.session.set({ [storageKey]: kept });
  }

  /**
   * Connects to `route` once and compares its certificate with the pins that lead there from
   * host:port. → {state: 'allowed' | 'denied' | 'unseen' | 'unreachable', slug}. Where they fit,
   * every page of the route is compared from then on. Where they do not, nothing more comes of it:
   * a stranger's key may say anything of a host that is not its own.
   */
  async check({ host, port, route, packets }) {
    const place = placeOf(route);
    const watch = { host, port, route, packets };
    const seen = new Promise((resolve) => this.#checks.set(place, { watch, resolve }));
    const reached = await this.#connect(`https://${place}/`);
    const timeout = new Promise((resolve) => {
      setTimeout(resolve, reached ? chainTimeoutMs : 0, null);
    });
    const decision = await Promise.race([seen, timeout]);
    this.#checks.delete(place);
    if (decision?.state === 'allowed') await this.#put(place, watch);
    if (decision !== null) return decision;
    return reached ? { state: 'unseen', slug: '' }
      : { state: 'unreachable', slug: 'site.unreachable' };
  }

  /**
   * What a server shows, DER in base64, for a person who is about to pin it. Its host must be one
   * that the person let the extension see, with a certificate that the browser trusts.
   */
  async certificate(host, port) {
    const place = placeOf({ host, port });
    const seen = new Promise((resolve) => this.#looks.set(place, resolve));
    const reached = await this.#connect(`https://${place}/`);
    const timeout = new Promise((resolve) => {
      setTimeout(resolve, reached ? chainTimeoutMs : 0, null);
    });
    const chain = await Promise.race([seen, timeout]);
    this.#looks.delete(place);
    if (chain !== null && chain.length > 0) return { certificate: encodeBase64(chain[0]) };
    return { error: reached ? 'browser.certificate_hidden' : 'site.unreachable', detail: '' };
  }

  async #connect(url) {
    try {
      await fetch(url, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', cache: 'no-store',
        redirect: 'manual', referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(fetchTimeoutMs) });
      return true;
    } catch {
      return false;
    }
  }

  /** What the browser got: DER, the leaf first. → {state, slug}; null for a host not watched. */
  async onChain({ tabId, url, secure, chain }) {
    const place = placeOfUrl(url);
    this.#looks.get(place)?.(chain);
    // The check's own connection belongs to no tab; what belongs to one is none of its business.
    const check = tabId < 0 ? this.#checks.get(place) : undefined;
    const watch = check?.watch ?? (await this.#watches())[place];
    if (watch === undefined) return null;
    const decision = secure ? await this.#decide(watch, chain)
      : { state: 'denied', slug: 'browser.certificate_foreign' };
    check?.resolve(decision);
    return decision;
  }

  async #decide({ host, port, route, packets }, chain) {
    try {
      const core = await this.#core();
      const finding = core.decide({ host, port, route, packets: packets.map(parseBase64), chain,
        now_s: Math.floor(Date.now() / 1000) });
      const slug = finding.error ?? finding.verdict;
      return { state: finding.allowed === true ? 'allowed' : 'denied', slug };
    } catch {
      return { state: 'denied', slug: 'evidence.undecided' };
    }
  }
}
