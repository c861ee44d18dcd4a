/**
 * The hash: fields and values. Up to the configured size one flat array of field, value, field,
 * value in insertion order, searched from its start, as Redis' listpack, and packed into one string
 * while it rests (`packing.ts`); beyond it an extendible hash table (`byte-table.ts`). The
 * conversion is one way.
 *
 * It does not know keys or replies. A hash that has become empty must be deleted by its user.
 */
import type { Bytes, RdbHash } from "../../rdb/values.js";
import { HASH_MAX } from "../key-hash.js";
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

/** The value itself: V8's header and its fields. */
const objectBytes = 72;

export class HashValue implements CollectionValue, Packable {
  readonly type = "hash";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  /** Field, value, …; `undefined` while packed, and once converted. */
  #pairs: Element[] | undefined = undefined;
  #packed: string | undefined = undefined;
  #table: ByteTable | undefined = undefined;

  constructor(environment: CollectionEnvironment) {
    this.#environment = environment;
  }

  pack(): void {
    const pairs = this.#pairs;
    if (pairs === undefined) return;
    this.#packed = this.#environment.packing.pack(pairs);
    if (this.#packed !== undefined) this.#pairs = undefined;
  }

  static fromNeutral(neutral: RdbHash, environment: CollectionEnvironment): HashValue {
    const hash = new HashValue(environment);
    const { pairs } = neutral;
    if (pairs.length / 2 > environment.limits.hashMaxListpackEntries) hash.#convert();
    for (let index = 0; index < pairs.length; index += 2) {
      hash.set(textOfBytes(pairs[index] as Bytes), textOfBytes(pairs[index + 1] as Bytes));
    }
    return hash;
  }

  get encoding(): string {
    return this.#table === undefined ? "listpack" : "hashtable";
  }

  get length(): number {
    if (this.#table !== undefined) return this.#table.size;
    const packed = this.#packed;
    return (
      (packed === undefined ? this.#flat.length : this.#environment.packing.count(packed)) >>> 1
    );
  }

  get(field: string): Element | undefined {
    const table = this.#table;
    if (table !== undefined) {
      return table.value(field, this.#environment.hasher.hashOf(field));
    }
    if (this.#packed !== undefined) {
      return this.#environment.packing.valueOf(this.#packed, field);
    }
    const at = this.#find(field);
    return at < 0 ? undefined : (this.#flat[at + 1] as Element);
  }

  has(field: string): boolean {
    return this.get(field) !== undefined;
  }

  /** Converts if what is going to be set does not fit: words `from` to before `to` of `argv`. */
  prepare(argv: readonly string[], from: number, to: number): void {
    if (this.#table !== undefined) return;
    const { hashMaxListpackEntries, hashMaxListpackValue } = this.#environment.limits;
    if ((to - from) >>> 1 > hashMaxListpackEntries) {
      this.#convert();
      return;
    }
    for (let index = from; index < to; index++) {
      if ((argv[index] as string).length > hashMaxListpackValue) {
        this.#convert();
        return;
      }
    }
  }

  /** True if the field is new. */
  set(field: string, value: string): boolean {
    const { hasher, limits, packing } = this.#environment;
    const longest = limits.hashMaxListpackValue;
    if (this.#table === undefined && (field.length > longest || value.length > longest)) {
      this.#convert();
    }
    if (this.#table !== undefined) return this.#table.set(field, hasher.hashOf(field), value);
    const packed = this.#packed;
    if (packing.isEdited(packed, field.length + value.length)) {
      return this.#setPacked(packed, field, value);
    }
    const element = elementOf(value);
    const pairs = this.#flat;
    const at = this.#find(field);
    if (at >= 0) pairs[at + 1] = element;
    else pairs.push(elementOf(field), element);
    if (pairs.length >>> 1 > limits.hashMaxListpackEntries) this.#convert();
    return at < 0;
  }

  /** True if the field was there. */
  delete(field: string): boolean {
    if (this.#table !== undefined) {
      return this.#table.delete(field, this.#environment.hasher.hashOf(field));
    }
    const { packing } = this.#environment;
    const packed = this.#packed;
    if (packing.isEdited(packed, field.length)) {
      this.#packed = packing.withoutField(packed, field);
      return packing.found;
    }
    const at = this.#find(field);
    if (at < 0) return false;
    this.#flat.splice(at, 2);
    return true;
  }

  /** Appends all fields and values to `into`: field, value, … */
  collect(into: Element[]): void {
    if (this.#table === undefined) {
      for (const element of this.#read()) into.push(element);
      return;
    }
    this.#table.collectAll(into);
  }

  /**
   * One step of a scan: appends to `into` and returns the next cursor, 0 at the end. A small hash
   * is returned whole, as Redis does.
   */
  scan(cursor: number, count: number, into: Element[]): number {
    if (this.#table === undefined) {
      this.collect(into);
      return 0;
    }
    if (cursor > HASH_MAX) return 0;
    const next = this.#table.collect(cursor, count, into);
    return next < 0 ? 0 : next;
  }

  /** Appends one random field and its value, each field equally likely. */
  pick(into: Element[]): void {
    const { random } = this.#environment;
    const table = this.#table;
    if (table === undefined) {
      const at = 2 * random.below(this.length);
      into.push(this.#flat[at] as Element, this.#flat[at + 1] as Element);
      return;
    }
    table.pick(random);
    table.atSegment.readAt(table.atPlace, into);
  }

  copy(): HashValue {
    const copy = new HashValue(this.#environment);
    if (this.#table !== undefined) copy.#hold(this.#table.copy());
    copy.#packed = this.#packed;
    if (this.#pairs !== undefined) copy.#loosen(this.#pairs.slice());
    return copy;
  }

  toNeutral(): RdbHash {
    const all: Element[] = [];
    this.collect(all);
    return { type: "hash", pairs: all.map(neutralBytes) };
  }

  memoryUsage(): number {
    if (this.#table !== undefined) return objectBytes + this.#table.memoryBytes;
    if (this.#packed !== undefined) return objectBytes + packedBytes(0, this.#packed.length);
    const pairs = this.#flat;
    let bytes = 0;
    for (const element of pairs) bytes += elementLength(element);
    return objectBytes + packedBytes(pairs.length, bytes);
  }

  get #flat(): Element[] {
    return this.#pairs ?? this.#loosen(this.#read());
  }

  /** What is in it, not to be changed: the form stays as it is. */
  #read(): Element[] {
    if (this.#pairs !== undefined) return this.#pairs;
    return this.#packed === undefined ? [] : this.#environment.packing.unpack(this.#packed);
  }

  #loosen(pairs: Element[]): Element[] {
    this.#pairs = pairs;
    this.#packed = undefined;
    this.#environment.packing.admit(this);
    return pairs;
  }

  #setPacked(packed: string, field: string, value: string): boolean {
    const { packing, limits } = this.#environment;
    this.#packed = packing.withValue(packed, field, value);
    const isNew = !packing.found;
    if (isNew && this.length > limits.hashMaxListpackEntries) this.#convert();
    return isNew;
  }

  /** Index of the field in the flat array, or -1. */
  #find(field: string): number {
    const pairs = this.#flat;
    const wanted = elementOf(field);
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === wanted) return at;
    return -1;
  }

  #convert(): void {
    const pairs = this.#read();
    const { hasher, packing, blocks } = this.#environment;
    if (this.#pairs !== undefined) packing.forget(this);
    const table = new ByteTable(true, blocks);
    for (let at = 0; at < pairs.length; at += 2) {
      const field = elementText(pairs[at] as Element);
      table.set(field, hasher.hashOf(field), elementText(pairs[at + 1] as Element));
    }
    this.#pairs = undefined;
    this.#packed = undefined;
    this.#hold(table);
  }

  /** Its memory is to be freed when nobody has this hash any more. */
  #hold(table: ByteTable): void {
    this.#table = table;
    this.#environment.blocks.releaseAfter(this, table);
  }
}
