// SPDX-License-Identifier: Apache-2.0
// The toolbar button of a tab: shape, badge and title each say the same, colour says it again.
import { webextension } from '../lib/webextension.js';

const badges = { verified: '✓', unverified: '?', plain: '!', blocked: '✕' };
const colours = { verified: '#1a7f4b', unverified: '#8a5a00', plain: '#8a5a00',
  blocked: '#b3261e' };
const icons = { plain: 'unverified' };

// A browser draws its toolbar with what it has the page load with, so the page goes first.
const delayMs = 100;
const tabsMax = 200;

async function draw(tabId, state) {
  const { action, i18n } = webextension;
  const icon = icons[state] ?? state;
  const path = { 16: `/icons/${icon}-16.png`, 32: `/icons/${icon}-32.png` };
  try {
    await Promise.all([
      action.setIcon({ tabId, path }),
      action.setTitle({ tabId, title: i18n.getMessage(`toolbar_${state}_title`) }),
      action.setBadgeText({ tabId, text: badges[state] ?? '' }),
      state in colours && action.setBadgeBackgroundColor({ tabId, color: colours[state] }),
    ]);
  } catch {
    // The tab is gone.
  }
}

export class Indicator {
  #drawn = new Set();
  #timers = new Map();

  /**
   * state: 'verified', 'unverified', 'plain' for a page that is neither verified nor encrypted,
   * 'blocked', or 'idle' for a page that is no site of ours. The last one shown for a tab stands.
   */
  show(tabId, state) {
    clearTimeout(this.#timers.get(tabId));
    this.#timers.delete(tabId);
    if (state === 'idle') this.#clear(tabId);
    else this.#timers.set(tabId, setTimeout(() => this.#draw(tabId, state), delayMs));
  }

  // Browsers take a tab's own button away when the tab shows another page. What was on its way to
  // the button then is what has to be taken back, and no other page of the web costs anything.
  #clear(tabId) {
    if (this.#drawn.delete(tabId)) draw(tabId, 'idle');
  }

  #draw(tabId, state) {
    this.#timers.delete(tabId);
    this.#drawn.delete(tabId);
    this.#drawn.add(tabId);
    if (this.#drawn.size > tabsMax) this.#drawn.delete(this.#drawn.values().next().value);
    draw(tabId, state);
  }
}
