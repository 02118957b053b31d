// SPDX-License-Identifier: Apache-2.0
// web-ext lint on what browsers load, warnings counted.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { stagedExtension } from './browsers.mjs';

const webExt = new URL('../node_modules/.bin/web-ext', import.meta.url).pathname;

function lint(folder) {
  const options = ['lint', '--source-dir', folder, '--output', 'json'];
  return new Promise((resolve) => {
    execFile(webExt, options, { maxBuffer: 1 << 24 }, (_, stdout) => {
      const { errors, warnings, notices } = JSON.parse(stdout);
      resolve([...errors, ...warnings, ...notices].map(({ code, file, message }) =>
        `${code} ${file ?? ''} ${message}`));
    });
  });
}

test('web-ext finds nothing in the extension for Firefox', async () => {
  assert.deepEqual(await lint(stagedExtension('firefox')), []);
});

// The linter is Firefox's and asks for two keys of its own, which Chrome would warn about. They are
// added to a copy, so that everything else is held to the same rules.
test('web-ext finds nothing in the extension for Chrome but the keys of Firefox', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dotkey-lint-'));
  try {
    await cp(stagedExtension('chrome'), folder, { recursive: true });
    const read = async (from) => JSON.parse(await readFile(path.join(from, 'manifest.json')));
    const manifest = await read(folder);
    const firefox = await read(stagedExtension('firefox'));
    manifest.browser_specific_settings = firefox.browser_specific_settings;
    manifest.background = firefox.background;
    await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    assert.deepEqual(await lint(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
