// SPDX-License-Identifier: Apache-2.0
// What a person typed, half-typed rows among it, on top of what another device published.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linkRows, mergeRows, recordsOf } from '../../extension-common/lib/merge.js';
import { faultsOf } from '../../extension-common/lib/record-faults.js';
import { lineOf, rowOf as rowOfRecord } from '../../extension-common/lib/record-fields.js';
import { load } from '../wasm/core.mjs';

const core = await load();
const { key } = core.publicKeyOf(new Uint8Array(32).fill(1));
const recordsIn = (...lines) => core.readZone(key, lines.join('\n')).records;
const rowOf = (record) => rowOfRecord(record, key);
const recordOf = (row) => (faultsOf(core, key, row).length > 0 ? null
  : core.readRecord(key, lineOf(row)).records[0]);

const www = 'www 300 A 192.0.2.1';
const mail = 'mail 300 A 192.0.2.2';
const api = 'api 300 A 192.0.2.3';

function rowsOf(base) {
  const rows = base.map(rowOf);
  linkRows(rows, base, recordOf);
  return rows;
}

const merge = (base, rows, theirs) => mergeRows({ base, rows, theirs, recordOf, rowOf });
const linesOf = (rows) => rows.map(lineOf);

test('half-typed rows outlive a merge, and remove nothing', () => {
  const base = recordsIn(www, mail);
  const rows = rowsOf(base);
  rows[0].values.address = '192.0.2.';
  rows.push({ name: 'new', ttl: '300', type: 'A', values: {} });
  const theirs = recordsIn(www, mail, api);
  const merged = merge(base, rows, theirs);
  assert.deepEqual(linesOf(merged), ['www 300 A 192.0.2.', mail, 'new 300 A ', api]);
  assert.deepEqual(recordsOf(merged, recordOf), theirs);
  // What it came from is still known, so the next merge removes nothing either.
  const next = merge(theirs, merged, recordsIn(www, mail, api, 'ftp 300 A 192.0.2.4'));
  assert.deepEqual(linesOf(next).slice(0, 3), linesOf(merged).slice(0, 3));
  next[0].values.address = '192.0.2.10';
  assert.deepEqual(recordsOf(next.slice(0, 1), recordOf), recordsIn('www 300 A 192.0.2.10'));
});

test('a half-typed row whose record was removed elsewhere stays, as a new one', () => {
  const base = recordsIn(www, mail);
  const rows = rowsOf(base);
  rows[0].values.address = '192.0.2.';
  const merged = merge(base, rows, recordsIn(mail));
  assert.deepEqual(linesOf(merged), ['www 300 A 192.0.2.', mail]);
  assert.deepEqual(recordsOf(merged, recordOf), recordsIn(mail));
});

test('changes of both sides are kept, and rows that stay are the same objects', () => {
  const base = recordsIn(www, mail, api);
  const rows = rowsOf(base);
  rows[1].values.address = '192.0.2.20';
  const typed = { name: 'typed', ttl: '300', type: 'A', values: { address: '192.0.2.5' } };
  rows.push(typed);
  const merged = merge(base, rows, recordsIn('www 60 A 192.0.2.1', mail, 'ftp 300 A 192.0.2.4'));
  assert.deepEqual(linesOf(merged), ['www 60 A 192.0.2.1', 'mail 300 A 192.0.2.20',
    'typed 300 A 192.0.2.5', 'ftp 300 A 192.0.2.4']);
  assert.equal(merged[1], rows[1]);
  assert.equal(merged[2], typed);
});

test('without changes there is what the other device published', () => {
  const base = recordsIn(www, mail);
  const theirs = recordsIn(mail, api);
  const merged = merge(base, rowsOf(base), theirs);
  assert.deepEqual(recordsOf(merged, recordOf), theirs);
});

test('what was typed before anything was known comes on top', () => {
  const typed = { name: 'typed', ttl: '300', type: 'A', values: {} };
  const merged = merge([], [typed], recordsIn(www));
  assert.deepEqual(linesOf(merged), ['typed 300 A ', www]);
  assert.equal(merged[0], typed);
});
