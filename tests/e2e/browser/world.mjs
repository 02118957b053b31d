// SPDX-License-Identifier: Apache-2.0
// A network, keys and sites for tests with the real program: a DHT on loopback, a home directory in
// which `dotkey install` was run, HTTPS servers, packets published through the DHT.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { pollUntil, prepareProfiles, root } from './browsers.mjs';
import { addWitness, lastLinesOf } from './witness.mjs';

const run = promisify(execFile);
const dotkey = process.env.DOTKEY ?? path.join(root, 'build/release/dotkey');

const page = (title, body = '') => `<!doctype html><html lang="en"><meta charset="utf-8">
<title>${title}</title><link rel="icon" href="data:,"><h1>${title}</h1>${body}`;

/** A program that goes on running, and the line of JSON that it prints when it is ready. */
export async function startProgram(file, env, ...options) {
  const program = spawn(file, options, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve, reject) => {
    createInterface(program.stdout).once('line', resolve);
    program.once('error', reject);
    program.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  program.stop = () => new Promise((resolve) => {
    program.once('exit', resolve);
    program.kill('SIGTERM');
  });
  return { program, ready: JSON.parse(line) };
}

/** An HTTPS server that speaks HTTP/2 and HTTP/1.1. It counts what reached it. */
export class Site {
  requests = [];

  constructor(world, name, address) {
    this.world = world;
    this.name = name;
    this.address = address;
  }

  get host() { return `${this.key}.key`; }
  get url() { return `https://${this.host}/`; }

  /** `certificate`: {key, cert} in PEM; `answer(request, response)` may take a request over. */
  async listen(certificate, { answer = () => false, port = 443, title = this.name } = {}) {
    this.server = http2.createSecureServer({ ...certificate, allowHTTP1: true },
      (request, response) => {
        this.requests.push(`${request.method} ${request.url}`);
        if (answer(request, response, this)) return;
        response.setHeader('content-type', 'text/html');
        response.end(page(`Site ${title}`, '<script>fetch("/script-ran")</script>'));
      });
    this.sessions = new Set();
    this.server.on('session', (session) => {
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.server.on('tlsClientError', () => {});
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, this.address, resolve);
    });
    this.port = this.server.address().port;
  }

  useCertificate(certificate) {
    this.server.setSecureContext(certificate);
    for (const session of this.sessions) session.destroy();
    this.server.closeAllConnections?.();
  }

  async publish(...records) {
    const options = records.flatMap((record) => ['--record', record]);
    await this.world.run('publish', this.name, ...options);
  }

  close() {
    for (const session of this.sessions ?? []) session.destroy();
    this.server?.close();
    this.server?.closeAllConnections?.();
  }
}

export class World {
  sites = [];
  addresses = new Map();  // of the DNS; for startResolver()

  /** `ready`: that of a network that runs already, for another computer in it. */
  async start({ nodes = 6, ready } = {}) {
    this.home = await mkdtemp(path.join(tmpdir(), 'dotkey-world-'));
    this.env = { PATH: process.env.PATH, HOME: this.home, LANG: 'C.UTF-8',
      XDG_RUNTIME_DIR: path.join(this.home, 'run') };
    await mkdir(this.env.XDG_RUNTIME_DIR, { mode: 0o700 });
    this.ready = ready ?? await this.#startNetwork(nodes);
    await this.configure();
    this.dismiss = addWitness('the program', () => this.#describe());
    return this;
  }

  async #startNetwork(nodes) {
    const { program, ready } = await startProgram(dotkey, this.env, '--json', 'testnet',
      '--nodes', String(nodes));
    this.testnet = program;
    return ready;
  }

