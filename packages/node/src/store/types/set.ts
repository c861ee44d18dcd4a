/**
 * The set, in Redis' three forms: an ordered array of 64-bit integers (intset), a flat array in
 * insertion order (listpack), and an extendible hash table. Conversions are those of Redis: from
 * the first to the others and from the second to the third, never back. The first two are packed
 * into one string while the set rests (`packing.ts`).
 *
 * It does not know keys or replies. A set that has become empty must be deleted by its user.
 */
import type { RdbSet } from "../../rdb/values.js";
import { parseInt64 } from "../int64.js";
import { HASH_MAX } from "../key-hash.js";
import { EMPTY } from "../segment.js";
import type { CollectionValue } from "../value.js";
import { ByteTable } from "./byte-table.js";
import {
  type Element,
  elementLength,
  elementOf,
  elementText,
  neutralBytes,
  textOfBytes,
} from "./element.js";
import type { CollectionEnvironment } from "./environment.js";
import { type Packable, packedBytes } from "./packing.js";

/** An intset's member: a bigint only beyond 2^53, so that equal integers are equal here. */
type Integer = number | bigint;

/** Redis' own limit of an intset, whatever is configured. */
const intsetEntriesMax = 2 ** 30;

/** As good as any: integers beyond 2^53 have 16 to 20 digits. */
const bigintTextBytes = 19;

export type SetEncoding = "intset" | "listpack" | "hashtable";

/** The value itself: V8's header and its fields. */
const objectBytes = 88;

export class SetValue implements CollectionValue, Packable {
  readonly type = "set";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  #encoding: SetEncoding;
  /** An intset's, ascending; `undefined` while packed, and in other forms. */
  #ascending: Integer[] | undefined = undefined;
  /** A listpack's, in the order of insertion; `undefined` while packed, and in other forms. */
  #inserted: Element[] | undefined = undefined;
  #packed: string | undefined = undefined;
  #table: ByteTable | undefined = undefined;

  constructor(environment: CollectionEnvironment, encoding: SetEncoding) {
    this.#environment = environment;
    this.#encoding = encoding;
    if (encoding === "hashtable") this.#hold(new ByteTable(false, environment.blocks));
  }

