/**
 * The resting form of small collections: all elements in one latin1 string, which costs a header of
 * 16 bytes in all, where each element on its own costs one and a place in an array. A million small
 * hashes take a quarter of the memory, and the garbage collector has nothing to look through.
 *
 * Who is used takes its elements out again (`unpack`) and joins those that are loose; the one that
 * has been loose for longest is packed when there are too many. So what is busy is never packed,
 * and what rests always is. Which form a collection has, no client can tell.
 *
 * A text is its length, in one byte below 128 and two from there on, and its bytes. The number of
 * elements, two bytes, stands in front. Strings cannot be changed, but a short one is made anew in
 * less time than its elements would take to unpack: so a change of a collection at rest is done
 * (`with…`, `without…`) where that is short.
 */
import { Buffer } from "node:buffer";
import { latin1String, writeLatin1 } from "@slotlog/resp";
import { type Element, elementOf } from "./element.js";

/** What is loose at a time: dead before the garbage collector counts it among the old. */
const LOOSE_MAX_DEFAULT = 128;
/** A larger collection stays as it is: unpacking it would be felt. */
const PACKED_BYTES_MAX = 64 * 1024;
/** A longer one is unpacked to be changed. */
const EDITED_BYTES_MAX = 1024;
const COUNT_BYTES = 2;
const COUNT_MAX = 0xffff;
const TWO_BYTE_LENGTH_MAX = 0x7fff;
const SCORE_BYTES = 8;
/** Below this a loop over chars beats leaving JavaScript. */
const LOOP_MAX = 24;
/** V8's header of a string, and half of what rounding up to 8 bytes costs. */
const STRING_OVERHEAD_BYTES = 20;

/** A collection that has two forms. */
export interface Packable {
  /** Takes the resting form, if it is small enough for one. */
  pack(): void;
}

/** What keeps the resting form of a sorted set's piece as bytes. */
export interface RestingBytes {
  /** Writes them to the start of a buffer that has room. */
  readPacked(into: Buffer): void;
}

/** Bytes that a collection of texts takes in the resting form, for MEMORY USAGE. */
export function packedBytes(elements: number, textBytes: number): number {
  return STRING_OVERHEAD_BYTES + COUNT_BYTES + elements + textBytes;
}

function encodedBytes({ length }: string): number {
  return length < 0x80 ? length + 1 : length + 2;
}

export class Packing {
  readonly #scratch = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
  #loose: (Packable | undefined)[] = [];
  #looseMax = LOOSE_MAX_DEFAULT;
  #oldest = 0;
  #viewed: Packable | undefined = undefined;
  #view: readonly Element[] = [];
  #viewedScored: RestingBytes | undefined = undefined;
  #viewMembers: string[] = [];
  #viewScores: number[] = [];
  /** The last `with…` or `without…` found the text that it was told. */
  found = false;
  popped: Element = 0;
  /** Behind what was written to or read from the scratch last. */
  #at = 0;
  /** Behind the opened collection. */
  #end = 0;

