// SPDX-License-Identifier: Apache-2.0
// Publishing as steps that outlive this script: the browser may stop it between any two, and what
// was begun is taken up where it stood. A packet is signed and kept before it is sent, so what is
// sent again after an interruption is the same packet and no second publication.
//
//   asked → signed → sent → done | conflict | failed
import { isNothingThere } from '../lib/answers.js';
import { rememberedMs } from '../lib/remembered.js';
import { webextension } from '../lib/webextension.js';

const storageKey = 'publications';
const progressKey = 'progress';
const zoneSizeMax = 1 << 16;
export const resumeAlarm = 'publications';

const isOpen = ({ state }) => ['asked', 'signed', 'sent'].includes(state);
// Says nothing of the network, or that what an earlier life sent is under way; tried again later.
const isPassing = (slug) => ['cancelled', 'host.lost', 'publish.busy'].includes(slug);

export class Publications {
  #sign;
  #backend;
  #nowMs;
  // Passphrases of what is about to be signed. Stored nowhere: a script that is stopped before it
  // has signed forgets them, and the person is asked again.
  #passphrases = new Map();
  #running = new Map();
  #last = Promise.resolve();

  /**
   * sign({custody, name, key}, timestampUs, zone, passphrase) → {packet} | Failure
   * backend(): a promise of what publishes:
   *   newest(key) → {found?: {canonical, packet}, error?}
   *   publish(canonical, casUs | null, key) → {error?, relays, dht_nodes, theirs?} | Failure
   *   forget(key): stores nothing again
   */
  constructor({ sign, backend, nowMs = () => Date.now() }) {
    this.#sign = sign;
    this.#backend = backend;
    this.#nowMs = nowMs;
  }

