/**
 * The keys of one database with their values, as bytes: an entry per key in a block of
 * `SlabPages`, named by its reference.
 *
 * An entry is words: a head (length of the key, kind of the value), the meta word, the key, the
 * value, each padded to a word. Short strings and integers stand in the entry itself and are
 * changed in place; collections, `ByteString`s and longer strings (keys as well) stay JavaScript
 * values in a list beside the slab, and the entry holds their index there. A string comes into
 * being only when somebody asks for a key or a value.
 *
 * It refuses machines whose words do not begin with the lowest byte.
 */
import assert from "node:assert";
import type { Buffer } from "node:buffer";
import { endianness } from "node:os";
import { latin1String } from "@slotlog/resp";
import { KEY_WORDS_LENGTH_MAX, type KeyHasher } from "./key-hash.js";
import { CHUNK_MASK, CHUNK_SHIFT, isSameBlock, SlabPages } from "./slab-pages.js";
import type { Value } from "./value.js";

/** Longest string in the slab. A V8 string of this length has 6% for its header and references. */
export const INLINE_LENGTH_MAX = KEY_WORDS_LENGTH_MAX;

/** Words in front of the key. */
const HEAD_WORDS = 2;
/** In the lower half of the head instead of the key's length: the key is an object. */
const KEY_OBJECT = 0xffff;
/** In the upper half of the head instead of the value's length. */
const VALUE_INTEGER = 0xfffe;
const VALUE_OBJECT = 0xffff;

/** The list of objects consists of pieces of so many, since one large array stalls as it grows. */
const OBJECTS_SHIFT = 12;
const OBJECTS_MASK = (1 << OBJECTS_SHIFT) - 1;

function keyWords(head: number): number {
  const kind = head & 0xffff;
  return kind === KEY_OBJECT ? 1 : (kind + 3) >>> 2;
}

function kindWords(kind: number): number {
  if (kind === VALUE_INTEGER) return 2;
  return kind === VALUE_OBJECT ? 1 : (kind + 3) >>> 2;
}

function entryWords(head: number): number {
  return HEAD_WORDS + keyWords(head) + kindWords(head >>> 16);
}

function kindOf(value: Value): number {
  if (typeof value === "number") return VALUE_INTEGER;
  if (typeof value === "string" && value.length <= INLINE_LENGTH_MAX) return value.length;
  return VALUE_OBJECT;
}

/** Where a string stands in the slab; valid until the next change of the keyspace. */
export class SlabView {
  bytes: Buffer | undefined = undefined;
  start = 0;
  length = 0;
}

export class Slab {
  readonly pages = new SlabPages();
  readonly #words: Int32Array[];
  readonly #hasher: KeyHasher;
  readonly #objects: unknown[][] = [];
  /** The first free index of an object, which holds the next one; -1 behind the last. */
  #freeObject = -1;
  /** Indexes that were ever used. */
  #objectCount = 0;

  /** The hasher must have seen a key right before `isKey` and `add`. */
  constructor(hasher: KeyHasher) {
    this.#hasher = hasher;
    assert(endianness() === "LE", "slotlog runs on little-endian machines only");
    this.#words = this.pages.words;
  }

  /** Adds an entry for the key that was hashed last; returns its reference. */
  add(key: string, value: Value, meta: number): number {
    const kind = kindOf(value);
    const keyKind = key.length <= INLINE_LENGTH_MAX ? key.length : KEY_OBJECT;
    const head = (kind << 16) | keyKind;
    const reference = this.pages.allocate(entryWords(head));
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const at = reference & CHUNK_MASK;
    words[at] = head;
    words[at + 1] = meta;
    if (keyKind === KEY_OBJECT) words[at + HEAD_WORDS] = this.#hold(key);
    else {
      const source = this.#hasher.words;
      const end = keyWords(head);
      for (let index = 0; index < end; index++) {
        words[at + HEAD_WORDS + index] = source[index] as number;
      }
    }
    this.#writeValue(words, at + HEAD_WORDS + keyWords(head), kind, value);
    return reference;
  }

