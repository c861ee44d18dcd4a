/**
 * The RDB decoder: chunks in, events out. It reads versions 1 to 12, verifies the checksum, and
 * hands large collections over in parts. It does no I/O, applies nothing, and refuses what it does
 * not know by name: after an error nothing more can be read from it.
 */

import { ByteReader } from "./byte-reader.js";
import { decodeCollection, elementCount } from "./decode-collection.js";
import {
  defaultRdbLimits,
  opcode,
  RdbError,
  type RdbLimits,
  rdbVersionReadMax,
  valueType,
} from "./format.js";
import type { Bytes, RdbValue } from "./values.js";

export interface RdbKeyEvent {
  readonly kind: "key";
  readonly db: number;
  readonly key: Bytes;
  /** The whole value, or the first part if `more`. */
  readonly value: RdbValue;
  readonly more: boolean;
  /** Unix milliseconds, -1 for none. */
  readonly expireAt: number;
  /** -1 when the file does not say. */
  readonly idleSeconds: number;
  /** The LFU counter, 0 to 255, -1 when the file does not say. */
  readonly frequency: number;
}

export type RdbEvent =
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "aux"; readonly name: string; readonly value: string }
  | { readonly kind: "selectDb"; readonly db: number }
  | { readonly kind: "resizeDb"; readonly keys: number; readonly expires: number }
  /** A function library's source code. */
  | { readonly kind: "function"; readonly code: Bytes }
  | RdbKeyEvent
  /** The next part of the collection that the last key event began. */
  | { readonly kind: "part"; readonly value: RdbValue; readonly more: boolean }
  /** "absent": an old version, or written without. A wrong checksum is an error instead. */
  | { readonly kind: "eof"; readonly checksum: "ok" | "absent"; readonly emptyKeysSkipped: number };

export interface RdbDecoderOptions {
  readonly limits?: Partial<RdbLimits>;
  /** Whether a stored checksum is verified; default true. */
  readonly verifyChecksum?: boolean;
  /** Databases from this number on are refused; default 2^31. */
  readonly databaseCount?: number;
}

const magic = "REDIS";
const headerBytes = 9;
const checksumSinceVersion = 5;
/** Opcodes count down from 255, value types up from 0; Valkey's newest opcodes stand at 240. */
const firstOpcode = 240;

/** Yields events, or `undefined` when more bytes are needed. */
type Events<Result> = Generator<RdbEvent | undefined, Result, void>;

export class RdbDecoder {
  readonly #reader: ByteReader;
  readonly #events: Events<undefined>;
  readonly #limits: RdbLimits;
  readonly #databaseCount: number;
  #finished = false;
  #db = 0;
  /** What was said about the next key; -1 is nothing. */
  #expireAt = -1;
  #idleSeconds = -1;
  #frequency = -1;
  #emptyKeysSkipped = 0;

  constructor(options: RdbDecoderOptions = {}) {
    this.#limits = { ...defaultRdbLimits, ...options.limits };
    this.#databaseCount = options.databaseCount ?? 2 ** 31;
    this.#reader = new ByteReader(this.#limits, { checksum: options.verifyChecksum ?? true });
    this.#events = this.#decode();
  }

  /** True once the end of the data set, checksum included, was read. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Bytes consumed so far; when finished, the length of the RDB. */
  get consumedBytes(): number {
    return this.#reader.consumedBytes;
  }

  /** Borrows `chunk` until `next` answers `undefined`, or `park` is called. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** The next event, or `undefined`: finished, or more bytes are needed. Throws `RdbError`. */
  next(): RdbEvent | undefined {
    if (this.#finished) return undefined;
    const step = this.#events.next();
    const event = step.value ?? undefined;
    if (event === undefined) this.#reader.park();
    return event;
  }

  /** Gives the borrowed chunk back before `next` has answered `undefined`. */
  park(): void {
    this.#reader.park();
  }

  /** What was pushed and lies behind the end of the RDB. */
  takeRest(): Buffer {
    return this.#reader.takeRest();
  }

  *#decode(): Events<undefined> {
    const reader = this.#reader;
    while (!reader.has(headerBytes)) yield undefined;
    const version = this.#version(reader.text(headerBytes));
    yield { kind: "version", version };
    for (;;) {
      while (!reader.has(1)) yield undefined;
      const type = reader.byte();
      if (type === valueType.string) {
        // Mostly both are there: a generator for each key would cost more than reading it.
        const key = reader.string();
        const value = key === undefined ? undefined : reader.string();
        if (key === undefined || value === undefined) yield* this.#stringKey(key);
        else yield this.#keyEvent(key, { type: "string", value }, false);
        this.#forgetAttributes();
      } else if (type < firstOpcode) {
        yield* this.#collectionKey(type);
      } else if (type === opcode.eof) {
        yield* this.#end(version);
        return undefined;
      } else if (!(yield* this.#attribute(type))) {
        yield* this.#section(type);
      }
    }
  }

  /** What is said about the next key; false if `type` is no such thing. */
  *#attribute(type: number): Events<boolean> {
    const reader = this.#reader;
    switch (type) {
      case opcode.expireTimeMs:
        while (!reader.has(8)) yield undefined;
        this.#expireAt = reader.time64();
        return true;
      case opcode.expireTimeSeconds:
        while (!reader.has(4)) yield undefined;
        this.#expireAt = reader.time32() * 1000;
        return true;
      case opcode.idle:
        this.#idleSeconds = yield* this.#length();
        return true;
      case opcode.frequency:
        while (!reader.has(1)) yield undefined;
        this.#frequency = reader.byte();
        return true;
      default:
        return false;
    }
  }

