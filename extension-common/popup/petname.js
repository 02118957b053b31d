// SPDX-License-Identifier: Apache-2.0
// The person's own name for a key: seen in this browser alone.
import { webextension } from '../lib/webextension.js';

const storageKey = 'petnames';

async function petnames() {
  return (await webextension.storage.local.get(storageKey))[storageKey] ?? {};
}

async function keep(key, name) {
  const { [key]: _, ...others } = await petnames();
  await webextension.storage.local.set(
    { [storageKey]: name === '' ? others : { ...others, [key]: name } });
}

/** Shows the name in `field` and keeps what is typed there, which may be before it is shown. */
export async function startPetname(field, key) {
  let isTyped = false;
  let last = Promise.resolve();
  field.addEventListener('input', () => {
    isTyped = true;
    const name = field.value.trim();
    // In the order typed; what could not be kept does not keep the next from being tried.
    last = last.catch(() => {}).then(() => keep(key, name));
  });
  const { [key]: name = '' } = await petnames();
  if (!isTyped) field.value = name;
}