  remove(reference: number): void {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const at = reference & CHUNK_MASK;
    const head = words[at] as number;
    if ((head & 0xffff) === KEY_OBJECT) this.#release(words[at + HEAD_WORDS] as number);
    if (head >>> 16 === VALUE_OBJECT) {
      this.#release(words[at + HEAD_WORDS + keyWords(head)] as number);
    }
    this.pages.free(reference, entryWords(head));
  }

  /** True if the entry has this key, which must be the one that was hashed last. */
  isKey(reference: number, key: string): boolean {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    let at = reference & CHUNK_MASK;
    const kind = (words[at] as number) & 0xffff;
    const { length } = key;
    at += HEAD_WORDS;
    if (kind !== length) return kind === KEY_OBJECT && this.#object(words[at] as number) === key;
    const wanted = this.#hasher.words;
    const end = (length + 3) >>> 2;
    for (let index = 0; index < end; index++) if (words[at++] !== wanted[index]) return false;
    return true;
  }

  key(reference: number): string {
    const chunk = reference >>> CHUNK_SHIFT;
    const at = reference & CHUNK_MASK;
    const words = this.#words[chunk] as Int32Array;
    const kind = (words[at] as number) & 0xffff;
    if (kind === KEY_OBJECT) return this.#object(words[at + HEAD_WORDS] as number) as string;
    return latin1String(this.pages.bytes[chunk] as Buffer, (at + HEAD_WORDS) << 2, kind);
  }

  meta(reference: number): number {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    return words[(reference & CHUNK_MASK) + 1] as number;
  }

  setMeta(reference: number, meta: number): void {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    words[(reference & CHUNK_MASK) + 1] = meta;
  }

  value(reference: number): Value {
    const chunk = reference >>> CHUNK_SHIFT;
    const words = this.#words[chunk] as Int32Array;
    let at = reference & CHUNK_MASK;
    const head = words[at] as number;
    const kind = head >>> 16;
    at += HEAD_WORDS + keyWords(head);
    if (kind <= INLINE_LENGTH_MAX) {
      return latin1String(this.pages.bytes[chunk] as Buffer, at << 2, kind);
    }
    if (kind === VALUE_INTEGER) return readInteger(words, at);
    return this.#object(words[at] as number) as Value;
  }

  /** The value if it is an object: a collection, a `ByteString`, a string beside the slab. */
  objectValue(reference: number): Value | undefined {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const at = reference & CHUNK_MASK;
    const head = words[at] as number;
    if (head >>> 16 !== VALUE_OBJECT) return undefined;
    return this.#object(words[at + HEAD_WORDS + keyWords(head)] as number) as Value;
  }

