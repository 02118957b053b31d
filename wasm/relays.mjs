// SPDX-License-Identifier: Apache-2.0
// Drives the core's node over HTTP relays: carries out what it wants done, and gives a promise for
// each question. No other loop drains it.

const redirects = [301, 302, 303, 307, 308];
const failures = { unreachable: 0, timed_out: 1, too_large: 2, redirected: 3 };
const encoder = new TextEncoder();

const parseBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export function clocks() {
  return { instant_us: Math.round(performance.now() * 1000), unix_us: Date.now() * 1000 };
}

/** The body, or null when it has more than `sizeMax` bytes; no more than those are read. */
async function readBody(response, sizeMax) {
  if (response.body === null) return new Uint8Array();
  const parts = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > sizeMax) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

export class RelayNode {
  #core;
  #fetch;
  #now;
  #keep;
  #waiting = new Map();
  #fetches = new Map();
  #timer = null;

  /**
   * keep: {saveRow(key, row), dropRow(key), adopted(found)}, called as the node says so.
   * `fetch` and `now` are the browser's unless a test gives others.
   */
  constructor(core, keep, options = {}) {
    const { fetch: get = globalThis.fetch, now = clocks } = options;
    this.#core = core;
    this.#keep = keep;
    this.#fetch = get.bind(globalThis);
    this.#now = now;
  }

  /** {} or a Failure. Questions of an earlier start are never answered. */
  start(relays) {
    this.stop();
    return this.#core.startNode(crypto.getRandomValues(new Uint8Array(32)), relays);
  }

  stop() {
    clearTimeout(this.#timer);
    for (const abort of this.#fetches.values()) abort.abort();
    this.#fetches.clear();
    for (const { resolve } of this.#waiting.values()) resolve({ error: 'cancelled', detail: '' });
    this.#waiting.clear();
  }

  /** policy: 'cache', 'first' or 'newest'. → {found: {canonical, packet}, …} or a Failure */
  resolve(key, policy) {
    return this.#ask('resolve', key, policy);
  }

  /** → {endpoints, trace, packets}, with a Failure's members where there is no endpoint */
  findEndpoints(host, port, policy) {
    return this.#ask('findEndpoints', host, port, policy);
  }

  /** Stores a packet where the one held has the timestamp `casUs`; null: wherever it is newer. */
  publish(canonical, casUs) {
    const condition = casUs === null ? [0] : [1, this.#i64(casUs)];
    return this.#ask('publish', canonical, ...condition);
  }

  forget(key) {
    return this.#take(this.#call('forget', key));
  }

  addRow(row) {
    return this.#take(this.#call('addRow', row));
  }

  /** For a driver that was asleep. */
  wake() {
    this.#take(this.#call('deadline'));
  }

  /** → {relays: [{url, error, latency_ms, …}], kept_alive: [{key, due_ms, stored_ms, …}]} */
  status() {
    return this.#take(this.#call('status'));
  }

  #i64(value) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
    return bytes;
  }

  #call(name, ...parts) {
    return this.#core.callNode(name, this.#now(), ...parts);
  }

  #ask(name, ...parts) {
    const answer = this.#call(name, ...parts);
    return new Promise((resolve) => {
      if (answer.error === undefined) this.#waiting.set(answer.id, { resolve });
      else resolve(answer);
      // After the promise is known: the answer may be among the effects.
      this.#take(answer);
    });
  }

  #take(answer) {
    for (const effect of answer.effects) this.#carryOut(effect);
    clearTimeout(this.#timer);
    this.#timer = null;
    if (answer.next_ms !== null) {
      this.#timer = setTimeout(() => this.wake(), answer.next_ms);
    }
    return answer;
  }

  #carryOut(effect) {
    switch (effect.effect) {
      case 'fetch':
        this.#start(effect);
        break;
      case 'cancel_fetch':
        this.#fetches.get(effect.id)?.abort();
        this.#fetches.delete(effect.id);
        break;
      case 'save_row':
        this.#keep.saveRow(effect.key, effect.row);
        break;
      case 'drop_row':
        this.#keep.dropRow(effect.key);
        break;
      case 'adopted':
        this.#keep.adopted(effect.theirs);
        break;
      default:
        this.#waiting.get(effect.id)?.resolve(effect);
        this.#waiting.delete(effect.id);
    }
  }

  async #start({ id, method, url, headers, body, response_size_max, timeout_ms }) {
    const abort = new AbortController();
    this.#fetches.set(id, abort);
    const timer = setTimeout(() => abort.abort('timed_out'), timeout_ms);
    const result = await this.#exchange(url, response_size_max, {
      method, headers, body: method === 'PUT' ? parseBase64(body) : undefined,
      credentials: 'omit', cache: 'no-store', redirect: 'manual', referrerPolicy: 'no-referrer',
      signal: abort.signal,
    });
    clearTimeout(timer);
    // A fetch that was cancelled has nobody who waits for it.
    if (!this.#fetches.delete(id)) return;
    if (result.failure !== undefined) {
      this.#take(this.#call('fetchFailed', id, failures[result.failure]));
      return;
    }
    const fields = result.headers.flat().map((text) => encoder.encode(text));
    this.#take(this.#call('fetched', id, result.status, fields, result.body));
  }

  async #exchange(url, sizeMax, options) {
    try {
      const response = await this.#fetch(url, options);
      if (response.type === 'opaqueredirect' || redirects.includes(response.status)) {
        return { failure: 'redirected' };
      }
      const body = await readBody(response, sizeMax);
      if (body === null) return { failure: 'too_large' };
      return { status: response.status, headers: [...response.headers], body };
    } catch {
      return { failure: options.signal.reason === 'timed_out' ? 'timed_out' : 'unreachable' };
    }
  }
}