  #inOrder(change) {
    const next = this.#last.then(change, change);
    this.#last = next.catch(() => {});
    return next;
  }

  /** → the latest publication of each key, by key */
  async all() {
    return (await webextension.storage.local.get(storageKey))[storageKey] ?? {};
  }

  /** → the changed job; null where it was forgotten meanwhile. */
  #put({ key, createdMs }, changes) {
    return this.#inOrder(async () => {
      const jobs = await this.all();
      if (jobs[key]?.createdMs !== createdMs) return null;
      const job = { ...jobs[key], ...changes };
      await webextension.storage.local.set({ [storageKey]: { ...jobs, [key]: job } });
      return job;
    });
  }

  /**
   * Begins; the rest is told by what is stored. `baseUs`: the timestamp of what the person saw as
   * published, null for nothing; anything else in the network is a conflict. `oldTtlS`: the longest
   * TTL of the pins that it replaces; until `oldUntilMs` they may be believed.
   */
  async start({ custody, name, key, zone, baseUs, oldTtlS, passphrase }) {
    if (zone.length > zoneSizeMax) return { error: 'record.too_large', detail: '' };
    const job = await this.#inOrder(async () => {
      const jobs = await this.all();
      if (jobs[key] !== undefined && isOpen(jobs[key])) return null;
      const begun = { custody, name, key, zone, baseUs, oldTtlS, state: 'asked',
        createdMs: this.#nowMs(), oldUntilMs: jobs[key]?.oldUntilMs ?? 0 };
      await webextension.storage.local.set({ [storageKey]: { ...jobs, [key]: begun } });
      return begun;
    });
    if (job === null) return { error: 'publish.busy', detail: '' };
    if (passphrase) this.#passphrases.set(key, passphrase);
    await this.#keepAwake();
    this.#run(job);
    return {};
  }

  /** Takes up what an earlier life left. */
  async resume() {
    const open = Object.values(await this.all()).filter(isOpen);
    for (const job of open) this.#run(job);
    if (open.length > 0) await this.#keepAwake();
    else await webextension.alarms.clear(resumeAlarm);
  }

  /** A store goes on; what pages show of it is worth no write to the disk. */
  async onProgress({ key, responded, stored }) {
    if (!this.#running.has(key)) return;
    await webextension.storage.session.set({ [progressKey]: { key, responded, stored } });
  }

  /** The person has read how it ended, or the key is gone. */
  forget(key) {
    this.#passphrases.delete(key);
    return this.#inOrder(async () => {
      const { [key]: _, ...rest } = await this.all();
      await webextension.storage.local.set({ [storageKey]: rest });
    });
  }

  /** Resolves when nothing is under way here. */
  async idle() {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  // Wakes this script again if it is stopped meanwhile.
  #keepAwake() {
    return webextension.alarms.create(resumeAlarm, { delayInMinutes: 0.5, periodInMinutes: 0.5 });
  }

  #run(job) {
    if (this.#running.has(job.key)) return;
    const run = this.#steps(job).catch((error) => {
      console.warn('dotkey: a publication was interrupted:', error);
    }).finally(() => this.#running.delete(job.key));
    this.#running.set(job.key, run);
  }

  async #steps(job) {
    const backend = await this.#backend();
    let now = job;
    while (isOpen(now)) {
      const changes = await this.#step(backend, now);
      if (changes === null) return;
      now = await this.#put(now, changes);
      // It may have been stored before the key was gone, and would be again and again.
      if (now === null) return backend.forget(job.key);
    }
  }

  /** What a step changes; null to try again later. */
  async #step(backend, job) {
    if (job.state === 'asked') return this.#signed(job);
    const wasSent = job.state === 'sent';
    const seen = job.baseUs === null || wasSent ? await backend.newest(job.key) : {};
    const isOurs = seen.found?.canonical === job.packet;
    if (job.baseUs === null && !isOurs) {
      // The person saw nothing published; whatever is there came from somebody else.
      if (seen.found) return this.#notSent('publish.conflict', { theirs: seen.found });
      // No condition says "only where nothing is": it goes on when nothing is known to be there.
      if (!isNothingThere(seen)) return this.#notSent(seen.error, seen);
    }
    const sent = wasSent ? job : await this.#put(job, { state: 'sent' });
    if (sent === null) return {};
    // Interrupted, and it arrived: whoever has it keeps it, the others get it without a condition.
    return this.#send(backend, isOurs ? { ...sent, baseUs: null } : sent);
  }

  #notSent(slug, { advice = '', detail = '', theirs = null }) {
    if (isPassing(slug)) return null;
    return this.#ended(slug === 'publish.conflict' ? 'conflict' : 'failed',
      { slug, advice, detail, relays: [], dhtNodes: 0, theirs });
  }

  async #signed({ custody, name, key, zone, baseUs }) {
    const timestampUs = Math.max(this.#nowMs() * 1000, (baseUs ?? 0) + 1);
    const passphrase = this.#passphrases.get(key);
    this.#passphrases.delete(key);
    const { packet, error, advice, detail } =
      await this.#sign({ custody, name, key }, timestampUs, zone, passphrase);
    if (error !== undefined) return this.#ended('failed', { slug: error, advice, detail });
    return { state: 'signed', packet, timestampUs };
  }

  async #send(backend, { key, packet, baseUs, oldTtlS = 0, oldUntilMs = 0 }) {
    let outcome = await backend.publish(packet, baseUs, key);
    if (outcome.error === 'publish.conflict') {
      const theirs = outcome.theirs ?? (await backend.newest(key)).found ?? null;
      // What stands in the way is ours: an earlier life sent it, and it arrived meanwhile.
      outcome = theirs?.canonical === packet ? await backend.publish(packet, null, key)
        : { ...outcome, theirs };
    }
    const { error, advice, detail, relays = [], dht_nodes = 0, theirs } = outcome;
    if (isPassing(error)) return null;
    const result = { relays, dhtNodes: dht_nodes };
    if (error === undefined || error === 'publish.too_few_nodes') {
      return this.#ended('done', { ...result, slug: error ?? '', advice,
        oldUntilMs: Math.max(oldUntilMs, this.#nowMs() + rememberedMs(oldTtlS)) });
    }
    const state = error === 'publish.conflict' ? 'conflict' : 'failed';
    return this.#ended(state, { ...result, slug: error, advice, detail, theirs: theirs ?? null });
  }

  #ended(state, changes) {
    return { state, endedMs: this.#nowMs(), ...changes };
  }
}