  /** True, and its place in `view`, if the value is a short string; else only false. */
  viewValue(reference: number, view: SlabView): boolean {
    const chunk = reference >>> CHUNK_SHIFT;
    const at = reference & CHUNK_MASK;
    const head = (this.#words[chunk] as Int32Array)[at] as number;
    const kind = head >>> 16;
    if (kind > INLINE_LENGTH_MAX) return false;
    view.bytes = this.pages.bytes[chunk];
    view.start = (at + HEAD_WORDS + keyWords(head)) << 2;
    view.length = kind;
    return true;
  }

  /** Bytes of a value that stands in the entry, -1 for an object. */
  inlineBytes(reference: number): number {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const kind = (words[reference & CHUNK_MASK] as number) >>> 16;
    return kind === VALUE_OBJECT ? -1 : kindWords(kind) << 2;
  }

  /**
   * Writes a string over one of the same length, or an integer over another one, and `bits` over
   * the meta word but for what `kept` masks. False for any other values: then nothing has changed.
   */
  overwrite(reference: number, value: Value, bits: number, kept: number): boolean {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const at = reference & CHUNK_MASK;
    const head = words[at] as number;
    const kind = head >>> 16;
    if (typeof value === "string") {
      if (kind !== value.length || kind > INLINE_LENGTH_MAX) return false;
      writeText(words, at + HEAD_WORDS + keyWords(head), value);
    } else {
      if (kind !== VALUE_INTEGER || typeof value !== "number") return false;
      writeInteger(words, at + HEAD_WORDS + keyWords(head), value);
    }
    words[at + 1] = ((words[at + 1] as number) & kept) | bits;
    return true;
  }

  /** Gives an entry another value; returns its reference, which is another one if it must move. */
  setValue(reference: number, value: Value): number {
    const words = this.#words[reference >>> CHUNK_SHIFT] as Int32Array;
    const at = reference & CHUNK_MASK;
    const head = words[at] as number;
    const before = head >>> 16;
    const kind = kindOf(value);
    const valueAt = at + HEAD_WORDS + keyWords(head);
    if (before === VALUE_OBJECT) this.#release(words[valueAt] as number);
    if (kind === before) {
      this.#writeValue(words, valueAt, kind, value);
      return reference;
    }
    const newHead = (kind << 16) | (head & 0xffff);
    const size = entryWords(head);
    const newSize = entryWords(newHead);
    if (isSameBlock(size, newSize)) {
      words[at] = newHead;
      this.#writeValue(words, valueAt, kind, value);
      return reference;
    }
    const moved = this.pages.allocate(newSize);
    const target = this.#words[moved >>> CHUNK_SHIFT] as Int32Array;
    let to = moved & CHUNK_MASK;
    target[to++] = newHead;
    for (let from = at + 1; from < valueAt; ) target[to++] = words[from++] as number;
    this.#writeValue(target, to, kind, value);
    this.pages.free(reference, size);
    return moved;
  }

  #writeValue(words: Int32Array, at: number, kind: number, value: Value): void {
    if (kind === VALUE_OBJECT) words[at] = this.#hold(value);
    else if (typeof value === "number") writeInteger(words, at, value);
    else writeText(words, at, value as string);
  }

  #object(index: number): unknown {
    return (this.#objects[index >>> OBJECTS_SHIFT] as unknown[])[index & OBJECTS_MASK];
  }

  /** Keeps an object; returns its index. */
  #hold(object: unknown): number {
    let index = this.#freeObject;
    if (index < 0) {
      index = this.#objectCount++;
      if ((index & OBJECTS_MASK) === 0) this.#objects.push([]);
      (this.#objects[index >>> OBJECTS_SHIFT] as unknown[]).push(object);
      return index;
    }
    const piece = this.#objects[index >>> OBJECTS_SHIFT] as unknown[];
    this.#freeObject = piece[index & OBJECTS_MASK] as number;
    piece[index & OBJECTS_MASK] = object;
    return index;
  }

  #release(index: number): void {
    (this.#objects[index >>> OBJECTS_SHIFT] as unknown[])[index & OBJECTS_MASK] = this.#freeObject;
    this.#freeObject = index;
  }
}

/** Writes chars as bytes, four to a word, with zero bytes behind the last. */
function writeText(words: Int32Array, offset: number, text: string): void {
  const { length } = text;
  const whole = length & ~3;
  let at = offset;
  let index = 0;
  for (; index < whole; index += 4) {
    words[at++] =
      text.charCodeAt(index) |
      (text.charCodeAt(index + 1) << 8) |
      (text.charCodeAt(index + 2) << 16) |
      (text.charCodeAt(index + 3) << 24);
  }
  if (index < length) words[at] = lastWord(text, index);
}

/** The word of the last one to three chars. */
function lastWord(text: string, from: number): number {
  let word = 0;
  for (let index = text.length - 1; index >= from; index--) {
    word = (word << 8) | text.charCodeAt(index);
  }
  return word;
}

function writeInteger(words: Int32Array, at: number, value: number): void {
  const low = value | 0;
  words[at] = low;
  words[at + 1] = low === value ? low >> 31 : Math.floor(value / 0x1_0000_0000);
}

function readInteger(words: Int32Array, at: number): number {
  const low = words[at] as number;
  const high = words[at + 1] as number;
  // The usual case apart: 32 bits with their sign stay integers for V8 wherever this is inlined.
  return high === low >> 31 ? low : wideInteger(high, low);
}

function wideInteger(high: number, low: number): number {
  return high * 0x1_0000_0000 + (low >>> 0);
}
