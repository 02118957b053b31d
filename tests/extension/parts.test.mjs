// SPDX-License-Identifier: Apache-2.0
// Which requests Firefox has looked at one by one, and which are held back until their site was.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isPart, lookedAtOfNoTab, lookedAtTypes } from '../../extension-firefox/proxy/parts.js';

test('documents, WebSockets and what may stand by itself are looked at', () => {
  for (const type of ['main_frame', 'sub_frame', 'object', 'websocket', 'other']) {
    assert.ok(lookedAtTypes.includes(type), type);
    assert.equal(isPart({ type, tabId: 7 }), false, type);
  }
});

test('what is not looked at is a part, also of a type that is new to us', () => {
  for (const type of ['script', 'image', 'stylesheet', 'font', 'media', 'json', 'of tomorrow']) {
    assert.equal(isPart({ type, tabId: 7 }), true, type);
    assert.equal(isPart({ type, tabId: -1 }), true, type);
  }
});

test('a request that no tab made is looked at, as the one that finds out about a site', () => {
  assert.deepEqual(lookedAtOfNoTab, { tabId: -1, types: ['xmlhttprequest'] });
  assert.equal(isPart({ type: 'xmlhttprequest', tabId: -1 }), false);
  assert.equal(isPart({ type: 'xmlhttprequest', tabId: 7 }), true);
});
