// SPDX-License-Identifier: Apache-2.0
// Words from _locales.
import { webextension } from '../lib/webextension.js';

export function translate(name, ...values) {
  return webextension.i18n.getMessage(name, values.map(String));
}

// Messages for attributes: data-i18n-label gives aria-label, and so on.
const attributes = { i18nLabel: 'aria-label', i18nPlaceholder: 'placeholder', i18nTitle: 'title' };
const rightToLeft = ['ar', 'fa', 'he', 'ur', 'yi'];

export function translatePage(document) {
  // That of the words, which may be another than the browser's.
  const language = translate('language_tag');
  document.documentElement.lang = language;
  document.documentElement.dir = rightToLeft.includes(language.split('-')[0]) ? 'rtl' : 'ltr';
  translateBelow(document);
}

/** Also for what a <template> gave. */
export function translateBelow(root) {
  for (const element of root.querySelectorAll('[data-i18n]')) {
    element.textContent = translate(element.dataset.i18n);
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    const selector = `[data-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}]`;
    for (const element of root.querySelectorAll(selector)) {
      element.setAttribute(attribute, translate(element.dataset[name]));
    }
  }
}

const units = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** "5 minutes ago", in the browser's language. */
export function ageText(ageMs) {
  const format = new Intl.RelativeTimeFormat(webextension.i18n.getUILanguage());
  const [unit, size] = units.find(([, ms]) => Math.abs(ageMs) >= ms) ?? units.at(-1);
  return format.format(-Math.round(ageMs / size), unit);
}

/** A date and time as the browser's language writes them. */
export function timeText(ms) {
  return new Intl.DateTimeFormat(webextension.i18n.getUILanguage(),
    { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
}

export function numberText(number) {
  return new Intl.NumberFormat(webextension.i18n.getUILanguage()).format(number);
}
