/**
 * The set, in Redis' three forms: an ordered array of 64-bit integers (intset), a flat array in
 * insertion order (listpack), and an extendible hash table. Conversions are those of Redis: from
 * the first to the others and from the second to the third, never back.
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
  elementBytes,
  elementOf,
  elementText,
  neutralBytes,
  textOfBytes,
} from "./element.js";
import type { CollectionEnvironment } from "./environment.js";

/** An intset's member: a bigint only beyond 2^53, so that equal integers are equal here. */
type Integer = number | bigint;

/** Redis' own limit of an intset, whatever is configured. */
const intsetEntriesMax = 2 ** 30;

export type SetEncoding = "intset" | "listpack" | "hashtable";

export class SetValue implements CollectionValue {
  readonly type = "set";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  #encoding: SetEncoding;
  /** Ascending. */
  #integers: Integer[] = [];
  /** In the order of insertion. */
  #flat: Element[] = [];
  #table: ByteTable | undefined = undefined;

  constructor(environment: CollectionEnvironment, encoding: SetEncoding) {
    this.#environment = environment;
    this.#encoding = encoding;
    if (encoding === "hashtable") this.#table = new ByteTable(false);
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
    return this.#encoding === "intset" ? this.#integers.length : this.#flat.length;
  }

  has(member: string): boolean {
    if (this.#table !== undefined) {
      return this.#table.has(member, this.#environment.hasher.hashOf(member));
    }
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
        if (segment.slots[2 * place] !== EMPTY) yield segment.textAt(place);
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
    this.#integers = integers.sort((left, right) => (left < right ? -1 : 1));
    this.#flat = [];
    this.#table = undefined;
    this.#encoding = "intset";
  }

  copy(): SetValue {
    const copy = new SetValue(this.#environment, this.#encoding);
    copy.#integers = this.#integers.slice();
    copy.#flat = this.#flat.slice();
    copy.#table = this.#table?.copy();
    return copy;
  }

  toNeutral(): RdbSet {
    const all: Element[] = [];
    this.collect(all);
    return { type: "set", members: all.map(neutralBytes) };
  }

  memoryUsage(): number {
    if (this.#table !== undefined) return 80 + this.#table.memoryBytes;
    if (this.#encoding === "intset") return 80 + 8 * this.#integers.length;
    let bytes = 80 + 8 * this.#flat.length;
    for (const element of this.#flat) bytes += elementBytes(element);
    return bytes;
  }

  get #intsetMax(): number {
    return Math.min(this.#environment.limits.setMaxIntsetEntries, intsetEntriesMax);
  }

  #addFlat(member: string): boolean {
    const element = elementOf(member);
    if (this.#flat.includes(element)) return false;
    const { setMaxListpackEntries, setMaxListpackValue } = this.#environment.limits;
    if (this.#flat.length < setMaxListpackEntries && member.length <= setMaxListpackValue) {
      this.#flat.push(element);
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
        this.collect(this.#flat);
        this.#flat.push(elementOf(member));
        this.#integers = [];
        this.#encoding = "listpack";
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
    const { hasher } = this.#environment;
    const table = new ByteTable(false);
    const all: Element[] = [];
    this.collect(all);
    for (const element of all) {
      const member = elementText(element);
      table.set(member, hasher.hashOf(member), undefined);
    }
    this.#integers = [];
    this.#flat = [];
    this.#table = table;
    this.#encoding = "hashtable";
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
