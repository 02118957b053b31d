#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// npm's bittorrent-dht as a DHT peer on loopback; the same commands as `libtorrent_peer.py run`,
// except that ["put", seed, value, salt, seq, cas] takes the sequence to sign. Every answer holds
// its time in ms. The package hands out one value at the end: first_ms is when it verified it.
import crypto from 'node:crypto';
import readline from 'node:readline';
import DHT from 'bittorrent-dht';

const TIMEOUT_MS = 30000;
const spki = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const secretKey = (seed) =>
  crypto.createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
const publicKey = (key) =>
  crypto.createPublicKey({ key: Buffer.concat([spki, key]), format: 'der', type: 'spki' });
const verify = (signature, message, key) => {
  try {
    return crypto.verify(null, message, publicKey(key), signature);
  } catch {
    return false;
  }
};

const dht = new DHT({ bootstrap: [process.argv[2]], verify, host: '127.0.0.1' });
dht.on('warning', () => {});
const reply = (object) => process.stdout.write(JSON.stringify(object) + '\n');
const sha1 = (...parts) => parts.reduce((h, p) => h.update(p), crypto.createHash('sha1')).digest();

const commands = {
  put(done, seedHex, valueHex, saltHex, seq, cas) {
    const secret = secretKey(Buffer.from(seedHex, 'hex'));
    const k = crypto.createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(12);
    const options = { k, v: Buffer.from(valueHex, 'hex'), seq, cas,
      salt: saltHex ? Buffer.from(saltHex, 'hex') : undefined,
      sign: (message) => crypto.sign(null, message, secret) };
    dht.put(options, (error, hash, stored) =>
      done({ stored: stored ?? 0, key: k.toString('hex'), error: error && String(error.message) }));
  },
  get(done, keyHex, saltHex) {
    const key = Buffer.from(keyHex, 'hex');
    const salt = saltHex ? Buffer.from(saltHex, 'hex') : undefined;
    const started = performance.now();
    let first_ms;
    const timed = (...parts) => {
      const verified = verify(...parts);
      if (verified) first_ms ??= performance.now() - started;
      return verified;
    };
    dht.get(sha1(key, salt ?? ''), { verify: timed, salt, cache: false }, (error, item) =>
      done(item
        ? { found: true, seq: item.seq, value: Buffer.from(item.v).toString('hex'), first_ms }
        : { found: false }));
  },
  put_immutable(done, valueHex) {
    dht.put({ v: Buffer.from(valueHex, 'hex') }, (error, hash, stored) =>
      done({ stored: stored ?? 0, target: hash && Buffer.from(hash).toString('hex') }));
  },
  get_immutable(done, targetHex) {
    dht.get(Buffer.from(targetHex, 'hex'), { cache: false }, (error, item) =>
      done(item ? { found: true, value: Buffer.from(item.v).toString('hex') } : { found: false }));
  },
};

let listening = 0;
const onUp = () => {
  if (++listening < 2) return;
  reply({ ready: true });
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [name, ...rest] = JSON.parse(line);
    const started = performance.now();
    let answered = false;
    const done = (object) => {
      if (answered) return;
      answered = true;
      reply({ ...object, ms: performance.now() - started });
    };
    setTimeout(done, TIMEOUT_MS, { error: 'timeout' }).unref();
    commands[name](done, ...rest);
  });
  lines.on('close', () => process.exit(0));
};
dht.on('ready', onUp);
dht.listen(0, '127.0.0.1', onUp);
