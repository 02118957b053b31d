// SPDX-License-Identifier: Apache-2.0
// What pages ask for, answered by the program: its stored keys, the DHT and its relays. What it
// says of packets is checked here; its secrets never come here.
import { parseBase64 } from '../lib/bytes.js';

// The program's own bounds are below these; a lookup of the whole DHT takes seconds.
const lookupTimeoutMs = 60_000;
const publishTimeoutMs = 180_000;
const slowTimeoutMs = 60_000;
const lookupsMax = 20;
const lookupShownMs = 30_000;

const failed = (error, detail = '') => ({ error, detail });

export class HostBackend {
  kind = 'host';
  #session;
  #core;
  #progress = new Map();

  /** core(): a promise of the core. */
  constructor({ session, core }) {
    this.#session = session;
    this.#core = core;
  }

  /** A packet in base64 → {canonical, packet} if it is signed by `key`, else a Failure. */
  async #verify(canonical, key) {
    try {
      const packet = (await this.#core()).verifyPacket(parseBase64(canonical));
      if (packet.error !== undefined) return packet;
      return packet.key === key ? { canonical, packet } : failed('evidence.packet_missing');
    } catch (error) {
      return failed('evidence.malformed', String(error.message));
    }
  }

  /** A lookup goes on, as the program tells. */
  onProgress(progress, nowMs = Date.now()) {
    this.#progress.delete(progress.key);
    this.#progress.set(progress.key, { ...progress, atMs: nowMs });
    const [oldest] = this.#progress.keys();
    if (this.#progress.size > lookupsMax) this.#progress.delete(oldest);
  }

  #lookups(nowMs = Date.now()) {
    return [...this.#progress.values()].filter(({ atMs }) => nowMs - atMs < lookupShownMs)
      .map(({ key, queried, responded }) => ({ key, queried, responded })).reverse();
  }

  /** → {found: {canonical, packet}, source} or a Failure */
  async newest(key) {
    const answer = await this.#session.ask('resolve', { key, policy: 'newest' }, lookupTimeoutMs);
    if (answer.error !== undefined) return answer;
    const found = await this.#verify(answer.packet, key);
    return found.error === undefined ? { found, source: answer.source } : found;
  }

  /** canonical: base64. As RelayNode.publish. */
  async publish(canonical, casUs, key) {
    const condition = casUs === null ? {} : { cas_us: casUs };
    const answer = await this.#session.ask('publish', { packet: canonical, ...condition },
      publishTimeoutMs);
    if (answer.theirs !== undefined) {
      const theirs = await this.#verify(answer.theirs, key);
      return { ...answer, theirs: theirs.error === undefined ? theirs : null };
    }
    return answer.warning === undefined ? answer : { ...answer, ...answer.warning };
  }

  /** → {endpoints: [{icann_host, port, addresses, pins}], trace}, and a Failure's members if any */
  async endpoints(host, port) {
    const answer = await this.#session.ask('endpoints', { host, port, policy: 'newest' },
      lookupTimeoutMs);
    const endpoints = (answer.endpoints ?? []).map(({ icann_host = '', tlsa = [], ...rest }) =>
      ({ ...rest, icann_host, pins: tlsa }));
    return { trace: [], ...answer, endpoints };
  }

  /**
   * How the networks fare → {kind, relays: [{url, error, latencyMs, answered, failing}],
   * kept: [{key, dueMs, storedMs, failures}], status: what the program says of itself}, or a
   * Failure.
   */
  async overview() {
    const status = await this.#session.ask('status', {});
    if (status.error !== undefined) return status;
    const { relays = [], keys = [] } = status;
    return {
      kind: this.kind,
      relays: relays.map(({ url, last_error, latency_ms, successes, failures_in_a_row }) =>
        ({ url, error: last_error ?? '', latencyMs: latency_ms, answered: successes > 0,
          failing: failures_in_a_row > 0 })),
      kept: keys.map(({ key, due_us, stored_us, failures }) =>
        ({ key, dueMs: due_us / 1000, storedMs: stored_us / 1000, failures })),
      lookups: this.#lookups(),
      status,
    };
  }

  /** Republishes from now on what is published already; in base64. */
  keepAlive(packet) {
    return this.#session.ask('keep_alive', { packet });
  }

  forget(key) {
    return this.#session.ask('forget', { key });
  }

  /** What a server shows: {certificate}, DER in base64. */
  certificate(host, port) {
    return this.#session.ask('certificate', { host, port }, slowTimeoutMs);
  }

  /** → {keys: [{name, key, locked}], damaged: [{name, error}]} or a Failure */
  async keys() {
    const { keys = [], ...rest } = await this.#session.ask('stored_keys', {});
    if (rest.error !== undefined) return rest;
    return { keys: keys.filter(({ error }) => error === undefined),
      damaged: keys.filter(({ error }) => error !== undefined) };
  }

  make(name, passphrase) {
    return this.#session.ask('make_key', { name, ...this.#with(passphrase) }, slowTimeoutMs);
  }

  import(name, secret, passphrase) {
    return this.#session.ask('import_key', { name, secret, ...this.#with(passphrase) },
      slowTimeoutMs);
  }

  async export(name, passphrase) {
    const { file, ...rest } = await this.#session.ask('export_key',
      { name, ...this.#with(passphrase) }, slowTimeoutMs);
    return file === undefined ? rest : { text: file };
  }

  rename(name, newName) {
    return this.#session.ask('rename_key', { name, new_name: newName });
  }

  remove(name) {
    return this.#session.ask('remove_key', { name });
  }

  sign(name, timestampUs, zone, passphrase) {
    return this.#session.ask('sign_zone',
      { name, zone, timestamp_us: timestampUs, ...this.#with(passphrase) }, slowTimeoutMs);
  }

  #with(passphrase) {
    return passphrase ? { passphrase } : {};
  }
}
