/** Counting and finding bits in bytes, a word at a time where memory is aligned. */
import type { BitRange } from "./offset.js";

function popcount32(word: number): number {
  // Pairs, fours, bytes; the multiplication adds the four bytes up in the highest one.
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/** The part of these bytes that is aligned to words, as words: `from` is a byte index. */
function alignedWords(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly from: number; readonly words: Int32Array } {
  const from = Math.min(end, start + ((4 - ((bytes.byteOffset + start) & 3)) & 3));
  const words = new Int32Array(bytes.buffer, (bytes.byteOffset + from) & ~3, (end - from) >>> 2);
  return { from, words };
}

/** Set bits in the bytes from `start` to before `end`. */
function countBytes(bytes: Uint8Array, start: number, end: number): number {
  const { from, words } = alignedWords(bytes, start, end);
  let count = 0;
  for (let index = start; index < from; index += 1) count += popcount32(bytes[index] as number);
  for (let index = 0; index < words.length; index += 1) count += popcount32(words[index] as number);
  for (let index = from + 4 * words.length; index < end; index += 1) {
    count += popcount32(bytes[index] as number);
  }
  return count;
}

/** Set bits in the range. */
export function countBits(bytes: Uint8Array, { first, last }: BitRange): number {
  if (first > last) return 0;
  const firstByte = Math.floor(first / 8);
  const lastByte = Math.floor(last / 8);
  // What is outside the range in the first and in the last byte.
  const before = (bytes[firstByte] as number) & (0xff00 >>> (first & 7));
  const behind = (bytes[lastByte] as number) & (0x7f >>> (last & 7));
  const all = countBytes(bytes, firstByte, lastByte + 1);
  return all - popcount32(before & 0xff) - popcount32(behind);
}

/** The first bit of that value in the range, or -1. */
export function findBit(bytes: Uint8Array, bit: 0 | 1, { first, last }: BitRange): number {
  if (first > last) return -1;
  const flip = bit === 1 ? 0 : 0xff;
  const firstByte = Math.floor(first / 8);
  const lastByte = Math.floor(last / 8);
  let wanted = ((bytes[firstByte] as number) ^ flip) & (0xff >>> (first & 7));
  let index = firstByte;
  if (wanted === 0) {
    index = skipBytes(bytes, flip, firstByte + 1, lastByte + 1);
    if (index > lastByte) return -1;
    wanted = (bytes[index] as number) ^ flip;
  }
  // The highest bit of the byte has the lowest number.
  const found = index * 8 + Math.clz32(wanted) - 24;
  return found > last ? -1 : found;
}

/** The first byte from `start` to before `end` that is not `value`, else `end`. */
function skipBytes(bytes: Uint8Array, value: number, start: number, end: number): number {
  const { from, words } = alignedWords(bytes, start, Math.max(start, end));
  let index = start;
  while (index < from && bytes[index] === value) index += 1;
  if (index < from) return index;
  const same = value === 0 ? 0 : -1;
  let word = 0;
  while (word < words.length && words[word] === same) word += 1;
  index = from + 4 * word;
  while (index < end && bytes[index] === value) index += 1;
  return index;
}
