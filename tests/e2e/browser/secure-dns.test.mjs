// SPDX-License-Identifier: Apache-2.0
// The browsers' own secure-DNS setting, without any extension: a key's name opens through
// `dotkey dns --listen-https`. In sandbox.sh, where the test is the only other resolver.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { browserNames, prepareProfiles } from './browsers.mjs';
import { startResolver } from './resolver.mjs';

const dotkey = process.env.DOTKEY ?? 'build/release/dotkey';
const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const programs = [];
let home;
let env;
let key;
let server;
let template;
let resolver;

/** `dotkey` until the test ends; gives its first line. */
async function start(...command) {
  const program = spawn(dotkey, ['--json', ...command],
    { env, stdio: ['ignore', 'pipe', 'inherit'] });
  programs.push(program);
  const [line] = await once(createInterface(program.stdout), 'line');
  return JSON.parse(line);
}

const run = (...command) =>
  JSON.parse(execFileSync(dotkey, ['--json', ...command], { env, encoding: 'utf8' }));

before(async () => {
  resolver = await startResolver();
  home = await mkdtemp(path.join(tmpdir(), 'dotkey-secure-dns-'));
  env = { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, '.local/share') };
  await prepareProfiles(home);
  const certificate = path.join(home, 'cert.pem');
  const authority = path.join(home, 'ca.pem');
  const authorityKey = path.join(home, 'ca-key.pem');
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-days', '2'];
  execFileSync('openssl', [...request, '-subj', '/CN=test authority', '-keyout', authorityKey,
    '-out', authority], { stdio: 'ignore' });
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-CA', authority, '-CAkey',
    authorityKey, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext',
    'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth',
    '-keyout', path.join(home, 'key.pem'), '-out', certificate], { stdio: 'ignore' });
  for (const folder of ['.local/share/pki/nssdb', '.mozilla/firefox/test.default']) {
    execFileSync('certutil', ['-A', '-d', `sql:${path.join(home, folder)}`, '-n', 'test', '-t',
      'C,,', '-i', authority]);
  }
  const net = await start('testnet', '--nodes', '8');
  key = run('key', 'new', 'site').key;
  run('publish', 'site', '--bootstrap', net.bootstrap, '--no-republish', '--record',
    'www 300 A 127.0.0.1');
  const bridge = await start('dns', '--listen', '127.0.0.1:0', '--listen-https', '127.0.0.1:0',
    '--cert', certificate, '--key', path.join(home, 'key.pem'), '--allow-local-network',
    '--bootstrap', net.bootstrap);
  template = `https://${bridge.https[0]}/dns-query`;
  server = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>by ${request.headers.host.split(':')[0]}</title>`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  for (const program of programs.reverse()) {
    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    await ended;
  }
  server?.close();
  resolver?.close();
  if (home) await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const launch = {
  async chromium() {
    const profile = path.join(home, '.config/chromium');
    await mkdir(profile, { recursive: true });
    await writeFile(path.join(profile, 'Local State'),
      JSON.stringify({ dns_over_https: { mode: 'secure', templates: template } }));
    return puppeteer.launch({
      executablePath: '/usr/bin/chromium', headless: true, pipe: true, userDataDir: profile, env,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--test-type',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
  },
  firefox() {
    return puppeteer.launch({
      browser: 'firefox', executablePath: '/usr/bin/firefox-esr', headless: true, env,
      userDataDir: path.join(home, '.mozilla/firefox/test.default'),
      extraPrefsFirefox: {
        'network.trr.mode': 3, 'network.trr.uri': template, 'network.trr.custom_uri': template,
        'network.trr.allow-rfc1918': true, 'network.trr.wait-for-portal': false,
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false, 'app.update.enabled': false,
        'browser.safebrowsing.malware.enabled': false,
        'services.settings.server': 'http://127.0.0.1:9/',
        'dom.security.https_first': false, 'dom.security.https_first_schemeless': false,
      },
    });
  },
};

for (const name of chosen) {
  test(`${name} opens a key's name with its secure DNS set to the bridge`, async () => {
    const browser = await launch[name]();
    try {
      const tab = await browser.newPage();
      const host = `www.${key}.key`;
      await tab.goto(`http://${host}:${server.address().port}/`);
      assert.equal(await tab.title(), `by ${host}`);
    } finally {
      await browser.close();
    }
    assert.deepEqual([...resolver.names].filter((host) => host.endsWith('.key')), []);
  });
}
