// SPDX-License-Identifier: Apache-2.0
// Writes the script of scripted-host.mjs: a CA, one leaf for all hosts, and the evidence of each.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { base64, load } from '../../wasm/core.mjs';
import { root } from './browsers.mjs';

export const core = await load();

const seedOf = (number) => new Uint8Array(32).fill(number);
export const keyOf = (number) => core.publicKeyOf(seedOf(number)).key;
export const wordsOf = (number) => core.phraseOf(seedOf(number)).words;

/** A packet of the key, signed now. */
export const zonePacket = (number, zone) =>
  base64(core.buildPacket(seedOf(number), Date.now() * 1000, zone).packet);

export class Stage {
  sites = {};

  async prepare() {
    this.folder = await mkdtemp(path.join(tmpdir(), 'dotkey-stage-'));
    this.file = (name) => path.join(this.folder, name);
    this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30', '-subj', '/CN=dotkey test',
      '-addext', 'basicConstraints=critical,CA:true',
      '-addext', 'nameConstraints=critical,permitted;DNS:key');
    return this;
  }

  openssl(...options) {
    execFileSync('openssl', options, { cwd: this.folder, stdio: 'pipe' });
  }

  /** A self-signed certificate for a host; DER. */
  async certificate(name, host) {
    this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '30', '-subj', '/CN=site',
      '-addext', `subjectAltName=DNS:${host}`);
    return new X509Certificate(await readFile(this.file(`${name}.crt`))).raw;
  }

  /**
   * `changes` turn honest evidence for key `number` into something else; `later` do that once
   * somebody asked for /turn.
   */
  async addSite(number, changes = () => ({}), later = undefined) {
    const key = keyOf(number);
    const host = `${key}.key`;
    const leaf = await this.certificate(`site${number}`, host);
    const pin = core.pinFor(leaf).record;
    const zone = `@ 300 A 192.0.2.1\n_443._tcp 300 TLSA ${pin}`;
    const honest = { route: { host, port: 443, address: '192.0.2.1' },
      packets: [zonePacket(number, zone)], chain: [leaf] };
    const encode = (list) => list.map((bytes) => Buffer.from(bytes).toString('base64'));
    const changed = async (by) => {
      const site = { ...honest, ...(await by({ ...honest, zone, host })) };
      return { ...site, packets: encode(site.packets), chain: encode(site.chain) };
    };
    this.sites[host] = { ...(await changed(changes)),
      ...(later === undefined ? {} : { later: await changed(later) }) };
    return `https://${host}/`;
  }

  /**
   * → the program that a browser is to launch. `hello` changes its greeting; `noise` is what it
   * says after that, each in an envelope of which it may change anything.
   */
  async write({ hello = {}, noise = [] } = {}) {
    const names = Object.keys(this.sites).map((host) => `DNS:${host}`).join(',');
    this.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=leaf');
    await writeFile(this.file('leaf.ext'),
      `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    this.openssl('x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key',
      '-CAcreateserial', '-days', '7', '-extfile', 'leaf.ext', '-out', 'leaf.crt');
    const text = (name) => readFile(this.file(name), 'utf8');
    const ca = new X509Certificate(await text('ca.crt')).raw;
    await writeFile(this.file('script.json'), JSON.stringify({
      sites: this.sites, hello, noise, leaf: (await text('leaf.crt')) + (await text('ca.crt')),
      leaf_key: await text('leaf.key'),
      ca_sha256: createHash('sha256').update(ca).digest('hex') }));
    await writeFile(this.file('log'), '');
    const host = path.join(root, 'tests/e2e/browser/scripted-host.mjs');
    return this.writeProgram('host', `exec '${process.execPath}' '${host}' ` +
      `'${this.file('script.json')}' '${this.file('log')}'`);
  }

  /** A program for browsers to launch, which does what one line of shell says. */
  async writeProgram(name, line) {
    await writeFile(this.file(name), `#!/bin/sh\n${line}\n`);
    await chmod(this.file(name), 0o755);
    return this.file(name);
  }

  /** Makes a program fail at its next start; gives what it was. */
  async disable(program) {
    const text = await readFile(program, 'utf8');
    await writeFile(program, '#!/bin/sh\nexit 1\n');
    return text;
  }

  async log() {
    const lines = (await readFile(this.file('log'), 'utf8')).split('\n').filter((l) => l !== '');
    return lines.map((line) => JSON.parse(line));
  }
}
