// SPDX-License-Identifier: Apache-2.0
// QR codes (ISO/IEC 18004): byte mode, error correction level M, versions 1 to 10. An address of a
// key needs version 5.

// By version: [error correction bytes a block, blocks of one size, data bytes in each, blocks of
// the next size up]. Table 9 of the standard.
const blocksOf = [
  [10, 1, 16, 0], [16, 1, 28, 0], [26, 1, 44, 0], [18, 2, 32, 0], [24, 2, 43, 0],
  [16, 4, 27, 0], [18, 4, 31, 0], [22, 2, 38, 2], [22, 3, 36, 2], [26, 4, 43, 1]];
// Centres of the alignment patterns, Annex E.
const alignmentOf = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46],
  [6, 28, 50]];

const exponents = new Uint8Array(512);
const logarithms = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; ++i) {
  exponents[i] = exponents[i + 255] = value;
  logarithms[value] = i;
  value = value << 1 ^ (value & 0x80 ? 0x11d : 0);
}

const product = (a, b) => (a && b ? exponents[logarithms[a] + logarithms[b]] : 0);

function generatorOf(degree) {
  let polynomial = [1];
  for (let i = 0; i < degree; ++i) {
    const next = [...polynomial, 0];
    polynomial.forEach((factor, at) => {
      next[at + 1] ^= product(factor, exponents[i]);
    });
    polynomial = next;
  }
  return polynomial;
}

/** The remainder of Reed and Solomon. */
function correctionOf(data, count) {
  const generator = generatorOf(count);
  const rest = [...data, ...Array(count).fill(0)];
  for (let i = 0; i < data.length; ++i) {
    const factor = rest[i];
    if (factor !== 0) generator.forEach((g, at) => { rest[i + at] ^= product(g, factor); });
  }
  return rest.slice(data.length);
}

function dataSizeOf(version) {
  const [, few, size, more] = blocksOf[version - 1];
  return few * size + more * (size + 1);
}