  pack(): void {
    const elements = this.#inserted ?? this.#ascending?.map(integerElement);
    if (elements === undefined) return;
    this.#packed = this.#environment.packing.pack(elements);
    if (this.#packed === undefined) return;
    this.#inserted = undefined;
    this.#ascending = undefined;
  }

  /** A set that can hold `member`, in the form that Redis chooses for about `count` members. */
  static for(member: string, count: number, environment: CollectionEnvironment): SetValue {
    const { setMaxIntsetEntries, setMaxListpackEntries } = environment.limits;
    if (count <= setMaxIntsetEntries && parseInt64(member) !== undefined) {
      return new SetValue(environment, "intset");
    }
    const encoding = count <= setMaxListpackEntries ? "listpack" : "hashtable";
    return new SetValue(environment, encoding);
  }

  static fromNeutral(neutral: RdbSet, environment: CollectionEnvironment): SetValue {
    const { members } = neutral;
    const first = textOfBytes(members[0] ?? "");
    const set = SetValue.for(first, members.length, environment);
    for (const member of members) set.add(textOfBytes(member));
    return set;
  }

  get encoding(): SetEncoding {
    return this.#encoding;
  }

  get length(): number {
    if (this.#table !== undefined) return this.#table.size;
    if (this.#packed !== undefined) return this.#environment.packing.count(this.#packed);
    return this.#encoding === "intset" ? this.#integers.length : this.#flat.length;
  }

  has(member: string): boolean {
    if (this.#table !== undefined) {
      return this.#table.has(member, this.#environment.hasher.hashOf(member));
    }
    if (this.#packed !== undefined) return this.#environment.packing.has(this.#packed, member);
    if (this.#encoding === "listpack") return this.#flat.includes(elementOf(member));
    const value = parseInt64(member);
    return value !== undefined && this.#integers[lowerBound(this.#integers, value)] === value;
  }

  /** Converts ahead of adding about `count` members, as Redis does for one command. */
  prepare(count: number): void {
    const { setMaxIntsetEntries, setMaxListpackEntries } = this.#environment.limits;
    const max = this.#encoding === "intset" ? setMaxIntsetEntries : setMaxListpackEntries;
    if (this.#table === undefined && count > max) this.#toTable();
  }

  /** True if the member is new. */
  add(member: string): boolean {
    if (this.#table !== undefined) {
      const hash = this.#environment.hasher.hashOf(member);
      return this.#table.set(member, hash, undefined);
    }
    return this.#encoding === "listpack" ? this.#addFlat(member) : this.#addInteger(member);
  }

  /** True if the member was there. */
  delete(member: string): boolean {
    if (this.#table !== undefined) {
      return this.#table.delete(member, this.#environment.hasher.hashOf(member));
    }
    const packed = this.#packed;
    if (this.#environment.packing.isEdited(packed, member.length)) {
      this.#packed = this.#environment.packing.withoutText(packed, member);
      return this.#environment.packing.found;
    }
    if (this.#encoding === "listpack") {
      const at = this.#flat.indexOf(elementOf(member));
      if (at >= 0) this.#flat.splice(at, 1);
      return at >= 0;
    }
    const value = parseInt64(member);
    if (value === undefined) return false;
    const at = lowerBound(this.#integers, value);
    if (this.#integers[at] !== value) return false;
    this.#integers.splice(at, 1);
    return true;
  }

  /** Appends all members to `into`. */
  collect(into: Element[]): void {
    if (this.#table !== undefined) {
      this.#table.collectAll(into);
    } else if (this.#packed !== undefined) {
      for (const element of this.#environment.packing.unpack(this.#packed)) into.push(element);
    } else if (this.#encoding === "listpack") {
      for (const element of this.#flat) into.push(element);
    } else {
      for (const value of this.#integers) into.push(integerElement(value));
    }
  }

  /** All members, one by one; the set must not change meanwhile. */
  *members(): Generator<Element> {
    if (this.#table === undefined) {
      const all: Element[] = [];
      this.collect(all);
      yield* all;
      return;
    }
    for (const segment of this.#table.segments()) {
      for (let place = 0; place < segment.places; place++) {
        if (segment.hashAt(place) !== EMPTY) yield segment.textAt(place);
      }
    }
  }

  /** One step of a scan; small sets are returned whole. Returns the next cursor, 0 at the end. */
  scan(cursor: number, count: number, into: Element[]): number {
    if (this.#table === undefined) {
      this.collect(into);
      return 0;
    }
    if (cursor > HASH_MAX) return 0;
    const next = this.#table.collect(cursor, count, into);
    return next < 0 ? 0 : next;
  }

  /** A random member, each equally likely. The set must not be empty. */
  pick(): Element {
    const { random } = this.#environment;
    const table = this.#table;
    if (table !== undefined) {
      table.pick(random);
      return table.atSegment.textAt(table.atPlace);
    }
    if (this.#encoding === "listpack") return this.#flat[random.below(this.length)] as Element;
    return integerElement(this.#integers[random.below(this.length)] as Integer);
  }

  /** Removes a random member and returns it. */
  pop(): Element {
    const table = this.#table;
    if (table !== undefined) {
      const member = this.pick();
      table.removePicked();
      return member;
    }
    const at = this.#environment.random.below(this.length);
    if (this.#encoding === "listpack") return this.#flat.splice(at, 1)[0] as Element;
    return integerElement(this.#integers.splice(at, 1)[0] as Integer);
  }

  /** Becomes an intset if it is small enough to; all members must be integers. */
  becomeIntset(): void {
    if (this.#encoding === "intset" || this.length > this.#intsetMax) return;
    const all: Element[] = [];
    this.collect(all);
    const integers = all.map((element) => parseInt64(elementText(element)) as Integer);
    this.#become("intset");
    this.#loosenIntegers(integers.sort((left, right) => (left < right ? -1 : 1)));
  }

  copy(): SetValue {
    const copy = new SetValue(this.#environment, "intset");
    copy.#encoding = this.#encoding;
    if (this.#table !== undefined) copy.#hold(this.#table.copy());
    copy.#packed = this.#packed;
    if (this.#inserted !== undefined) copy.#loosenFlat(this.#inserted.slice());
    if (this.#ascending !== undefined) copy.#loosenIntegers(this.#ascending.slice());
    return copy;
  }

  toNeutral(): RdbSet {
    const all: Element[] = [];
    this.collect(all);
    return { type: "set", members: all.map(neutralBytes) };
  }

  memoryUsage(): number {
    if (this.#table !== undefined) return objectBytes + this.#table.memoryBytes;
    if (this.#packed !== undefined) return objectBytes + packedBytes(0, this.#packed.length);
    const elements = this.#inserted ?? this.#ascending ?? [];
    let bytes = 0;
    for (const element of elements) {
      bytes += typeof element === "bigint" ? bigintTextBytes : elementLength(element);
    }
    return objectBytes + packedBytes(elements.length, bytes);
  }

  get #integers(): Integer[] {
    if (this.#ascending !== undefined) return this.#ascending;
    const texts = this.#packed === undefined ? [] : this.#environment.packing.unpack(this.#packed);
    return this.#loosenIntegers(texts.map((text) => parseInt64(elementText(text)) as Integer));
  }

  get #flat(): Element[] {
    if (this.#inserted !== undefined) return this.#inserted;
    const packed = this.#packed;
    return this.#loosenFlat(packed === undefined ? [] : this.#environment.packing.unpack(packed));
  }

  #loosenIntegers(integers: Integer[]): Integer[] {
    this.#ascending = integers;
    this.#packed = undefined;
    this.#environment.packing.admit(this);
    return integers;
  }

  #loosenFlat(elements: Element[]): Element[] {
    this.#inserted = elements;
    this.#packed = undefined;
    this.#environment.packing.admit(this);
    return elements;
  }

  /** Frees at once the memory of a large set that nobody else knows. */
  discard(): void {
    this.#table?.release();
    this.#table = undefined;
  }

  /** Another encoding, without members. */
  #become(encoding: SetEncoding): void {
    if (this.#inserted !== undefined || this.#ascending !== undefined) {
      this.#environment.packing.forget(this);
    }
    this.#ascending = undefined;
    this.#inserted = undefined;
    this.#packed = undefined;
    this.discard();
    this.#encoding = encoding;
  }

  get #intsetMax(): number {
    return Math.min(this.#environment.limits.setMaxIntsetEntries, intsetEntriesMax);
  }

  #addFlat(member: string): boolean {
    if (this.has(member)) return false;
    const { limits, packing } = this.#environment;
    const { setMaxListpackEntries, setMaxListpackValue } = limits;
    if (this.length < setMaxListpackEntries && member.length <= setMaxListpackValue) {
      const packed = this.#packed;
      if (packing.isEdited(packed, member.length)) {
        this.#packed = packing.withPushed(packed, member, true);
      } else this.#flat.push(elementOf(member));
      return true;
    }
    this.#toTable();
    return this.add(member);
  }

  #addInteger(member: string): boolean {
    const integers = this.#integers;
    const value = parseInt64(member);
    if (value === undefined) {
      if (this.#fitsListpack(member)) {
        const all: Element[] = [];
        this.collect(all);
        all.push(elementOf(member));
        this.#become("listpack");
        this.#loosenFlat(all);
        return true;
      }
      this.#toTable();
      return this.add(member);
    }
    const at = lowerBound(integers, value);
    if (integers[at] === value) return false;
    if (at === integers.length) integers.push(value);
    else integers.splice(at, 0, value);
    if (integers.length > this.#intsetMax) this.#toTable();
    return true;
  }

  /** True if the integers and one more member may be a listpack. */
  #fitsListpack(member: string): boolean {
    const integers = this.#integers;
    const { setMaxListpackEntries, setMaxListpackValue } = this.#environment.limits;
    if (integers.length >= setMaxListpackEntries || member.length > setMaxListpackValue) {
      return false;
    }
    // The longest integer is the smallest or the largest one.
    const first = String(integers[0] ?? "").length;
    const last = String(integers.at(-1) ?? "").length;
    return Math.max(first, last) <= setMaxListpackValue;
  }

  #toTable(): void {
    const { hasher, blocks } = this.#environment;
    const table = new ByteTable(false, blocks);
    const all: Element[] = [];
    this.collect(all);
    for (const element of all) {
      const member = elementText(element);
      table.set(member, hasher.hashOf(member), undefined);
    }
    this.#become("hashtable");
    this.#hold(table);
  }

  /** Its memory is to be freed when nobody has this set any more. */
  #hold(table: ByteTable): void {
    this.#table = table;
    this.#environment.blocks.releaseAfter(this, table);
  }
}

/** First index whose integer is not below `value`. */
function lowerBound(integers: readonly Integer[], value: Integer): number {
  let low = 0;
  let high = integers.length;
  // Most sets are filled in ascending order.
  if (high > 0 && (integers[high - 1] as Integer) < value) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((integers[middle] as Integer) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function integerElement(value: Integer): Element {
  return typeof value === "number" && value === (value | 0) ? value : String(value);
}
