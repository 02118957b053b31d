// SPDX-License-Identifier: Apache-2.0
// dotkey doctor with running browsers: a page of the daemon's own goes the whole way through each.
// In sandbox.sh.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { openPage } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver;
const browsers = [];

before(async () => {
  resolver = await startResolver();
  await world.start();
  await world.install();
  for (const name of chosen) browsers.push(await startInstalledBrowser(name, world));
  await pollUntil('all browsers are connected', async () => {
    const status = await world.run('status').catch(() => null);
    return status?.pages.sessions.length === chosen.length;
  });
});
after(async () => {
  for (const browser of browsers) await browser.close();
  await world.close();
  resolver.close();
});

/** The report, whatever the exit code. */
async function examine() {
  const text = await world.run('doctor').then(JSON.stringify, ({ stdout }) => stdout);
  const { links } = JSON.parse(text);
  return { links, of: (name) => links.filter(({ link }) => link === name) };
}

const storeOf = { chromium: '.local/share/pki/nssdb', firefox: '.mozilla/firefox/test.default' };
const certutil = (name, ...options) =>
  execFileSync('certutil', [...options, '-d', `sql:${world.file(storeOf[name])}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('everything is in order, and each browser opened a page of the daemon', async () => {
  const { links, of } = await examine();
  assert.deepEqual(links.filter(({ state }) => state !== 'ok'), []);
  for (const name of ['extension', 'probe']) {
    assert.deepEqual(of(name).map(({ subject }) => subject).sort(), [...chosen].sort());
  }
  assert.deepEqual([...resolver.names].filter((host) => host.endsWith('.key')), []);
});

test("the extension's pages get the same report by way of the daemon", async () => {
  const tab = await openPage(browsers[0], 'options/options.html');
  const report = await tab.evaluate(
    "(globalThis.browser ?? chrome).runtime.sendMessage({ op: 'doctor' })");
  await tab.close();
  assert.equal(report.error, undefined, JSON.stringify(report));
  const { links } = await examine();
  assert.deepEqual(report.links.map(({ link }) => link), links.map(({ link }) => link));
});

for (const name of chosen) {
  test(`${name} that lost its trust in the CA is found out, and mended as it is told`, async () => {
    const [, nickname] = /^(dotkey local CA \w+)/m.exec(certutil(name, '-L'));
    certutil(name, '-D', '-n', nickname);
    const { of } = await examine();
    const [trust] = of('trust').filter(({ state }) => state === 'broken');
    assert.ok(trust.subject.endsWith(storeOf[name]));
    assert.match(trust.command, new RegExp(`dotkey install --browser ${name}$`));
    // A running Firefox goes on with the trust that it has read, until it reads it again.
    const probes = of('probe').filter(({ state }) => state === 'broken')
      .map(({ subject, command }) => [subject, command]);
    if (name === 'chromium' || probes.length > 0) assert.deepEqual(probes, [[name, trust.command]]);
    execFileSync('sh', ['-c', trust.command], { env: world.env, stdio: 'pipe' });
    await pollUntil('all is in order', async () =>
      (await examine()).links.every(({ state }) => state === 'ok'));
  });
}

test('a browser that was closed is not missed', async () => {
  await browsers.pop().close();
  await pollUntil('it is no longer connected', async () =>
    (await world.run('status')).pages.sessions.length === browsers.length);
  const { links, of } = await examine();
  assert.deepEqual(links.filter(({ state }) => state === 'broken'), []);
  assert.equal(of('probe').length, Math.max(1, browsers.length));
});
