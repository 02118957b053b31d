// SPDX-License-Identifier: Apache-2.0
// The keys of a browser without the program: each a sealed key file (docs/protocol/key-file.md) in
// the extension's storage. An unlocked seed lives in memory (`storage.session`) until its time is
// up, and in no page.
import { encodeHex, parseHex } from '../lib/bytes.js';
import { webextension } from '../lib/webextension.js';

const storageKey = 'keys';
const sessionKey = 'seeds';
const keysMax = 100;
const nameForm = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const passphraseSizeMax = 1024;
// What the program takes for new files (core/crypto/aead.h).
const cost = { passes: 3, memory_kib: 64 * 1024 };

export const lockAlarm = 'lock';

const fail = (error, detail = '') => ({ error, detail });

export class KeyRing {
  #loadCore;
  #nowMs;
  #lockAfterMs;
  #last = Promise.resolve();

  /** loadCore(): a new module each time; a seed's memory goes with it. lockAfterMs(): a promise. */
  constructor({ loadCore, lockAfterMs, nowMs = () => Date.now() }) {
    this.#loadCore = loadCore;
    this.#lockAfterMs = lockAfterMs;
    this.#nowMs = nowMs;
  }

  /** One change at a time: two pages may ask at once. */
  #inOrder(change) {
    const next = this.#last.then(change, change);
    this.#last = next.catch(() => {});
    return next;
  }

  async #load() {
    return (await webextension.storage.local.get(storageKey))[storageKey] ?? [];
  }

  #save(keys) {
    return webextension.storage.local.set({ [storageKey]: keys });
  }

  async #find(name) {
    return (await this.#load()).find((entry) => entry.name === name) ?? null;
  }

  async #seeds() {
    const seeds = (await webextension.storage.session.get(sessionKey))[sessionKey] ?? {};
    const now = this.#nowMs();
    return Object.fromEntries(Object.entries(seeds).filter(([, { untilMs }]) => untilMs > now));
  }

  async #saveSeeds(seeds) {
    await webextension.storage.session.set({ [sessionKey]: seeds });
    const times = Object.values(seeds).map(({ untilMs }) => untilMs);
    if (times.length === 0) await webextension.alarms.clear(lockAlarm);
    else await webextension.alarms.create(lockAlarm, { when: Math.min(...times) });
  }

  /** → [{name, key, locked, createdMs, savedMs}] by name; `savedMs` is null without a backup. */
  async list() {
    const [keys, seeds] = await Promise.all([this.#load(), this.#seeds()]);
    return keys.map(({ name, key, createdMs, savedMs }) =>
      ({ name, key, createdMs, savedMs, locked: !Object.hasOwn(seeds, key) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #refusalOf(keys, name, key) {
    if (!nameForm.test(name)) return fail('keystore.name_invalid', name);
    const other = keys.find((entry) => entry.name === name || entry.key === key);
    if (other !== undefined) return fail('keystore.exists', other.name);
    if (keys.length >= keysMax) return fail('keystore.full', String(keysMax));
    return null;
  }

  async #add(name, key, file) {
    const keys = await this.#load();
    const refusal = this.#refusalOf(keys, name, key);
    if (refusal !== null) return refusal;
    const entry = { name, key, file, createdMs: this.#nowMs(), savedMs: null };
    await this.#save([...keys, entry]);
    return { name, key };
  }

  async #addSeed(core, name, seed, passphrase) {
    if (passphrase === '' || passphrase.length > passphraseSizeMax) {
      return fail('keystore.passphrase_needed');
    }
    const { key } = core.publicKeyOf(seed);
    // Said before the work of sealing; #add looks again.
    const refusal = this.#refusalOf(await this.#load(), name, key);
    if (refusal !== null) return refusal;
    const entropy = crypto.getRandomValues(new Uint8Array(40));
    const sealed = core.sealKey(seed, passphrase, cost, entropy);
    if (sealed.error !== undefined) return sealed;
    const added = await this.#add(name, key, sealed.file);
    if (added.error === undefined) await this.#hold(key, seed);
    return added;
  }

  async #hold(key, seed) {
    const seeds = await this.#seeds();
    const untilMs = this.#nowMs() + await this.#lockAfterMs();
    await this.#saveSeeds({ ...seeds, [key]: { seed: encodeHex(seed), untilMs } });
  }

  make(name, passphrase) {
    return this.#inOrder(async () => {
      const seed = crypto.getRandomValues(new Uint8Array(32));
      try {
        return await this.#addSeed(await this.#loadCore(), name, seed, passphrase);
      } finally {
        seed.fill(0);
      }
    });
  }

  /**
   * `secret`: a key file of either form, or a recovery phrase. A sealed file keeps the passphrase
   * that it has, which must be given; anything else is sealed under `passphrase`.
   */
  import(name, secret, passphrase) {
    return this.#inOrder(async () => {
      const core = await this.#loadCore();
      const file = core.readKeyFile(secret);
      const opened = file.error === undefined ? core.openKeyFile(secret, passphrase)
        : core.parsePhrase(secret);
      if (opened.error !== undefined) {
        if (file.error === undefined) return opened;
        // What looks like no file was meant as words, if it has several.
        return /\s\S/.test(secret.trim()) && !secret.startsWith('dotkey-key') ? opened : file;
      }
      try {
        if (!file.locked) return await this.#addSeed(core, name, opened.seed, passphrase);
        const added = await this.#add(name, file.key, secret);
        if (added.error === undefined) await this.#hold(file.key, opened.seed);
        return added;
      } finally {
        opened.seed.fill(0);
      }
    });
  }

  /** form: 'file' (sealed, no passphrase needed), 'words' or 'hex'. → {text} */
  async export(name, form, passphrase) {
    const entry = await this.#find(name);
    if (entry === null) return fail('keystore.not_found', name);
    if (form === 'file') return { text: entry.file };
    const core = await this.#loadCore();
    const opened = core.openKeyFile(entry.file, passphrase);
    if (opened.error !== undefined) return opened;
    try {
      return { text: form === 'words' ? core.phraseOf(opened.seed).words : encodeHex(opened.seed) };
    } finally {
      opened.seed.fill(0);
    }
  }

  /** The person says that a backup is kept somewhere else. */
  noteSaved(name) {
    return this.#change(name, (entry) => ({ ...entry, savedMs: this.#nowMs() }));
  }

  rename(name, newName) {
    return this.#change(name, (entry, keys) => {
      if (!nameForm.test(newName)) return fail('keystore.name_invalid', newName);
      if (keys.some((other) => other.name === newName)) return fail('keystore.exists', newName);
      return { ...entry, name: newName };
    });
  }

  #change(name, change) {
    return this.#inOrder(async () => {
      const keys = await this.#load();
      const at = keys.findIndex((entry) => entry.name === name);
      if (at < 0) return fail('keystore.not_found', name);
      const changed = change(keys[at], keys);
      if (changed.error !== undefined) return changed;
      await this.#save(keys.with(at, changed));
      return { name: changed.name, key: changed.key };
    });
  }

  remove(name) {
    return this.#inOrder(async () => {
      const keys = await this.#load();
      const entry = keys.find((other) => other.name === name);
      if (entry === undefined) return fail('keystore.not_found', name);
      await this.#save(keys.filter((other) => other !== entry));
      const { [entry.key]: _, ...rest } = await this.#seeds();
      await this.#saveSeeds(rest);
      return { name, key: entry.key };
    });
  }

  unlock(name, passphrase) {
    return this.#inOrder(async () => {
      const entry = await this.#find(name);
      if (entry === null) return fail('keystore.not_found', name);
      const opened = (await this.#loadCore()).openKeyFile(entry.file, passphrase);
      if (opened.error !== undefined) return opened;
      await this.#hold(entry.key, opened.seed);
      opened.seed.fill(0);
      return { name, key: entry.key };
    });
  }

  /** Without a name: all of them. */
  lock(name) {
    return this.#inOrder(async () => {
      const entry = name === undefined ? null : await this.#find(name);
      const seeds = entry === null ? {} : await this.#seeds();
      if (entry !== null) delete seeds[entry.key];
      await this.#saveSeeds(seeds);
      return {};
    });
  }

  /** The time was set anew: what is unlocked stays so for no longer than that from now. */
  shorten() {
    return this.#inOrder(async () => {
      const lastMs = this.#nowMs() + await this.#lockAfterMs();
      const seeds = Object.entries(await this.#seeds()).map(([key, { seed, untilMs }]) =>
        [key, { seed, untilMs: Math.min(untilMs, lastMs) }]);
      await this.#saveSeeds(Object.fromEntries(seeds));
    });
  }

  /** The alarm: drops what has had its time. */
  lockExpired() {
    return this.#inOrder(async () => this.#saveSeeds(await this.#seeds()));
  }

  /** sign(core, seed) with the seed of an unlocked key; it is wiped afterwards. */
  async withSeed(key, sign) {
    const held = (await this.#seeds())[key];
    if (held === undefined) return fail('keystore.passphrase_needed');
    const seed = parseHex(held.seed);
    try {
      return await sign(await this.#loadCore(), seed);
    } finally {
      seed.fill(0);
    }
  }
}
