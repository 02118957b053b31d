// SPDX-License-Identifier: Apache-2.0
// The toolbar button of a tab: shape, badge and title each say the same, colour says it again.
import { webextension } from '../lib/webextension.js';

const badges = { verified: '✓', unverified: '?', plain: '!', blocked: '✕' };
const colours = { verified: '#1a7f4b', unverified: '#8a5a00', plain: '#8a5a00',
  blocked: '#b3261e' };
const icons = { plain: 'unverified' };

/**
 * state: 'verified', 'unverified', 'plain' for a page that is neither verified nor encrypted,
 * 'blocked', or 'idle' for a page that is no site of ours.
 */
export async function showState(tabId, state) {
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
