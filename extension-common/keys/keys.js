// SPDX-License-Identifier: Apache-2.0
// Keys: making, restoring, backing up, renaming, deleting.
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { openDialog, openForm, part } from '../ui/dialogs.js';
import { find } from '../ui/element.js';
import { onStored, startPage } from '../ui/shell.js';
import { numberText, translate } from '../ui/text.js';
import { drawQr, renderKeys, renderNotice, renderWords } from './view.js';

const fileSizeMax = 4096;
const copiedMs = 1500;

/** The sentence about a failure, or null. */
const faultOf = (answer) => (answer.error === undefined ? null : sentenceOf(answer));

async function show() {
  const [keys, { publications = {} }] = await Promise.all([
    ask('keys.list'), webextension.storage.local.get('publications')]);
  if (keys.error !== undefined) renderNotice('bad', sentenceOf(keys));
  else {
    find('notice').querySelector('[data-kind="bad"]')?.remove();
    renderKeys(keys, publications, act);
  }
  document.querySelector('main').removeAttribute('aria-busy');
}

// The program keeps its files from other users; a passphrase on top is the person's choice.
function freePassphrase(dialog) {
  if (mode !== 'host') return;
  for (const id of ['passphrase', 'again']) {
    const input = dialog.querySelector(`#${id}`);
    if (input !== null) input.required = false;
  }
  dialog.querySelector('#passphrase-hint').textContent = translate('keys_passphrase_hint_host');
}

function makeKey() {
  openForm('form-make', async ({ name, passphrase, again }) => {
    if (passphrase !== again) return translate('keys_passphrases_differ');
    const made = await ask('keys.make', { name, passphrase });
    if (made.error === undefined) {
      renderNotice('good', translate('keys_made_notice', name));
      await show();
    }
    return faultOf(made);
  }, freePassphrase);
}

async function importKey() {
  openForm('form-import', async ({ file, secret, name, passphrase }) => {
    if (file.size > fileSizeMax) return translate('keys_file_too_large', numberText(fileSizeMax));
    const text = file.size > 0 ? await file.text() : secret;
    if (text.trim() === '') return translate('keys_secret_missing');
    const imported = await ask('keys.import', { name, secret: text, passphrase });
    if (imported.error === undefined) {
      renderNotice('good', translate('keys_imported_notice', name));
      await show();
    }
    return faultOf(imported);
  }, freePassphrase);
}

function unlock({ name }) {
  openForm('form-unlock', async ({ passphrase }) =>
    faultOf(await ask('keys.unlock', { name, passphrase })));
}

// What the background script has to know of a key.
const nameOf = ({ custody, name, key }) => ({ custody, name, key });

function backUp(key) {
  if (key.custody === 'host') return backUpOfProgram(key);
  openForm('form-backup', async ({ form, passphrase }, dialog) => {
    const exported = await ask('keys.export', { ...nameOf(key), form, passphrase });
    if (exported.error !== undefined) return sentenceOf(exported);
    if (form === 'words') {
      dialog.close();
      showWords(key, exported.text);
      return null;
    }
    download(form === 'file' ? `dotkey-${key.name}.txt` : `${key.name}.secret`, exported.text);
    await ask('keys.saved', nameOf(key));
    return null;
  }, (dialog) => {
    dialog.addEventListener('change', ({ target }) => {
      if (target.name !== 'form') return;
      const isSealed = target.value === 'file';
      part(dialog, 'passphrase').hidden = isSealed;
      dialog.querySelector('#passphrase').required = !isSealed;
    });
  });
}

// The program hands out a locked file and nothing else; words are for its own terminal.
function backUpOfProgram(key) {
  openForm('form-backup-host', async ({ passphrase = '', again = '' }) => {
    if (passphrase !== again) return translate('keys_passphrases_differ');
    const exported = await ask('keys.export', { ...nameOf(key), form: 'file', passphrase });
    if (exported.error !== undefined) return sentenceOf(exported);
    download(`dotkey-${key.name}.txt`, exported.text);
    await ask('keys.saved', nameOf(key));
    await show();
    return null;
  }, (dialog) => {
    part(dialog, 'command').textContent = `dotkey key export ${key.name} --words`;
    part(dialog, 'locked').hidden = !key.locked;
    if (!key.locked) return;
    part(dialog, 'passphrase').remove();
    part(dialog, 'again').remove();
  });
}

function showWords(key, words) {
  openForm('form-words', async () => faultOf(await ask('keys.saved', nameOf(key))),
    (dialog) => renderWords(part(dialog, 'words'), words));
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function rename(key) {
  openForm('form-rename', async ({ name: newName }) => {
    const renamed = await ask('keys.rename', { ...nameOf(key), newName });
    await show();
    return faultOf(renamed);
  }, (dialog) => { dialog.querySelector('#name').value = key.name; });
}

function remove(key) {
  openForm('form-remove', async ({ typed }) => {
    if (typed !== key.name) return translate('keys_remove_differs');
    const removed = await ask('keys.remove', nameOf(key));
    await show();
    return faultOf(removed);
  }, (dialog) => {
    part(dialog, 'key').textContent = key.key;
    part(dialog, 'ask').textContent = translate('keys_remove_ask', key.name);
  });
}

function showQr({ key }) {
  const dialog = openDialog('form-qr');
  const address = `https://${key}.key/`;
  part(dialog, 'qr').append(drawQr(address));
  part(dialog, 'key').textContent = address;
}

async function copy({ key }, button) {
  await navigator.clipboard.writeText(`https://${key}.key/`);
  button.textContent = translate('keys_copied_button');
  setTimeout(() => { button.textContent = translate('keys_copy_button'); }, copiedMs);
}

async function toggleLock(key) {
  if (key.locked) unlock(key);
  else await ask('keys.lock', { name: key.name });
}

const acts = { backup: backUp, copy, lock: toggleLock, qr: showQr, remove, rename };

function act(name, key, button) {
  return acts[name](key, button);
}

find('make').addEventListener('click', makeKey);
find('import').addEventListener('click', importKey);
const mode = await startPage('keys');
onStored(['keys', 'saved', 'seeds', 'publications'], show);
await show();
const wanted = new URLSearchParams(location.search).get('do');
if (wanted === 'make') makeKey();
else if (wanted === 'import') importKey();