function bitsOf(bytes, version) {
  const bits = [];
  const put = (value, count) => {
    for (let i = count - 1; i >= 0; --i) bits.push(value >> i & 1);
  };
  put(0b0100, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  const room = dataSizeOf(version) * 8;
  put(0, Math.min(4, room - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  for (let pad = 0; bits.length < room; ++pad) put(pad % 2 ? 0x11 : 0xec, 8);
  return bits;
}

function bytesOf(bits) {
  return Array.from({ length: bits.length / 8 },
    (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2));
}

/** Data and correction, block by block in turns (§7.6). */
function interleave(data, version) {
  const [correction, few, size, more] = blocksOf[version - 1];
  const blocks = [];
  for (let i = 0, at = 0; i < few + more; ++i) {
    const length = size + (i < few ? 0 : 1);
    blocks.push(data.slice(at, at + length));
    at += length;
  }
  const checks = blocks.map((block) => correctionOf(block, correction));
  const out = [];
  for (let i = 0; i <= size; ++i) {
    for (const block of blocks) if (i < block.length) out.push(block[i]);
  }
  for (let i = 0; i < correction; ++i) for (const check of checks) out.push(check[i]);
  return out;
}

/** Modules are 0 or 1; `fixed` are those that no mask may change. */
class Symbol {
  constructor(version) {
    this.version = version;
    this.size = version * 4 + 17;
    this.modules = Array.from({ length: this.size }, () => Array(this.size).fill(0));
    this.fixed = Array.from({ length: this.size }, () => Array(this.size).fill(false));
    this.drawPatterns();
  }

  set(x, y, value) {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.modules[y][x] = value ? 1 : 0;
    this.fixed[y][x] = true;
  }

  drawSquares(centreX, centreY, reach, isDark) {
    for (let y = -reach; y <= reach; ++y) {
      for (let x = -reach; x <= reach; ++x) {
        this.set(centreX + x, centreY + y, isDark(Math.max(Math.abs(x), Math.abs(y))));
      }
    }
  }

  drawPatterns() {
    const last = this.size - 1;
    for (let i = 0; i < this.size; ++i) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) {
      this.drawSquares(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    }
    const centres = alignmentOf[this.version - 1];
    const ends = [6, this.size - 7];
    for (const y of centres) {
      for (const x of centres) {
        const corner = ends.includes(x) && ends.includes(y) && !(x === ends[1] && y === ends[1]);
        if (!corner) this.drawSquares(x, y, 2, (ring) => ring !== 1);
      }
    }
    this.drawFormat(0);
    if (this.version >= 7) this.drawVersion();
  }

  /** Level M and the mask, twice (§7.9). */
  drawFormat(mask) {
    let rest = mask << 10;
    for (let i = 4; i >= 0; --i) if (rest >> (i + 10) & 1) rest ^= 0x537 << i;
    const bits = (mask << 10 | rest) ^ 0x5412;
    const bit = (i) => bits >> i & 1;
    const last = this.size - 1;
    for (let i = 0; i < 8; ++i) this.set(last - i, 8, bit(i));
    for (let i = 8; i < 15; ++i) this.set(8, this.size - 15 + i, bit(i));
    for (let i = 0; i < 6; ++i) this.set(8, i, bit(i));
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let i = 9; i < 15; ++i) this.set(14 - i, 8, bit(i));
    this.set(8, this.size - 8, 1);
  }

  drawVersion() {
    let rest = this.version << 12;
    for (let i = 5; i >= 0; --i) if (rest >> (i + 12) & 1) rest ^= 0x1f25 << i;
    const bits = this.version << 12 | rest;
    for (let i = 0; i < 18; ++i) {
      const far = this.size - 11 + i % 3;
      const near = Math.floor(i / 3);
      this.set(far, near, bits >> i & 1);
      this.set(near, far, bits >> i & 1);
    }
  }

  /** Upwards and downwards in columns of two, from the right (§7.7.3). */
  drawData(bits) {
    let next = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const upwards = (right + 1 & 2) === 0;
      for (let step = 0; step < this.size; ++step) {
        const y = upwards ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (!this.fixed[y][x]) this.modules[y][x] = bits[next++] ?? 0;
        }
      }
    }
  }

  applyMask(mask) {
    const flips = masks[mask];
    for (let y = 0; y < this.size; ++y) {
      for (let x = 0; x < this.size; ++x) {
        if (!this.fixed[y][x] && flips(x, y)) this.modules[y][x] ^= 1;
      }
    }
  }

  /** What makes a symbol hard to read (§7.8.3). */
  penalty() {
    const rows = this.modules.map((row) => row.join(''));
    const columns = rows.map((_, x) => this.modules.map((row) => row[x]).join(''));
    let sum = 0;
    for (const line of [...rows, ...columns]) {
      for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2;
      sum += 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length;
    }
    for (let y = 1; y < this.size; ++y) {
      for (let x = 1; x < this.size; ++x) {
        const [a, b] = [this.modules[y - 1], this.modules[y]];
        if (a[x] === a[x - 1] && a[x] === b[x] && a[x] === b[x - 1]) sum += 3;
      }
    }
    const dark = rows.join('').replaceAll('0', '').length;
    return sum + 10 * Math.floor(Math.abs(dark * 20 / this.size ** 2 - 10));
  }
}

const masks = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => x * y % 2 + x * y % 3 === 0,
  (x, y) => (x * y % 2 + x * y % 3) % 2 === 0,
  (x, y) => ((x + y) % 2 + x * y % 3) % 2 === 0];

/** → rows of 0 and 1. Throws for text over 213 bytes. */
export function encodeQr(text) {
  const bytes = new TextEncoder().encode(text);
  const fits = (version) => bytes.length + (version < 10 ? 2 : 3) <= dataSizeOf(version);
  const version = blocksOf.findIndex((_, index) => fits(index + 1)) + 1;
  if (version === 0) throw new RangeError('too long for a QR code');
  const codewords = interleave(bytesOf(bitsOf(bytes, version)), version);
  const bits = codewords.flatMap((byte) =>
    Array.from({ length: 8 }, (_, i) => byte >> (7 - i) & 1));
  const symbol = new Symbol(version);
  symbol.drawData(bits);
  let best = null;
  masks.forEach((_, mask) => {
    symbol.applyMask(mask);
    symbol.drawFormat(mask);
    const penalty = symbol.penalty();
    if (best === null || penalty < best.penalty) best = { mask, penalty };
    symbol.applyMask(mask);
  });
  symbol.applyMask(best.mask);
  symbol.drawFormat(best.mask);
  return symbol.modules;
}