  /** Of a string that has not come whole yet; its key may have. */
  *#stringKey(known: Bytes | number | undefined): Events<void> {
    const reader = this.#reader;
    let key = known;
    while (key === undefined) {
      yield undefined;
      key = reader.string();
    }
    let value = reader.string();
    while (value === undefined) {
      yield undefined;
      value = reader.string();
    }
    yield this.#keyEvent(key, { type: "string", value }, false);
  }

  *#collectionKey(type: number): Events<void> {
    let key = this.#reader.string();
    while (key === undefined) {
      yield undefined;
      key = this.#reader.string();
    }
    const parts = decodeCollection(this.#reader, type, this.#limits);
    let first = true;
    for (let more = true; more; ) {
      const step = parts.next();
      const value = step.value;
      if (value === undefined) {
        yield undefined;
        continue;
      }
      more = step.done !== true;
      // Redis skips empty collections, which a bug once wrote; an empty stream is a value.
      const isEmpty = first && !more && value.type !== "stream" && elementCount(value) === 0;
      if (isEmpty) this.#emptyKeysSkipped++;
      else yield first ? this.#keyEvent(key, value, more) : { kind: "part", value, more };
      first = false;
    }
    this.#forgetAttributes();
  }

  #keyEvent(key: Bytes | number, value: RdbValue, more: boolean): RdbKeyEvent {
    return {
      kind: "key",
      db: this.#db,
      key: typeof key === "number" ? String(key) : key,
      value,
      more,
      expireAt: this.#expireAt,
      idleSeconds: this.#idleSeconds,
      frequency: this.#frequency,
    };
  }

  #forgetAttributes(): void {
    this.#expireAt = -1;
    this.#idleSeconds = -1;
    this.#frequency = -1;
  }

  /** The sections that are neither keys nor about the next key. */
  *#section(type: number): Events<void> {
    switch (type) {
      case opcode.selectDb:
        this.#db = yield* this.#length();
        if (this.#db >= this.#databaseCount) {
          const limit = `'databases' is ${this.#databaseCount}`;
          throw new RdbError("limit", `the data set uses database ${this.#db}; ${limit}`);
        }
        yield { kind: "selectDb", db: this.#db };
        return;
      case opcode.aux: {
        const name = yield* this.#text();
        yield { kind: "aux", name, value: yield* this.#text() };
        return;
      }
      case opcode.resizeDb: {
        const keys = yield* this.#length();
        yield { kind: "resizeDb", keys, expires: yield* this.#length() };
        return;
      }
      case opcode.slotInfo:
        // Slot, keys and expiring keys in it: hints for allocation only (Valkey 8, Redis 7.4).
        for (let index = 0; index < 3; index++) yield* this.#length();
        return;
      case opcode.function2:
        yield { kind: "function", code: yield* this.#string() };
        return;
      case opcode.functionPreGa:
        throw new RdbError("unsupported", "functions of a 7.0 release candidate");
      case opcode.moduleAux:
        throw new RdbError("unsupported", "data of a module, and we have no modules");
      default:
        throw new RdbError("unsupported", `section ${type} is not one we know`);
    }
  }

  *#end(version: number): Events<void> {
    const reader = this.#reader;
    let checksum: "ok" | "absent" = "absent";
    if (version >= checksumSinceVersion) {
      while (!reader.has(8)) yield undefined;
      const { stored, equal } = reader.verifyChecksum();
      if (stored && !equal) throw new RdbError("corrupt", "the checksum is wrong");
      if (stored) checksum = "ok";
    }
    this.#finished = true;
    yield { kind: "eof", checksum, emptyKeysSkipped: this.#emptyKeysSkipped };
  }

  #version(header: string): number {
    const digits = header.slice(magic.length);
    if (!header.startsWith(magic) || !/^[0-9]{4}$/.test(digits)) {
      throw new RdbError("corrupt", "this is no RDB: it does not begin with REDIS and a version");
    }
    const version = Number(digits);
    if (version < 1 || version > rdbVersionReadMax) {
      throw new RdbError(
        "unsupported",
        `RDB version ${version}; versions 1 to ${rdbVersionReadMax} can be read`,
      );
    }
    return version;
  }

  *#length(): Generator<undefined, number, void> {
    let value = this.#reader.length();
    while (value === undefined) {
      yield undefined;
      value = this.#reader.length();
    }
    return value;
  }

  *#string(): Generator<undefined, Bytes, void> {
    let value = this.#reader.string();
    while (value === undefined) {
      yield undefined;
      value = this.#reader.string();
    }
    return typeof value === "number" ? String(value) : value;
  }

  *#text(): Generator<undefined, string, void> {
    const value = yield* this.#string();
    return typeof value === "string" ? value : value.toString("latin1");
  }
}
