// SPDX-License-Identifier: Apache-2.0
// Whose hands a key is in: the program's, which gives out no secret, or those of this extension
// where there was no program. A key is named by {custody: 'host' | 'browser', name}.
import { webextension } from '../lib/webextension.js';

const savedKey = 'saved';

const fail = (error, detail = '') => ({ error, detail });

export class Custody {
  #keyRing;
  #host;
  #mode;

  constructor({ keyRing, host, mode }) {
    this.#keyRing = keyRing;
    this.#host = host;
    this.#mode = mode;
  }

  async #saved() {
    return (await webextension.storage.local.get(savedKey))[savedKey] ?? {};
  }

  /**
   * Those of the program first: → [{custody, name, key, locked, savedMs}], {custody, name, error}
   * for a damaged file; a Failure when the program does not say.
   */
  async list() {
    const mode = await this.#mode.settled();
    const saved = await this.#saved();
    const [ofHost, ofBrowser] = await Promise.all([
      mode === 'host' ? this.#host.keys() : { keys: [], damaged: [] }, this.#keyRing.list()]);
    if (ofHost.error !== undefined) return ofHost;
    return [
      ...ofHost.keys.map(({ name, key, locked }) =>
        ({ custody: 'host', name, key, locked, savedMs: saved[key] ?? null })),
      ...ofHost.damaged.map(({ name, error }) => ({ custody: 'host', name, error })),
      ...ofBrowser.map((key) => ({ custody: 'browser', ...key }))];
  }

  /** New keys go to the program where there is one. */
  async #place() {
    return (await this.#mode.settled()) === 'host' ? this.#host : this.#keyRing;
  }

  async make(name, passphrase) {
    return (await this.#place()).make(name, passphrase);
  }

  async import(name, secret, passphrase) {
    return (await this.#place()).import(name, secret, passphrase);
  }

  export({ custody, name, form, passphrase }) {
    if (custody === 'browser') return this.#keyRing.export(name, form, passphrase);
    // The program gives nothing that is not locked.
    return form === 'file' ? this.#host.export(name, passphrase) : fail('keystore.not_found', name);
  }

  async noteSaved({ custody, name, key }, nowMs = Date.now()) {
    if (custody === 'browser') return this.#keyRing.noteSaved(name);
    const saved = await this.#saved();
    await webextension.storage.local.set({ [savedKey]: { ...saved, [key]: nowMs } });
    return {};
  }

  rename({ custody, name, newName }) {
    return custody === 'browser' ? this.#keyRing.rename(name, newName)
      : this.#host.rename(name, newName);
  }

  async remove({ custody, name, key }) {
    const removed = custody === 'browser' ? await this.#keyRing.remove(name)
      : await this.#host.remove(name);
    if (removed.error === undefined) {
      const { [key]: _, ...rest } = await this.#saved();
      await webextension.storage.local.set({ [savedKey]: rest });
    }
    return removed;
  }

  unlock({ name, passphrase }) {
    return this.#keyRing.unlock(name, passphrase);
  }

  lock(body) {
    return this.#keyRing.lock(body?.name);
  }

  /** → {packet}, canonical in base64, or a Failure */
  sign({ custody, name, key }, timestampUs, zone, passphrase) {
    if (custody === 'host') return this.#host.sign(name, timestampUs, zone, passphrase);
    return this.#keyRing.withSeed(key, (core, seed) => core.buildPacket(seed, timestampUs, zone));
  }
}
