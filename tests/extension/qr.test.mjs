// SPDX-License-Identifier: Apache-2.0
// QR codes, read back by another program.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { encodeQr } from '../../extension-common/lib/qr.js';

const readQr = createRequire(new URL('../e2e/', import.meta.url))('jsqr');

const quiet = 4;
const scale = 4;

function read(modules) {
  const size = (modules.length + 2 * quiet) * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  modules.forEach((row, y) => row.forEach((dark, x) => {
    if (!dark) return;
    for (let dy = 0; dy < scale; ++dy) {
      for (let dx = 0; dx < scale; ++dx) {
        const at = ((y + quiet) * scale + dy) * size + (x + quiet) * scale + dx;
        pixels.fill(0, at * 4, at * 4 + 3);
      }
    }
  }));
  return readQr(pixels, size, size)?.data ?? null;
}

test('the address of a key is read back, in a symbol of version 5', () => {
  const address = `https://${'ybndrfg8ejkmcpqxot1uwisza345h769'.repeat(2).slice(0, 52)}.key/`;
  const modules = encodeQr(address);
  assert.equal(modules.length, 37);
  assert.equal(read(modules), address);
});

test('text of every length that fits is read back', () => {
  for (let size = 1; size <= 213; size += 4) {
    const text = String.fromCharCode(...Array.from({ length: size }, (_, i) => 33 + i * 7 % 90));
    assert.equal(read(encodeQr(text)), text, `${size} bytes`);
  }
});

test('text that is too long is refused', () => {
  assert.equal(encodeQr('x'.repeat(213)).length, 57);
  assert.throws(() => encodeQr('x'.repeat(214)), RangeError);
});
