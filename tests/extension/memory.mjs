// SPDX-License-Identifier: Apache-2.0
// Where a browser lets an extension keep things, in memory. Import it before what uses it.

class Area {
  #held = {};

  async get(names) {
    const wanted = [names].flat().filter((name) => Object.hasOwn(this.#held, name));
    return structuredClone(Object.fromEntries(wanted.map((name) => [name, this.#held[name]])));
  }

  async set(values) {
    // As a browser does: what is undefined is not kept.
    Object.assign(this.#held, JSON.parse(JSON.stringify(values)));
  }

  async remove(names) {
    for (const name of [names].flat()) delete this.#held[name];
  }

  async clear() {
    this.#held = {};
  }
}

export const storage = { local: new Area(), session: new Area() };
/** By name: what each was made with. */
export const alarms = new Map();

globalThis.chrome = {
  storage,
  alarms: {
    create: async (name, when) => { alarms.set(name, when); },
    clear: async (name) => alarms.delete(name),
  },
};