  /** Tests set it to 1, so that whatever is not used just now is packed. */
  set looseMax(count: number) {
    for (const collection of this.#loose) collection?.pack();
    this.#loose = [];
    this.#looseMax = count;
    this.#oldest = 0;
  }

  /** A collection has elements of its own from now on. It must not be among the loose. */
  admit(collection: Packable): void {
    const at = this.#oldest;
    const oldest = this.#loose[at];
    this.#loose[at] = collection;
    this.#oldest = at + 1 === this.#looseMax ? 0 : at + 1;
    oldest?.pack();
  }

  /** One that will not be small again soon: it must not be held when nobody else does. */
  forget(collection: Packable): void {
    const at = this.#loose.indexOf(collection);
    if (at >= 0) this.#loose[at] = undefined;
  }

  /** `undefined` if they are too many, or too long. */
  pack(elements: readonly Element[]): string | undefined {
    if (!this.#begin(elements.length)) return undefined;
    for (const element of elements) if (!this.#write(element)) return undefined;
    return latin1String(this.#scratch, 0, this.#at);
  }

  unpack(packed: string): Element[] {
    const elements: Element[] = [];
    for (let left = this.#open(packed); left > 0; left--) elements.push(elementOf(this.#read()));
    return elements;
  }

  /**
   * The elements of `owner`, not to be changed. The last ones are kept, so that one after the other
   * may be asked for; by their owner, since two strings are told apart only char by char.
   */
  view(owner: Packable, packed: string): readonly Element[] {
    if (owner !== this.#viewed) {
      this.#view = this.unpack(packed);
      this.#viewed = owner;
    }
    return this.#view;
  }

  /** Its elements are going to be others. */
  forgetView(owner: Packable): void {
    if (owner === this.#viewed) this.#viewed = undefined;
  }

  packScored(members: readonly string[], scores: readonly number[]): string | undefined {
    const bytes = this.measureScored(members, scores);
    return bytes === 0 ? undefined : latin1String(this.#scratch, 0, bytes);
  }

  /** How many bytes they take packed, 0 if they are too many or too long; `takePacked` copies. */
  measureScored(members: readonly string[], scores: readonly number[]): number {
    if (!this.#begin(members.length)) return 0;
    for (let index = 0; index < members.length; index++) {
      if (this.#at + SCORE_BYTES > PACKED_BYTES_MAX) return 0;
      this.#scratch.writeDoubleLE(scores[index] as number, this.#at);
      this.#at += SCORE_BYTES;
      if (!this.#write(members[index] as string)) return 0;
    }
    return this.#at;
  }

  /** Copies what was measured last. */
  takePacked(target: Buffer, at: number): void {
    this.#scratch.copy(target, at, 0, this.#at);
  }

  /** Appends to both arrays. */
  unpackScored(packed: string, members: string[], scores: number[]): void {
    this.#readScored(this.#open(packed), members, scores);
  }

  /** As `view`, the members. */
  viewMembers(owner: RestingBytes): readonly string[] {
    if (owner !== this.#viewedScored) this.#viewAll(owner);
    return this.#viewMembers;
  }

  /** As `view`, the scores. */
  viewScores(owner: RestingBytes): readonly number[] {
    if (owner !== this.#viewedScored) this.#viewAll(owner);
    return this.#viewScores;
  }

  /** The elements of `owner`, whose own they are from now on. */
  takeScored(owner: RestingBytes): { members: string[]; scores: number[] } {
    if (owner !== this.#viewedScored) this.#viewAll(owner);
    this.#viewedScored = undefined;
    return { members: this.#viewMembers, scores: this.#viewScores };
  }

  #viewAll(owner: RestingBytes): void {
    // Never the same arrays: who looks at the former ones still may.
    this.#viewMembers = [];
    this.#viewScores = [];
    const scratch = this.#scratch;
    owner.readPacked(scratch);
    this.#at = COUNT_BYTES;
    const count = ((scratch[0] as number) << 8) | (scratch[1] as number);
    this.#readScored(count, this.#viewMembers, this.#viewScores);
    this.#viewedScored = owner;
  }

  #readScored(count: number, members: string[], scores: number[]): void {
    for (let left = count; left > 0; left--) {
      scores.push(this.#scratch.readDoubleLE(this.#at));
      this.#at += SCORE_BYTES;
      members.push(this.#read());
    }
  }

  /** Elements in it. */
  count(packed: string): number {
    return (packed.charCodeAt(0) << 8) | packed.charCodeAt(1);
  }

  has(packed: string, text: string): boolean {
    for (let left = this.#open(packed); left > 0; left--) if (this.#passes(text)) return true;
    return false;
  }

  /** The element behind this one, looked for among every other. */
  valueOf(packed: string, field: string): Element | undefined {
    for (let left = this.#open(packed); left > 0; left -= 2) {
      if (this.#passes(field)) return elementOf(this.#read());
      this.#skip();
    }
    return undefined;
  }

  scoreOf(packed: string, member: string): number | undefined {
    for (let left = this.#open(packed); left > 0; left--) {
      const at = this.#at;
      this.#at += SCORE_BYTES;
      if (this.#passes(member)) return this.#scratch.readDoubleLE(at);
    }
    return undefined;
  }

  /** True if it is packed, and worth its while to change as it is, with texts so long coming in. */
  isEdited(packed: string | undefined, length: number): packed is string {
    if (packed === undefined) return false;
    return packed.length <= EDITED_BYTES_MAX && length <= EDITED_BYTES_MAX;
  }

  /** A hash with this value; without the field it is put behind all others. */
  withValue(packed: string, field: string, value: string): string {
    const count = this.#open(packed);
    this.found = false;
    for (let left = count; left > 0 && !this.found; left -= 2) {
      this.found = this.#passes(field);
      if (!this.found) this.#skip();
    }
    const from = this.#at;
    if (this.found) {
      this.#skip();
      this.#makeRoom(from, this.#at, encodedBytes(value));
      this.#write(value);
      return this.#made(count);
    }
    this.#makeRoom(from, from, encodedBytes(field) + encodedBytes(value));
    this.#write(field);
    this.#write(value);
    return this.#made(count + 2);
  }

  /** A hash without the field. */
  withoutField(packed: string, field: string): string {
    const count = this.#open(packed);
    for (let left = count; left > 0; left -= 2) {
      const from = this.#at;
      const found = this.#passes(field);
      this.#skip();
      if (found) return this.#without(from, count - 2);
    }
    this.found = false;
    return packed;
  }

  /** Without the first element that is this text. */
  withoutText(packed: string, text: string): string {
    const count = this.#open(packed);
    for (let left = count; left > 0; left--) {
      const from = this.#at;
      if (this.#passes(text)) return this.#without(from, count - 1);
    }
    this.found = false;
    return packed;
  }

  /** With one more element, at an end. */
  withPushed(packed: string, text: string, atEnd: boolean): string {
    const count = this.#open(packed);
    const from = atEnd ? this.#end : COUNT_BYTES;
    this.#makeRoom(from, from, encodedBytes(text));
    this.#write(text);
    return this.#made(count + 1);
  }

  /** Without its first element, which is left in `popped`. */
  withoutFirst(packed: string): string {
    const count = this.#open(packed);
    this.popped = elementOf(this.#read());
    return this.#without(COUNT_BYTES, count - 1);
  }

  /** Without its last element, which is left in `popped`. */
  withoutLast(packed: string): string {
    const count = this.#open(packed);
    for (let left = count; left > 1; left--) this.#skip();
    const from = this.#at;
    this.popped = elementOf(this.#read());
    return this.#without(from, count - 1);
  }

  /** A sorted set with one more member, in its place. */
  withScored(packed: string, score: number, member: string): string {
    const count = this.#open(packed);
    let left = count;
    let from = this.#at;
    for (; left > 0; left--, from = this.#at) {
      const other = this.#scratch.readDoubleLE(this.#at);
      this.#at += SCORE_BYTES;
      if (other > score || (other === score && this.#read() > member)) break;
      if (other !== score) this.#skip();
    }
    this.#makeRoom(from, from, SCORE_BYTES + encodedBytes(member));
    this.#scratch.writeDoubleLE(score, from);
    this.#at = from + SCORE_BYTES;
    this.#write(member);
    return this.#made(count + 1);
  }

  withoutScored(packed: string, member: string): string {
    const count = this.#open(packed);
    for (let left = count; left > 0; left--) {
      const from = this.#at;
      this.#at += SCORE_BYTES;
      if (this.#passes(member)) return this.#without(from, count - 1);
    }
    this.found = false;
    return packed;
  }

  /** Cuts from there to where reading has come. */
  #without(from: number, count: number): string {
    this.#makeRoom(from, this.#at, 0);
    this.found = true;
    return this.#made(count);
  }

  /** So many bytes from `from` on, where those up to `to` were; writing goes on there. */
  #makeRoom(from: number, to: number, bytes: number): void {
    const behind = from + bytes;
    if (behind !== to) this.#scratch.copyWithin(behind, to, this.#end);
    this.#end += behind - to;
    this.#at = from;
  }

  #made(count: number): string {
    this.#scratch[0] = count >>> 8;
    this.#scratch[1] = count & 0xff;
    return latin1String(this.#scratch, 0, this.#end);
  }

  #begin(count: number): boolean {
    this.#scratch[0] = count >>> 8;
    this.#scratch[1] = count & 0xff;
    this.#at = COUNT_BYTES;
    return count <= COUNT_MAX;
  }

  /** Brings it to the scratch, from where short strings are made fastest; returns the number. */
  #open(packed: string): number {
    writeLatin1(this.#scratch, 0, packed);
    this.#at = COUNT_BYTES;
    this.#end = packed.length;
    return this.count(packed);
  }

  #write(element: Element): boolean {
    const text = typeof element === "number" ? String(element) : element;
    const { length } = text;
    const bytes = this.#scratch;
    let at = this.#at;
    if (at + length + 2 > PACKED_BYTES_MAX || length > TWO_BYTE_LENGTH_MAX) return false;
    if (length < 0x80) bytes[at++] = length;
    else {
      bytes[at++] = 0x80 | (length >>> 8);
      bytes[at++] = length & 0xff;
    }
    if (length > LOOP_MAX) writeLatin1(bytes, at, text);
    else for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    this.#at = at + length;
    return true;
  }

  #readLength(): number {
    const bytes = this.#scratch;
    const head = bytes[this.#at++] as number;
    return head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[this.#at++] as number);
  }

  #read(): string {
    const length = this.#readLength();
    const at = this.#at;
    this.#at = at + length;
    return latin1String(this.#scratch, at, length);
  }

  #skip(): void {
    const length = this.#readLength();
    this.#at += length;
  }

  /** Passes a text; true if it is this one. */
  #passes(text: string): boolean {
    const bytes = this.#scratch;
    const length = this.#readLength();
    const at = this.#at;
    this.#at = at + length;
    if (length !== text.length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[at + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }
}
