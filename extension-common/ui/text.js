// SPDX-License-Identifier: Apache-2.0
// Words from _locales.
import { webextension } from '../lib/webextension.js';

export function translate(name, ...values) {
  return webextension.i18n.getMessage(name, values.map(String));
}

export function translatePage(document) {
  document.documentElement.lang = webextension.i18n.getUILanguage();
  for (const element of document.querySelectorAll('[data-i18n]')) {
    element.textContent = translate(element.dataset.i18n);
  }
}

const units = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** "5 minutes ago", in the browser's language. */
export function ageText(ageMs) {
  const format = new Intl.RelativeTimeFormat(webextension.i18n.getUILanguage());
  const [unit, size] = units.find(([, ms]) => Math.abs(ageMs) >= ms) ?? units.at(-1);
  return format.format(-Math.round(ageMs / size), unit);
}
