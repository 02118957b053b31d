// SPDX-License-Identifier: Apache-2.0
import { translatePage, translate } from '../ui/text.js';
import { webextension } from '../lib/webextension.js';
import { render } from './view.js';

const copiedMs = 1500;

// The address of the page below: given by a test or a detached window, else the tab's own. Without
// the permission `tabs` a browser shows it for `.key` alone, which is all that is needed.
async function currentUrl() {
  const given = new URLSearchParams(location.search).get('url');
  if (given !== null) return given;
  const [tab] = await webextension.tabs.query({ active: true, currentWindow: true });
  return tab?.url ?? '';
}

// The blocked page carries the address that it stands for.
function addressOf(url) {
  const blocked = webextension.runtime.getURL('blocked/blocked.html#');
  return url.startsWith(blocked) ? decodeURIComponent(url.slice(blocked.length)) : url;
}

async function copyKey({ currentTarget }) {
  await navigator.clipboard.writeText(document.getElementById('key').textContent);
  currentTarget.textContent = translate('popup_copied_button');
  setTimeout(() => {
    currentTarget.textContent = translate('popup_copy_button');
  }, copiedMs);
}

translatePage(document);
document.getElementById('copy').addEventListener('click', (event) => copyKey(event));
const body = addressOf(await currentUrl());
render(document, await webextension.runtime.sendMessage({ op: 'describe', body }));