  async #describe() {
    const status = await this.run('status').catch(({ message }) => message);
    const log = await lastLinesOf(this.file('.local/state/dotkey/daemon.log'));
    const sites = this.sites.map(({ name, key, requests }) =>
      `  ${name} ${key} got ${requests.length}: ${requests.slice(-8).join(', ')}`);
    return [`  status ${JSON.stringify(status)}`, ...log.map((line) => `  ${line}`), ...sites];
  }

  async configure(lines = []) {
    const folder = path.join(this.home, '.config/dotkey');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'config.toml'), [
      `bootstrap = ["${this.ready.bootstrap}"]`, `relays = ["${this.ready.relay}"]`,
      'allow_local_network = true', ...lines, ''].join('\n'));
  }

  /** Browsers that have run before, and `dotkey install`. */
  async install() {
    await prepareProfiles(this.home);
    await this.run('install', '--browser', 'chromium');
    await this.run('install', '--browser', 'firefox');
  }

  async run(...options) {
    const { stdout } = await run(dotkey, ['--json', ...options], { env: this.env });
    return stdout === '' ? null : JSON.parse(stdout);
  }

  async daemonPid({ config } = {}) {
    try {
      return (await this.run('status', ...(config ? ['--config', config] : []))).pid;
    } catch {
      return null;
    }
  }

  file(name) {
    return path.join(this.home, name);
  }

  async openssl(...options) {
    await run('openssl', options, { cwd: this.home });
  }

  /** A self-signed certificate for `hosts`: {key, cert, pin}. */
  async certificate(name, ...hosts) {
    const names = hosts.map((host) => `DNS:${host}`).join(',');
    await this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
      'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`,
      '-days', '30', '-subj', '/CN=site', '-addext', `subjectAltName=${names}`);
    return this.readCertificate(name);
  }

  async readCertificate(name) {
    const { records } = await this.run('tlsa', '--cert', this.file(`${name}.crt`));
    return { key: await readFile(this.file(`${name}.key`)),
      cert: await readFile(this.file(`${name}.crt`)), pin: records[0].data };
  }

  /** A certificate issued by an authority of its own; `pin` names the authority. */
  async issuedCertificate(name, host) {
    const authority = await this.certificate(`${name}-ca`, host);
    await writeFile(this.file(`${name}.ext`),
      `subjectAltName=DNS:${host}\nextendedKeyUsage=serverAuth\n`);
    await this.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=leaf');
    await this.openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${name}-ca.crt`,
      '-CAkey', `${name}-ca.key`, '-CAcreateserial', '-days', '7', '-extfile', `${name}.ext`,
      '-out', `${name}.crt`);
    const leaf = await this.readCertificate(name);
    return { key: leaf.key, cert: Buffer.concat([leaf.cert, authority.cert]),
      pin: authority.pin.replace(/^3/, '2') };
  }

  /**
   * A certificate for a host of the DNS that both browsers trust, once they start again: {key,
   * cert, pin}, with the pin of the certificate itself.
   */
  async trustedCertificate(name, host) {
    const issued = await this.issuedCertificate(name, host);
    for (const folder of ['.local/share/pki/nssdb', '.mozilla/firefox/test.default']) {
      execFileSync('certutil', ['-A', '-d', `sql:${this.file(folder)}`, '-n', name, '-t', 'C,,',
        '-i', this.file(`${name}-ca.crt`)]);
    }
    return { ...issued, pin: (await this.readCertificate(name)).pin };
  }

  /** A self-signed certificate whose key is the site's own Ed25519 key. */
  async keyBoundCertificate(site) {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    const key = createPrivateKey({ key: Buffer.concat([prefix, site.seed]), format: 'der',
      type: 'pkcs8' });
    await writeFile(this.file(`${site.name}.key`), key.export({ format: 'pem', type: 'pkcs8' }));
    await this.openssl('req', '-x509', '-key', `${site.name}.key`, '-out', `${site.name}.crt`,
      '-days', '30', '-subj', '/CN=site');
    return this.readCertificate(site.name);
  }

  /** A server without a key. */
  siteAt(name, address) {
    const site = new Site(this, name, address);
    this.sites.push(site);
    return site;
  }

  /** A new key, allowed to reach this computer, with a site of its own address. */
  async addKey(name, { allowLocal = true, address } = {}) {
    const number = this.sites.length + 1;
    const site = this.siteAt(name, address ?? `127.0.1.${number}`);
    site.seed = Buffer.alloc(32, number);
    const imported = await this.run('key', 'import', name, '--seed-hex', site.seed.toString('hex'));
    site.key = imported.key;
    if (allowLocal) await this.run('allow-local', site.key);
    return site;
  }

  /** A key with a good site: `changes` alter the certificate shown and the records. */
  async addSite(name, { hosts, records, ...options } = {}) {
    const site = await this.addKey(name, options);
    site.certificate = await this.certificate(name, ...(hosts?.(site) ?? [site.host]));
    await site.listen(site.certificate, options);
    const good = [`@ 300 A ${site.address}`, `_443._tcp 300 TLSA ${site.certificate.pin}`];
    await site.publish(...(records?.(site) ?? good));
    return site;
  }

  /** Processes that browsers of this world started. */
  nativeHosts() {
    return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return line[0] === dotkey && /^chrome-extension:|\.json$/.test(line[1]) &&
          variables.includes(`HOME=${this.home}`);
      } catch {
        return false;
      }
    }).map(Number);
  }

  /** As if the packets that the daemon has on disk had been seen days ago. It must not run. */
  makePacketsOld() {
    execFileSync('python3', ['-c', `import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    db.execute("UPDATE packets SET last_seen_us = last_seen_us - 2 * 86400 * 1000000")
`, this.file('.local/state/dotkey/packets.sqlite')]);
  }

  async stopDaemon() {
    const pid = await this.daemonPid();
    if (pid === null) return;
    process.kill(pid, 'SIGTERM');
    await pollUntil('the daemon has ended', () => !existsSync(`/proc/${pid}`));
  }

  async close() {
    this.dismiss?.();
    for (const site of this.sites) site.close();
    await this.stopDaemon();
    await this.testnet?.stop();
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
