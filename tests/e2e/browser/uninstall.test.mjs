// SPDX-License-Identifier: Apache-2.0
// `dotkey install`, pages opened in both browsers, `dotkey uninstall`: what people and programs had
// put into the home directory before is there as before, and nothing else. What browsers write for
// themselves (their profiles' other files, their caches) is theirs. In sandbox.sh.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { browserNames, pollUntil, prepareProfiles, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const world = new World();
let resolver;
const firefox = '.mozilla/firefox/test.default';
const databases = ['.local/share/pki/nssdb', firefox];
const others = ['.config/chromium/NativeMessagingHosts/org.example.other.json',
  '.mozilla/native-messaging-hosts/org.example.other.json'];
const userJs = '// mine\nuser_pref("network.trr.excluded-domains", "corp.example");';

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await prepareProfiles(world.home);
  for (const name of others) {
    await mkdir(path.dirname(world.file(name)), { recursive: true });
    await writeFile(world.file(name), '{"name": "org.example.other"}');
  }
  await writeFile(world.file(`${firefox}/user.js`), userJs);
  await chmod(world.file(`${firefox}/user.js`), 0o640);
  await world.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-keyout', 'own.key', '-out', 'own.crt', '-days', '9', '-subj', '/CN=my own');
  for (const folder of databases) {
    execFileSync('certutil', ['-A', '-d', `sql:${world.file(folder)}`, '-n', 'my own', '-t',
      'CT,C,c', '-i', world.file('own.crt')]);
  }
  // Browsers that have run before: both have made whatever they make.
  for (const name of browserNames) {
    const browser = await startInstalledBrowser(name, world, { extension: [] });
    await browser.close();
  }
});
after(async () => {
  await world.close();
  resolver.close();
});

// The browsers' own, but for what people and programs put there. Keys, what is published with them,
// and the configuration are their user's, and stay.
const theirs = [/^\.cache(\/|$)/, /^\.mozilla\/firefox\/(?!test\.default\/user\.js$)/,
  /^\.config\/chromium\/(?!NativeMessagingHosts)/, /^\.local\/share\/pki\/nssdb\//,
  /^\.local\/share\/dotkey(\/|$)/, /^\.local\/state(\/dotkey(\/published-[^/]*)?)?$/,
  /^\.config\/(?!chromium|dotkey)/, /^\.pki/, /^(run|site)/];

/** name → mode and content of everything that is nobody's own; databases as what is in them. */
async function snapshot() {
  const found = {};
  for (const name of (await readdir(world.home, { recursive: true })).sort()) {
    if (theirs.some((form) => form.test(name))) continue;
    const facts = await lstat(world.file(name));
    const content = facts.isFile()
      ? createHash('sha256').update(readFileSync(world.file(name))).digest('hex') : '';
    found[name] = `${facts.mode.toString(8)} ${content}`;
  }
  for (const folder of databases) {
    const list = (...options) =>
      execFileSync('certutil', [...options, '-d', `sql:${world.file(folder)}`]).toString();
    found[`certificates in ${folder}`] = list('-L') + list('-L', '-n', 'my own');
  }
  const prefs = await readFile(world.file(`${firefox}/prefs.js`), 'utf8').catch(() => '');
  found['preferences about names'] =
    prefs.split('\n').filter((line) => /trr|https_query/.test(line));
  return found;
}

/** Names of files, anywhere, that are ours. */
async function named(form) {
  return (await readdir(world.home, { recursive: true })).filter((name) => form.test(name) &&
    !/^\.local\/share\/dotkey|^\.config\/dotkey/.test(name));
}

test('uninstalling after use leaves everything as it was', async () => {
  const earlier = await snapshot();
  for (const name of browserNames) await world.run('install', '--browser', name);
  assert.notDeepEqual(await snapshot(), earlier);
  const site = await world.addSite('site');
  for (const name of browserNames) {
    const browser = await startInstalledBrowser(name, world);
    await untilOpen(browser, await browser.open(site.url), site);
    await browser.close();
  }
  await pollUntil('no browser is left', async () => world.nativeHosts().length === 0);
  await world.run('uninstall');
  assert.deepEqual(await snapshot(), earlier);
  assert.deepEqual(await named(/org\.dotkey|\bca\.pem|daemon\./), []);
  assert.equal(await world.daemonPid(), null);
});
