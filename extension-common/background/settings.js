// SPDX-License-Identifier: Apache-2.0
// What a person set in the options. What is stored is checked like anything else from outside.
import { webextension } from '../lib/webextension.js';

const storageKey = 'settings';

export const relaysMax = 16;
export const lockChoices = [5, 15, 60, 480];  // minutes

// Run by those who keep pkarr; anybody may use them.
export const standardRelays = ['https://pkarr.pubky.app', 'https://pkarr.pubky.org'];

const defaults = {
  relays: standardRelays,
  lockAfterMin: 15,
  republish: true,
};

const isRelay = (url) => typeof url === 'string' && url.length <= 512 && /^https?:\/\//.test(url);

const checks = {
  relays: (value) =>
    Array.isArray(value) && value.length <= relaysMax && value.every(isRelay),
  lockAfterMin: (value) => lockChoices.includes(value),
  republish: (value) => typeof value === 'boolean',
};

export async function loadSettings() {
  const stored = (await webextension.storage.local.get(storageKey))[storageKey] ?? {};
  const settings = { ...defaults };
  for (const name of Object.keys(defaults)) {
    if (Object.hasOwn(stored, name) && checks[name](stored[name])) settings[name] = stored[name];
  }
  return settings;
}

/** Throws for a value that does not fit. */
export async function saveSettings(changes) {
  const settings = await loadSettings();
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(checks, name) || !checks[name](value)) throw new RangeError(name);
    settings[name] = value;
  }
  await webextension.storage.local.set({ [storageKey]: settings });
  return settings;
}
