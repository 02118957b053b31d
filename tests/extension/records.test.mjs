// SPDX-License-Identifier: Apache-2.0
// Records as a person edits them, against the core's own reading.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { differenceOf, isSame } from '../../extension-common/lib/difference.js';
import { joinData, lineOf, rowOf, splitData } from '../../extension-common/lib/record-fields.js';
import { load, vectors } from '../wasm/core.mjs';

const core = await load();
const { key } = core.publicKeyOf(new Uint8Array(32).fill(1));
const record = (name, type, data, ttl = 300) => ({ name, ttl, type, data });

test('every record of the vectors survives the way through the fields', async () => {
  for (const item of await vectors('signed_packets.json')) {
    const { records } = core.readZone(item.key, item.records.join('\n'));
    const lines = records.map((r) => lineOf(rowOf(r, item.key)));
    assert.deepEqual(core.readZone(item.key, lines.join('\n')).records, records, item.name);
  }
});

test('text with anything in it survives, and reads as it was typed', () => {
  const texts = ['', 'plain', 'say "hi"', 'a\\b', 'C:\\dir\\', 'grün ☃', '"quoted', 'x'.repeat(600),
    '<script>alert(1)</script>', ';comment', '(paren', ' spaces  '];
  for (const text of texts) {
    const data = joinData('TXT', { text });
    const { records } = core.readRecord(key, `@ 300 TXT ${data}`);
    assert.equal(splitData('TXT', records[0].data).text, text, text);
  }
});

test('text that turns the reading order or is no text is shown in its escapes', () => {
  for (const text of ['\u202egnp.exe', 'a\u200bb', 'line\nbreak', '\u0007']) {
    const data = joinData('TXT', { text });
    const shown = splitData('TXT', core.readRecord(key, `@ 300 TXT ${data}`).records[0].data).text;
    assert.match(shown, /^"[\x20-\x7e]*"$/, text);
    assert.equal(joinData('TXT', { text: shown }), data);
  }
  assert.equal(splitData('TXT', '"\\255"').text, '"\\255"');
  assert.equal(splitData('TXT', '"a" "b"').text, '"a" "b"');
});

test('a field cannot smuggle a second record into its line', () => {
  for (const address of ['192.0.2.1\nevil 300 A 192.0.2.2', '192.0.2.1 )', '(192.0.2.1\n)']) {
    const line = lineOf({ name: '@', ttl: '300', type: 'A', values: { address } });
    const { records, error } = core.readRecord(key, line);
    assert.ok(error !== undefined || records.length === 1);
    if (error === undefined) assert.equal(records[0].data, '192.0.2.1');
  }
});

test('a difference tells apart what was kept, changed, added and removed', () => {
  const before = [record('a', 'A', '192.0.2.1'), record('a', 'TXT', '"x"'),
    record('b', 'A', '192.0.2.2'), record('c', 'A', '192.0.2.3')];
  const after = [record('a', 'A', '192.0.2.9'), record('a', 'TXT', '"x"', 60),
    record('b', 'A', '192.0.2.2'), record('d', 'A', '192.0.2.4')];
  const difference = differenceOf(before, after);
  assert.deepEqual(difference.kept, [before[2]]);
  assert.deepEqual(difference.changed, [{ before: before[1], after: after[1] },
    { before: before[0], after: after[0] }]);
  assert.deepEqual(difference.added, [after[3]]);
  assert.deepEqual(difference.removed, [before[3]]);
  assert.equal(isSame(difference), false);
});

test('a difference counts equal records, and order is none', () => {
  const [a, b] = [record('a', 'A', '192.0.2.1'), record('b', 'A', '192.0.2.1')];
  assert.equal(isSame(differenceOf([a, b, b], [b, a, b])), true);
  assert.deepEqual(differenceOf([a, a], [a]).removed, [a]);
  assert.deepEqual(differenceOf([], [a]).added, [a]);
});

test('of several records of one name and type none is called changed', () => {
  const [a, b, c] = ['1', '2', '3'].map((n) => record('a', 'A', `192.0.2.${n}`));
  const { changed, added, removed } = differenceOf([a, b], [c]);
  assert.deepEqual([changed, added, removed], [[], [c], [a, b]]);
});
