// SPDX-License-Identifier: Apache-2.0
// What a reviewer would check by hand: words, permissions, and that both browsers get the same.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';

import { load, readText } from '../wasm/core.mjs';

const root = new URL('../../', import.meta.url);
const list = async (folder) =>
  (await readdir(new URL(folder, root), { recursive: true })).map((name) => `${folder}/${name}`);
const readAll = async (folders, form) => {
  const names = (await Promise.all(folders.map(list))).flat().filter((name) => form.test(name));
  return (await Promise.all(names.map(readText))).join('\n');
};

const folders = ['extension-common', 'extension-chrome', 'extension-firefox'];
const messages = JSON.parse(await readText('extension-common/_locales/en/messages.json'));
const manifests = {
  chrome: JSON.parse(await readText('extension-chrome/manifest.json')),
  firefox: JSON.parse(await readText('extension-firefox/manifest.json')),
};

test('messages hold words, not markup, and say what they are for', () => {
  for (const [name, { message, description }] of Object.entries(messages)) {
    assert.doesNotMatch(message, /[<>]/, name);
    assert.ok(description.length > 3, name);
  }
});

test('a cause has its fix, and is one that the core or the extension knows', async () => {
  const core = await load();
  const source = await readAll(folders, /\.js$/);
  const slugs = Object.keys(messages).filter((name) => name.startsWith('cause_'))
    .map((name) => name.slice('cause_'.length));
  for (const name of slugs) {
    assert.ok(`fix_${name}` in messages, name);
    const slug = name.replace('_', '.');
    const known = core.adviceFor(slug) !== '' || source.includes(`'${slug}'`);
    assert.ok(known || name === 'unknown', slug);
  }
});

// What a script of ours says by itself comes without the core's advice.
test('each failure of the extension itself, and each usual one, has words of its own', async () => {
  const source = `${await readAll(folders, /\.js$/)}\n${await readText('wasm/relays.mjs')}`;
  const said = /(?:error: |[Ff]ail(?:ed)?\(|Error\()'([a-z_]+\.[a-z_]+|cancelled)'/g;
  const own = [...source.matchAll(said)].map(([, slug]) => slug);
  assert.ok(own.includes('host.lost') && own.includes('cancelled') && own.includes('publish.busy'));
  const usual = ['publish.conflict', 'publish.failed', 'publish.too_few_nodes', 'resolve.busy',
    'resolve.invalid_packet', 'resolve.network_failed', 'resolve.not_found', 'resolve.timeout'];
  for (const slug of [...own, ...usual]) {
    assert.ok(`cause_${slug.replace('.', '_')}` in messages, slug);
  }
});

test('every failure of the core that has no words in the messages has its advice', async () => {
  const core = await load();
  const documented = [...(await readText('docs/protocol/errors.md')).matchAll(/^\| `(\S+)` \|/gm)];
  assert.ok(documented.length > 100);
  for (const [, slug] of documented) assert.match(core.adviceFor(slug), /\S\.$/, slug);
});

test('each permission has its paragraph, and each paragraph its permission', async () => {
  const documented = [...(await readText('docs/PERMISSIONS.md')).matchAll(/^### `(.+)`/gm)]
    .map(([, name]) => name);
  const asked = Object.values(manifests)
    .flatMap(({ permissions, host_permissions, optional_host_permissions }) =>
      [...permissions, ...host_permissions, ...optional_host_permissions]);
  assert.deepEqual([...new Set(documented)].sort(), [...new Set(asked)].sort());
});

test('both manifests agree where they can', () => {
  const { chrome, firefox } = manifests;
  for (const name of ['name', 'description', 'version', 'icons', 'omnibox', 'action',
    'content_security_policy', 'default_locale']) {
    assert.deepEqual(chrome[name], firefox[name], name);
  }
});

test('both platform folders export the same', async () => {
  const exportsOf = async (path) =>
    [...(await readText(path)).matchAll(/^export (?:async )?(?:function|const) (\w+)/gm)]
      .map(([, name]) => name).sort();
  const names = await readdir(new URL('extension-chrome/platform', root));
  assert.deepEqual(names, await readdir(new URL('extension-firefox/platform', root)));
  for (const name of names) {
    const [chrome, firefox] = await Promise.all(
      ['chrome', 'firefox'].map((b) => exportsOf(`extension-${b}/platform/${name}`)));
    assert.deepEqual(chrome, firefox, name);
  }
});

test('no page takes markup from anywhere, and common code names no browser', async () => {
  const source = await readAll(folders, /\.(js|html)$/);
  assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
  const common = await readAll(['extension-common'], /\.js$/);
  assert.doesNotMatch(common.replace('globalThis.browser ?? globalThis.chrome', ''),
    /\b(chrome|browser)\.\w+\(/);
});
