// SPDX-License-Identifier: Apache-2.0
// The core as JavaScript sees it. Every call either gives what it is declared to give or a Failure;
// it throws only when the module itself is broken, and then it must not be used again.

/** An expected failure. `error` is a slug of docs/protocol/errors.md, stable over releases. */
export interface Failure {
  error: string;
  /** One English sentence: cause and fix. */
  advice: string;
  /** Where and what; may be empty. */
  detail: string;
}

export interface KeyText {
  /** 52 characters of z-base-32, canonical. */
  key: string;
}

export type HostnameKind =
  | { ownership: 'ours' | 'bare'; host: string; key: string; subdomain: string }
  | { ownership: 'malformed_ours'; error: string }
  | { ownership: 'not_ours' };

export interface ResourceRecord {
  /** Absolute, without the final dot. */
  name: string;
  ttl: number;
  type: string;
  /** In zone-file form. A stranger wrote it: show it as text only. */
  data: string;
}

export interface Packet {
  key: string;
  timestamp_us: number;
  size: number;
  records: ResourceRecord[];
}

export interface Decision {
  /** A slug of docs/protocol/pins.md. */
  verdict: string;
  /** The only thing to decide by. */
  allowed: boolean;
  advice: string;
  record_index: number | null;
  certificate: {
    spki_sha256: string;
    key_algorithm: string;
    not_before_s: number;
    not_after_s: number;
  };
}

export interface Finding extends Decision {
  host: string;
  key: string;
  subdomain: string;
  endpoint: { server_name: string; port: number; key: string; addresses: string[] };
  pins: { key: string; name: string; records: string[] };
  packets: Packet[];
}

export interface Evidence {
  host: string;
  port: number;
  /** Where the daemon says that it connected; `host` is the name in SNI. */
  route: { host: string; port: number };
  /** Canonical signed packets, in any order. */
  packets: Uint8Array[];
  /** DER, the leaf first. */
  chain: Uint8Array[];
  /** Seconds since 1970 by the browser's clock. */
  now_s: number;
}

export interface PinQuestion {
  hosts: string[];
  /** 32 bytes each. */
  keys: Uint8Array[];
  /** Rdata of type TLSA. */
  records: Uint8Array[];
  chain: Uint8Array[];
  now_s: number;
}

/** Argon2id (RFC 9106). */
export interface KdfCost {
  passes: number;
  memory_kib: number;
}

export interface NodeAnswer extends Partial<Failure> {
  id?: number;
  /** What the driver has to do, in order. */
  effects: { effect: string }[];
  /** When to call `deadline`; null: not before another call. */
  next_ms: number | null;
}

export interface Core {
  parsePublicKey(text: string): KeyText | Failure;
  classifyHostname(host: string): HostnameKind;
  /** Size, key, timestamp, signature and DNS message, in this order. */
  verifyPacket(canonical: Uint8Array): Packet | Failure;
  /** What a relay gives for `key`. */
  verifyPayload(key: string, payload: Uint8Array): Packet | Failure;
  /** Packets, the way that they lead, and the certificate at its end. A Failure is a denial. */
  decide(evidence: Evidence): Finding | Failure;
  /** core/pin alone, for records whose packet was verified already. */
  decidePins(question: PinQuestion): Decision | Failure;
  /** The TLSA record to publish for a certificate. */
  pinFor(certificate: Uint8Array):
    { record: string; spki_sha256: string; dns_names: string[] } | Failure;
  publicKeyOf(seed: Uint8Array): KeyText | Failure;
  /** docs/protocol/key-file.md. `entropy`: 40 random bytes, never used twice. */
  sealKey(seed: Uint8Array, passphrase: string, cost: KdfCost, entropy: Uint8Array):
    { file: string } | Failure;
  /** The public key of a locked file is a claim until it is opened. */
  readKeyFile(text: string): { key: string; locked: boolean } | Failure;
  /** Takes the time and memory that the file asks for. The caller wipes the seed. */
  openKeyFile(text: string, passphrase: string): { seed: Uint8Array } | Failure;
  /** 24 words of BIP 39. */
  phraseOf(seed: Uint8Array): { words: string } | Failure;
  parsePhrase(words: string): { seed: Uint8Array } | Failure;
  /** What a packet of `key` would hold, and the size of its DNS message. */
  readZone(key: string, zone: string):
    { records: ResourceRecord[]; size: number; size_max: number } | Failure;
  /** One line of a zone file, its owner first. */
  readRecord(key: string, line: string): { records: [ResourceRecord] } | Failure;
  /** A zone file of the records of a packet. */
  zoneOf(canonical: Uint8Array): { zone: string } | Failure;
  /** Signs `zone`; `packet` is the canonical form in base64. */
  buildPacket(seed: Uint8Array, timestamp_us: number | bigint, zone: string):
    { packet: string } | Failure;
  /** One node over relays a module; relays.mjs drives it. `entropy`: 32 random bytes. */
  startNode(entropy: Uint8Array, relays: string[]): {} | Failure;
  callNode(name: string, clocks: { instant_us: number; unix_us: number },
    ...parts: unknown[]): NodeAnswer;
  /** The English sentence for a slug; empty when this version does not know it. */
  adviceFor(slug: string): string;
}

export function loadCore(
  source: BufferSource | Response | Promise<BufferSource | Response>): Promise<Core>;
