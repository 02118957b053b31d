// SPDX-License-Identifier: Apache-2.0
// Whether the program does the work or, where none is installed, relays do. A program that has
// stopped is still the one to wait for: its sites must not open in another way meanwhile.

const settleTimeoutMs = 10_000;
const withoutProgram = ['host.missing', 'host.forbidden'];

export class Mode {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** 'host', 'relay', or 'unknown' before the browser has answered. */
  current() {
    const { state, slug } = this.#session;
    if (state === 'ready') return 'host';
    if (withoutProgram.includes(slug)) return 'relay';
    return state === 'connecting' ? 'unknown' : 'host';
  }

  async settled() {
    if (this.current() === 'unknown') await this.#session.settled(settleTimeoutMs);
    const mode = this.current();
    return mode === 'unknown' ? 'host' : mode;
  }
}
