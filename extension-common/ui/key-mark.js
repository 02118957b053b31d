// SPDX-License-Identifier: Apache-2.0
// A small picture of a key, so that a person finds it again in a list. Similar pictures are easily
// made: it proves nothing, and screen readers are not told of it.
import { makeSvg } from './element.js';

// FNV-1a; no secret hangs on it.
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash;
}

export function keyMark(key, size) {
  const hue = hashOf(key) % 360;
  const cells = [];
  for (let y = 0; y < 5; ++y) {
    for (let x = 0; x < 3; ++x) {
      if (hashOf(`${x}${y}${key}`) % 100 >= 52) continue;
      for (const column of new Set([x, 4 - x])) {
        cells.push(makeSvg('rect', { x: column + 0.75, y: y + 0.75, width: 1.02, height: 1.02 }));
      }
    }
  }
  return makeSvg('svg', { class: 'key-mark', viewBox: '0 0 6.5 6.5', width: size, height: size,
    'aria-hidden': 'true' },
  makeSvg('rect', { width: 6.5, height: 6.5, fill: `hsl(${hue} 40% 92%)` }),
  makeSvg('g', { fill: `hsl(${hue} 48% 36%)` }, cells));
}
