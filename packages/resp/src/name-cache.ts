/**
 * Command names from bytes without making a string: a direct-mapped cache of strings seen before,
 * compared byte by byte. It never grows: a name that falls on a taken place replaces it. One cache
 * is meant to be shared by all decoders of a node.
 */
import { latin1String } from "./byte-string.js";

/** Twice the number of Redis' commands, so that few of the used ones share a place. */
const places = 512;
const nameBytesMax = 32;

export class NameCache {
  private readonly names: string[];

  /**
   * `names` are put in beforehand, so that `lookup` returns these very strings: a Map keyed by them
   * then finds its entry by comparing pointers.
   */
  constructor(names: Iterable<string> = []) {
    this.names = Array.from({ length: places }, () => "");
    for (const name of names) {
      if (name.length === 0 || name.length > nameBytesMax) continue;
      const bytes = Buffer.from(name, "latin1");
      this.names[placeOf(bytes, 0, bytes.length)] = name;
    }
  }

  /** The string of the bytes `[start, start + length)`. */
  lookup(bytes: Buffer, start: number, length: number): string {
    if (length === 0 || length > nameBytesMax) return latin1String(bytes, start, length);
    const place = placeOf(bytes, start, length);
    const known = this.names[place]!;
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return known;
    }
    const name = latin1String(bytes, start, length);
    this.names[place] = name;
    return name;
  }
}

/**
 * Length, first two, middle and last byte. `| 0x20` makes `GET` and `get` share a place, since one
 * client writes a name in one way.
 */
function placeOf(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start]! | 0x20;
  const second = bytes[start + (length > 1 ? 1 : 0)]! | 0x20;
  const middle = bytes[start + (length >> 1)]! | 0x20;
  const last = bytes[start + length - 1]! | 0x20;
  const mixed = first * 31 + second * 131 + middle * 517 + last * 1031 + length * 7919;
  return (mixed ^ (mixed >> 9)) & (places - 1);
}
