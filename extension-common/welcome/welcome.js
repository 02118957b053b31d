// SPDX-License-Identifier: Apache-2.0
// The first page: from the installation to a verified page in three steps.
import { addressOfText } from '../lib/hosts.js';
import { webextension } from '../lib/webextension.js';
import { ask } from '../ui/ask.js';
import { find } from '../ui/element.js';
import { startPage } from '../ui/shell.js';
import { translate } from '../ui/text.js';

const lookAgainMs = 3000;

// Where the program exists (README.md): Linux. Elsewhere relays do the work.
const commandsOf = {
  linux: 'sudo apt install ./dotkey_*.deb\ndotkey install',
};

async function showProgram(os, mode) {
  const isThere = mode === 'host';
  const commands = commandsOf[os];
  find('program').toggleAttribute('data-done', isThere);
  find('program-text').textContent =
    translate(commands === undefined ? 'welcome_program_none' : 'welcome_program_text');
  find('program-text').hidden = isThere;
  find('commands').hidden = isThere || commands === undefined;
  find('commands').textContent = commands ?? '';
  if (commands === undefined) return;
  find('program-state').textContent =
    translate(isThere ? 'welcome_program_found' : 'welcome_program_missing');
}

async function watch(os) {
  const { mode } = await ask('mode');
  await showProgram(os, mode);
  if (mode !== 'host') setTimeout(() => watch(os), lookAgainMs);
}

function open(event) {
  event.preventDefault();
  const url = addressOfText(find('address').value);
  find('address-fault').textContent = url === null ? translate('welcome_open_malformed') : '';
  if (url !== null) location.assign(url);
}

async function start() {
  await startPage('welcome');
  find('form').addEventListener('submit', open);
  const { os } = await webextension.runtime.getPlatformInfo();
  await watch(os);
  document.querySelector('main').removeAttribute('aria-busy');
}

await start();
