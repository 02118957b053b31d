// SPDX-License-Identifier: Apache-2.0
// What changes between two lists of records, for a person to read before publishing.

export const identityOf = ({ name, type, data }) => JSON.stringify([name, type, data]);
export const exactOf = (record) => `${identityOf(record)} ${record.ttl}`;
const placeOf = ({ name, type }) => JSON.stringify([name, type]);

/** Takes the record out of the list by this identity; null: none. */
export function takeMatch(list, record, identity) {
  const at = list.findIndex((other) => identity(other) === identity(record));
  return at < 0 ? null : list.splice(at, 1)[0];
}

/**
 * → {kept, changed, added, removed}. `changed` pairs {before, after}: another TTL, or other data
 * where one record of a name and type took the place of one.
 */
export function differenceOf(before, after) {
  const [gone, come] = [[...before], []];
  const [kept, changed] = [[], []];
  for (const record of after) {
    const same = takeMatch(gone, record, exactOf);
    if (same === null) come.push(record);
    else kept.push(record);
  }
  const added = [];
  for (const record of come) {
    const other = takeMatch(gone, record, identityOf);
    if (other === null) added.push(record);
    else changed.push({ before: other, after: record });
  }
  const countAt = (list, record) => list.filter((r) => placeOf(r) === placeOf(record)).length;
  for (const record of [...added]) {
    if (countAt(added, record) !== 1 || countAt(gone, record) !== 1) continue;
    changed.push({ before: takeMatch(gone, record, placeOf), after: record });
    added.splice(added.indexOf(record), 1);
  }
  return { kept, changed, added, removed: gone };
}

export function isSame({ changed, added, removed }) {
  return changed.length + added.length + removed.length === 0;
}

/** Somebody's changes from `base` to `mine`, put on top of `theirs`. */
export function mergeOf(base, mine, theirs) {
  const { added, changed, removed } = differenceOf(base, mine);
  const gone = [...removed, ...changed.map(({ before }) => before)];
  const come = [...added, ...changed.map(({ after }) => after)];
  const kept = theirs.filter((record) =>
    ![...gone, ...come].some((other) => identityOf(other) === identityOf(record)));
  return [...kept, ...come];
}
