// SPDX-License-Identifier: Apache-2.0
// Loads the core and calls it. Runs in a Chrome service worker, a Firefox event page and Node:
// whoever loads it says where the bytes come from. dotkey-core.d.ts describes it all.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// The bounds of core/ are far below this; a larger argument is a mistake of the caller.
const argumentsSizeMax = 4 << 20;
const seedSize = 32;

function u32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function i64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

function bytesOf(value) {
  return typeof value === 'string' ? encoder.encode(value) : new Uint8Array(value);
}

// Byte strings, each after its length; wasm/arguments.h reads them.
function encodeArguments(parts) {
  const flat = parts.flatMap((part) =>
    Array.isArray(part) ? [u32(part.length), ...part.map(bytesOf)] : [bytesOf(part)]);
  const size = flat.reduce((sum, bytes) => sum + 4 + bytes.length, 0);
  if (size > argumentsSizeMax) throw new RangeError('arguments too large');
  const out = new Uint8Array(size);
  let at = 0;
  for (const bytes of flat) {
    out.set(u32(bytes.length), at);
    out.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return out;
}

function port(value) {
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw new RangeError('no port');
  return u32(value);
}

const nodeCalls = {
  resolve: 'dotkey_node_resolve',
  findEndpoints: 'dotkey_node_find_endpoints',
  publish: 'dotkey_node_publish',
  forget: 'dotkey_node_forget',
  addRow: 'dotkey_node_add_row',
  fetched: 'dotkey_node_fetched',
  fetchFailed: 'dotkey_node_fetch_failed',
  deadline: 'dotkey_node_deadline',
  status: 'dotkey_node_status',
};

class Core {
  #exports;

  constructor(exports) {
    this.#exports = exports;
  }

  /** The bytes that a call gives; the module keeps none of them. */
  #callForBytes(name, ...parts) {
    const { memory, malloc, free, dotkey_result, dotkey_result_size } = this.#exports;
    const input = encodeArguments(parts);
    const at = malloc(input.length);
    if (at === 0) throw new RangeError('out of memory');
    try {
      new Uint8Array(memory.buffer, at, input.length).set(input);
      this.#exports[name](at, input.length);
      // Read anew: the call may have grown, and so replaced, the buffer.
      const result = new Uint8Array(memory.buffer, dotkey_result(), dotkey_result_size());
      const copy = result.slice();
      result.fill(0);
      return copy;
    } finally {
      // Seeds pass through here.
      new Uint8Array(memory.buffer, at, input.length).fill(0);
      input.fill(0);
      free(at);
    }
  }

  #call(name, ...parts) {
    return JSON.parse(decoder.decode(this.#callForBytes(name, ...parts)));
  }

  /** {seed} or a Failure; no JSON is as short as a seed. */
  #callForSeed(name, ...parts) {
    const bytes = this.#callForBytes(name, ...parts);
    return bytes.length === seedSize ? { seed: bytes } : JSON.parse(decoder.decode(bytes));
  }

  parsePublicKey(text) {
    return this.#call('dotkey_parse_public_key', text);
  }

  classifyHostname(host) {
    return this.#call('dotkey_classify_hostname', host);
  }

  verifyPacket(canonical) {
    return this.#call('dotkey_verify_packet', canonical);
  }

  verifyPayload(key, payload) {
    return this.#call('dotkey_verify_payload', key, payload);
  }

  decide({ host, port: hostPort, route, packets, chain, now_s }) {
    return this.#call('dotkey_decide', host, port(hostPort), route.host, port(route.port),
      packets, chain, i64(now_s));
  }

  decidePins({ hosts, keys, records, chain, now_s }) {
    return this.#call('dotkey_decide_pins', hosts, keys, records, chain, i64(now_s));
  }

  pinFor(certificate) {
    return this.#call('dotkey_pin_for', certificate);
  }

  publicKeyOf(seed) {
    return this.#call('dotkey_public_key_of', seed);
  }

  sealKey(seed, passphrase, { passes, memory_kib }, entropy) {
    return this.#call('dotkey_seal_key', seed, passphrase, u32(passes), u32(memory_kib), entropy);
  }

  readKeyFile(text) {
    return this.#call('dotkey_read_key_file', text);
  }

  openKeyFile(text, passphrase) {
    return this.#callForSeed('dotkey_open_key_file', text, passphrase);
  }

  phraseOf(seed) {
    return this.#call('dotkey_phrase_of', seed);
  }

  parsePhrase(words) {
    return this.#callForSeed('dotkey_parse_phrase', words);
  }

  readZone(key, zone) {
    return this.#call('dotkey_read_zone', key, zone);
  }

  readRecord(key, line) {
    return this.#call('dotkey_read_record', key, line);
  }

  zoneOf(canonical) {
    return this.#call('dotkey_zone_of', canonical);
  }

  buildPacket(seed, timestamp_us, zone) {
    return this.#call('dotkey_build_packet', seed, i64(timestamp_us), zone);
  }

  /** One call of the node's: `name` without its prefix, clocks first. relays.mjs is its caller. */
  callNode(name, { instant_us, unix_us }, ...parts) {
    const numbers = (part) => (typeof part === 'number' ? u32(part) : part);
    return this.#call(nodeCalls[name], i64(instant_us), i64(unix_us), ...parts.map(numbers));
  }

  startNode(entropy, relays) {
    return this.#call('dotkey_node_start', entropy, relays);
  }

  adviceFor(slug) {
    return this.#call('dotkey_advice_for', slug).advice;
  }
}

const imports = {
  env: { emscripten_notify_memory_growth() {} },
  wasi_snapshot_preview1: {
    // Where abort() ends: an assertion of ours did not hold.
    proc_exit() {
      throw new WebAssembly.RuntimeError('the core stopped');
    },
  },
};

// `source` holds the module: its bytes, or a Response (or the promise of one) to compile as it
// comes in.
export async function loadCore(source) {
  const ready = await source;
  const { instance } = ready instanceof ArrayBuffer || ArrayBuffer.isView(ready)
    ? await WebAssembly.instantiate(ready, imports)
    : await WebAssembly.instantiateStreaming(ready, imports);
  instance.exports._initialize?.();
  return new Core(instance.exports);
}
