// SPDX-License-Identifier: Apache-2.0
// What a person typed, put on top of what another device published. A row that nobody can read yet
// stays as it is; each row remembers the published record that it came from as its `origin`.
import { exactOf, identityOf, mergeOf, takeMatch } from './difference.js';

/** Takes the record out of the list, with another TTL if there is no better one; null: none. */
const take = (list, record) => (record === undefined ? null
  : takeMatch(list, record, exactOf) ?? takeMatch(list, record, identityOf));

/** recordOf(row): its record, null where it cannot be read. */
export function linkRows(rows, records, recordOf) {
  const isAmong = (record) =>
    records.some((other) => identityOf(other) === identityOf(record));
  for (const row of rows) {
    const record = recordOf(row);
    if (record !== null && isAmong(record)) row.origin = record;
    else if (row.origin !== undefined && !isAmong(row.origin)) delete row.origin;
  }
}

/** The records of the rows. In the place of a row that cannot be read stands what it came from. */
export function recordsOf(rows, recordOf) {
  return rows.map((row) => recordOf(row) ?? row.origin).filter((record) => record !== undefined);
}

/**
 * → rows for `theirs`, with the person's changes since `base`. Rows that stay are the same objects
 * in the same order; rowOf(record) makes the new ones.
 */
export function mergeRows({ base, rows, theirs, recordOf, rowOf }) {
  const left = mergeOf(base, recordsOf(rows, recordOf), theirs);
  const stay = rows.flatMap((row) => {
    const record = recordOf(row);
    const match = take(left, record ?? row.origin);
    if (record === null || match?.ttl === record.ttl) return [row];
    return match === null ? [] : [rowOf(match)];
  });
  const merged = [...stay, ...left.map(rowOf)];
  linkRows(merged, theirs, recordOf);
  return merged;
}
