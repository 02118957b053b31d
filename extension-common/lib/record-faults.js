// SPDX-License-Identifier: Apache-2.0
// Which field of a row keeps it from being a record. The core reads whole lines; a field is found
// by reading it among others that are good.
import { fieldsOf, lineOf } from './record-fields.js';

const good = {
  address: { A: '192.0.2.1', AAAA: '2001:db8::1' },
  hash: 'ab'.repeat(32),
  params: '',
  text: 'x',
};

function goodValue(type, { name, example }) {
  const value = good[name] ?? example;
  return typeof value === 'object' ? value[type] : value;
}

const digitsOfMatching = { 1: 64, 2: 128 };

// What can be read and is of no use to a browser all the same (docs/protocol/pins.md).
function isUseless(type, name, values) {
  if (type !== 'TLSA') return false;
  const value = values[name]?.trim() ?? '';
  if (name === 'usage') return !['2', '3'].includes(value);
  if (name === 'selector') return !['0', '1'].includes(value);
  if (name === 'matching') return !['0', '1', '2'].includes(value);
  const digits = digitsOfMatching[values.matching?.trim()];
  return digits !== undefined && value.length !== digits;
}

/** → [{field, missing}]; `missing`: nothing was entered yet. [] for a row that is a record. */
export function faultsOf(core, key, row) {
  const fits = (changes) =>
    core.readRecord(key, lineOf({ ...row, ...changes })).error === undefined;
  const fields = fieldsOf(row.type);
  const valueOf = (name) => row.values[name] ?? '';
  const others = Object.fromEntries(
    fields.map((field) => [field.name, goodValue(row.type, field)]));
  const isMissing = ({ name, optional }) => !optional && valueOf(name).trim() === '';
  const isBad = ({ name }) => isUseless(row.type, name, row.values) ||
    !fits({ name: '@', ttl: '300', values: { ...others, [name]: valueOf(name) } });
  const faults = fields.filter((field) => isMissing(field) || isBad(field))
    .map((field) => ({ field: field.name, missing: isMissing(field) }));
  if (!fits({ ttl: '300', values: others })) faults.push({ field: 'name', missing: false });
  if (!fits({ name: '@', values: others })) {
    faults.push({ field: 'ttl', missing: String(row.ttl).trim() === '' });
  }
  // Each field is right and the line is not: the last one is where a person looks.
  if (faults.length === 0 && !fits({})) faults.push({ field: fields.at(-1).name, missing: false });
  return faults;
}
