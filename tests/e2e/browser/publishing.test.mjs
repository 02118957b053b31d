// SPDX-License-Identifier: Apache-2.0
// From a new key to its page in another browser, with the real program: what a person does in the
// extension's pages and nothing else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import {
  addRecord, answer, fill, makeKey, openEditor, openPage, passphrase, pinServer, pressOnKey,
  publish, settle, untilSays, untilTrue,
} from './person.mjs';
import { RelayGate } from './relay-gate.mjs';
import { startResolver } from './resolver.mjs';
import { untilOpen } from './tabs.mjs';
import { Site, World } from './world.mjs';

const world = new World();
const device = new World();  // another of the same person's
const browsers = {};
let resolver, relay;
let number = 0;

const publishedAddresses = async (key) =>
  (await world.run('resolve', key, '--policy', 'newest')).records.map(({ data }) => data).sort();

/** What the page says of the relay, once it says something. */
const wordOfRelay = (page) => untilTrue(page, `[...document.querySelectorAll('#relays li')]
  .find((entry) => entry.textContent.includes('${relay.url}'))
  ?.querySelector('.badge').textContent`);

/** A server of its own address, whose certificate is for the key. */
async function serve(name, key, certificate, title) {
  const site = new Site(world, title, `127.0.3.${++number}`);
  world.sites.push(site);
  site.key = key;
  await site.listen(certificate ?? await world.certificate(name, site.host));
  await world.run('allow-local', key);
  return site;
}

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  relay = await new RelayGate(world.ready.relay).start();
  world.ready.relay = relay.url;
  await world.configure();
  await world.install();
  await device.start({ ready: world.ready });
  for (const name of browserNames) browsers[name] = await startInstalledBrowser(name, world);
});
after(async () => {
  await Promise.allSettled(Object.values(browsers).map((browser) => browser.close()));
  await device.close();
  await world.close();
  relay?.close();
  resolver.close();
});

for (const name of browserNames) {
  describe(`in ${name}, with the program`, () => {
    const other = browserNames.find((one) => one !== name);
    const mine = () => browsers[name];

    test('a key is made, its server pinned, and its page opens in the other browser', async () => {
      const key = await makeKey(mine(), `${name}-home`);
      const certificate = await world.certificate(`${name}-home`, `${key}.key`);
      const first = await serve(name, key, certificate, `first of ${name}`);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'A', { address: first.address });
      assert.equal(await pinServer(editor, `${first.address}:443`), '');
      assert.equal(await publish(editor), 'Published');
      const tab = await browsers[other].open(first.url);
      await untilOpen(browsers[other], tab, first);

      const second = await serve(name, key, certificate, `second of ${name}`);
      await fill(editor, { '.row [data-field="address"]': second.address });
      assert.equal(await publish(editor), 'Published');
      first.close();
      await tab.close();
      const again = await browsers[other].open(second.url);
      await untilOpen(browsers[other], again, second);
    });

    test('what another device published meanwhile is a conflict that can be settled', async () => {
      const key = await makeKey(mine(), `${name}-twice`);
      const { seed } = await world.run('key', 'export', `${name}-twice`);
      await device.run('key', 'import', `${name}-twice`, '--seed-hex', seed);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.1' });
      assert.equal(await publish(editor), 'Published');
      await device.run('publish', `${name}-twice`, '--no-republish', '--record',
        '@ 300 A 192.0.2.1', '--record', 'theirs 300 A 192.0.2.2');
      await addRecord(editor, 'mine', 'A', { address: '192.0.2.3' });
      assert.equal(await publish(editor), 'conflict');
      await settle(editor, 'merge');
      assert.equal(await publish(editor), 'Published');
      assert.deepEqual(await publishedAddresses(key), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    });

    test('a locked key wants its passphrase, and a wrong one is said', async () => {
      const key = await makeKey(mine(), `${name}-locked`, passphrase);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'TXT', { text: 'locked' });
      assert.match(await publish(editor, 'wrong'), /Not published/);
      await untilSays(editor, 'passphrase is wrong');
      assert.equal(await publish(editor, passphrase), 'Published');
    });

    test('a key is renamed, and deleted only when its name is typed', async () => {
      await makeKey(mine(), `${name}-gone`);
      const page = await openPage(mine(), 'keys/keys.html');
      await pressOnKey(page, `${name}-gone`, 'rename');
      assert.equal(await answer(page, { name: `${name}-left` }), '');
      await pressOnKey(page, `${name}-left`, 'remove');
      assert.notEqual(await answer(page, { typed: `${name}-gone` }), '');
      assert.equal(await answer(page, { typed: `${name}-left` }), '');
      await untilTrue(page, `!document.body.innerText.includes('${name}-left')`);
      const { keys } = await world.run('key', 'list');
      assert.equal(keys.some((one) => one.name === `${name}-left`), false);
    });

    test('records that do not fit into a packet cannot be published', async () => {
      const editor = await openEditor(mine(), await makeKey(mine(), `${name}-large`));
      await addRecord(editor, '@', 'TXT', { text: 'x'.repeat(1100) });
      await untilSays(editor, 'too much to publish');
      assert.equal(await editor.evaluate('document.getElementById("publish").disabled'), true);
      await fill(editor, { '.row [data-field="text"]': 'short' });
      assert.equal(await publish(editor), 'Published');
    });

    test('with its relay down, the DHT stores the records and the page tells of both', async () => {
      const key = await makeKey(mine(), `${name}-halved`);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.8' });
      relay.takeDown();
      try {
        assert.equal(await publish(editor), 'Published');
        await untilSays(editor, 'nodes of the DHT');
        assert.equal(await wordOfRelay(editor), 'Failed');
      } finally {
        relay.bringUp();
      }
      assert.deepEqual(await publishedAddresses(key), ['192.0.2.8']);
    });

    test('with nobody to publish to, it says so and loses nothing', async () => {
      const key = await makeKey(mine(), `${name}-offline`);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.9' });
      relay.takeDown();
      world.testnet.kill('SIGSTOP');
      try {
        assert.equal(await publish(editor), 'Not published');
      } finally {
        world.testnet.kill('SIGCONT');
        relay.bringUp();
      }
      assert.equal(await editor.evaluate(
        'document.querySelector(".row [data-field=address]").value'), '192.0.2.9');
      await pollUntil('it is published', async () => await publish(editor) === 'Published');
      assert.deepEqual(await publishedAddresses(key), ['192.0.2.9']);
    });
  });
}
