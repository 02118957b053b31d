// SPDX-License-Identifier: Apache-2.0
// Record data as the fields that a person fills in, and back to zone-file text. Whether it is right
// is for the core to say.

/** Fields by type; `wide` ones take the room that is left. */
export const fieldsOfType = {
  A: [{ name: 'address', wide: true, example: '192.0.2.1' }],
  AAAA: [{ name: 'address', wide: true, example: '2001:db8::1' }],
  CNAME: [{ name: 'target', wide: true, example: 'www.example.com.' }],
  HTTPS: [
    { name: 'priority', number: true, example: '1' },
    { name: 'target', wide: true, example: 'www.example.com.' },
    { name: 'params', wide: true, optional: true, example: 'alpn=h2 port=8443' }],
  SVCB: [
    { name: 'priority', number: true, example: '1' },
    { name: 'target', wide: true, example: 'host.example.com.' },
    { name: 'params', wide: true, optional: true, example: 'port=8443' }],
  TXT: [{ name: 'text', wide: true, example: 'v=spf1 -all' }],
  MX: [
    { name: 'preference', number: true, example: '10' },
    { name: 'exchange', wide: true, example: 'mail.example.com.' }],
  TLSA: [
    { name: 'usage', number: true, example: '3' },
    { name: 'selector', number: true, example: '1' },
    { name: 'matching', number: true, example: '1' },
    { name: 'hash', wide: true, example: '64 hexadecimal digits' }],
};

export const editableTypes = Object.keys(fieldsOfType);

const otherFields = [{ name: 'data', wide: true, example: '' }];
export const fieldsOf = (type) => fieldsOfType[type] ?? otherFields;

const encoder = new TextEncoder();
const stringSizeMax = 255;
const quoted = /"((?:[^"\\]|\\.)*)"/g;
const isQuotedList = (text) => /^"(?:[^"\\]|\\.)*"(?: +"(?:[^"\\]|\\.)*")*$/.test(text);

function bytesOfString(text) {
  const bytes = [];
  for (let i = 0; i < text.length; ++i) {
    const digits = /^\\(\d{3})/.exec(text.slice(i, i + 4));
    if (digits !== null) {
      bytes.push(Number(digits[1]));
      i += 3;
    } else {
      if (text[i] === '\\') ++i;
      bytes.push(text.charCodeAt(i));
    }
  }
  return Uint8Array.from(bytes);
}

/** TXT data → what a person reads; data that is no single text stays in its quotes. */
function textOfData(data) {
  const strings = [...data.matchAll(quoted)].map(([, inner]) => bytesOfString(inner));
  const isOneText = strings.slice(0, -1).every(({ length }) => length === stringSizeMax);
  if (!isQuotedList(data) || !isOneText) return data;
  const bytes = strings.flatMap((string) => [...string]);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Uint8Array.from(bytes));
    // Invisible characters and those that turn the reading order are shown as they are written.
    return /[\p{C}\u2028\u2029]/u.test(text) || isQuotedList(text) ? data : text;
  } catch {
    return data;
  }
}

function dataOfText(text) {
  if (isQuotedList(text)) return text;
  const bytes = encoder.encode(text);
  const strings = [];
  for (let at = 0; at === 0 || at < bytes.length; at += stringSizeMax) {
    const inner = Array.from(bytes.slice(at, at + stringSizeMax), (byte) => {
      if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
      return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte)
        : `\\${String(byte).padStart(3, '0')}`;
    });
    strings.push(`"${inner.join('')}"`);
  }
  return strings.join(' ');
}

/** Zone-file data → values by field name. */
export function splitData(type, data) {
  const fields = fieldsOf(type);
  if (type === 'TXT') return { text: textOfData(data) };
  if (fields.length === 1) return { [fields[0].name]: data };
  const words = data.split(' ');
  const values = {};
  fields.forEach(({ name }, at) => {
    values[name] = at === fields.length - 1 ? words.slice(at).join(' ') : words[at] ?? '';
  });
  return values;
}

/** Values → zone-file data. */
export function joinData(type, values) {
  if (type === 'TXT') return dataOfText(values.text ?? '');
  return fieldsOf(type).map(({ name }) => (values[name] ?? '').trim())
    .filter((value) => value !== '').join(' ');
}

/** The owner as it is written below the key: '@' for the key itself. */
export function relativeName(name, key) {
  if (name === key) return '@';
  return name.endsWith(`.${key}`) ? name.slice(0, -key.length - 1) : `${name}.`;
}

/** A row of the table → one line of a zone file. */
export function lineOf({ name, ttl, type, values }) {
  return [name.trim() || '@', String(ttl).trim(), type, joinData(type, values)].join(' ');
}

/** A record of the core → a row of the table. */
export function rowOf({ name, ttl, type, data }, key) {
  return { name: relativeName(name, key), ttl: String(ttl), type, values: splitData(type, data) };
}
