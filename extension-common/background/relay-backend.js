// SPDX-License-Identifier: Apache-2.0
// What pages ask for, answered without the program, by way of HTTP relays.
import { parseBase64 } from '../lib/bytes.js';
import { webextension } from '../lib/webextension.js';
import { RelayNode } from '../core/relays.mjs';

const rowsKey = 'rows';
export const republishAlarm = 'republish';

export class RelayBackend {
  kind = 'relay';
  #loadCore;
  #settings;
  #starting = null;
  #last = Promise.resolve();

  /** settings(): a promise of the settings; onAdopted(found): another device published. */
  constructor({ loadCore, settings, onAdopted }) {
    this.#loadCore = loadCore;
    this.#settings = settings;
    this.onAdopted = onAdopted;
  }

  #inOrder(change) {
    this.#last = this.#last.then(change, change).catch(() => {});
    return this.#last;
  }

  #changeRows(change) {
    return this.#inOrder(async () => {
      const rows = (await webextension.storage.local.get(rowsKey))[rowsKey] ?? {};
      change(rows);
      await webextension.storage.local.set({ [rowsKey]: rows });
    });
  }

  async #start() {
    const node = new RelayNode(await this.#loadCore(), {
      saveRow: (key, row) => this.#changeRows((rows) => { rows[key] = row; }),
      dropRow: (key) => this.#changeRows((rows) => { delete rows[key]; }),
      adopted: (found) => this.onAdopted(found),
    });
    const { relays, republish } = await this.#settings();
    const failure = node.start(relays);
    if (failure.error !== undefined) throw new Error(failure.detail);
    if (republish) {
      const rows = (await webextension.storage.local.get(rowsKey))[rowsKey] ?? {};
      for (const row of Object.values(rows)) node.addRow(parseBase64(row));
    }
    return node;
  }

  #node() {
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  /** A question to the node. A module that trapped is not asked again. */
  async #ask(question) {
    const node = await this.#node();
    try {
      return await question(node);
    } catch (error) {
      node.stop();
      this.#starting = null;
      throw error;
    }
  }

  /** After the settings changed: what is under way is cancelled. */
  async restart() {
    const node = await this.#starting?.catch(() => null);
    node?.stop();
    this.#starting = null;
  }

  newest(key) {
    return this.#ask((node) => node.resolve(key, 'newest'));
  }

  endpoints(host, port, policy) {
    return this.#ask((node) => node.findEndpoints(host, port, policy));
  }

  async publish(canonical, casUs) {
    const outcome = await this.#ask((node) => node.publish(parseBase64(canonical), casUs));
    await this.planRepublication();
    return outcome;
  }

  /** Also where the program does the work now: the row would be taken up again after it. */
  async forget(key) {
    if (this.#starting !== null) await this.#ask((node) => node.forget(key));
    await this.#changeRows((rows) => { delete rows[key]; });
  }

  /** Republishes what is due, and says when the next turn is. */
  async planRepublication() {
    const { republish } = await this.#settings();
    const { kept_alive } = await this.#ask((node) => {
      node.wake();
      return node.status();
    });
    const next = Math.min(...kept_alive.map(({ due_ms }) => due_ms));
    if (!republish || !Number.isFinite(next)) await webextension.alarms.clear(republishAlarm);
    else await webextension.alarms.create(republishAlarm, { when: Math.max(next, Date.now()) });
  }

  /** As HostBackend's, without a DHT. */
  async overview() {
    const { relays, kept_alive } = await this.#ask((node) => node.status());
    return {
      kind: this.kind,
      relays: relays.map(({ url, error, latency_ms, successes, failures_in_a_row }) =>
        ({ url, error, latencyMs: latency_ms, answered: successes > 0,
          failing: failures_in_a_row > 0 })),
      kept: kept_alive.map(({ key, due_ms, stored_ms, failures }) =>
        ({ key, dueMs: due_ms, storedMs: stored_ms, failures })),
    };
  }
}
