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

export class RdbDecoder {
  readonly #reader: ByteReader;
  readonly #events: Generator<RdbEvent | undefined, undefined, void>;
  readonly #limits: RdbLimits;
  readonly #databaseCount: number;
  #finished = false;

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

  *#decode(): Generator<RdbEvent | undefined, undefined, void> {
    const reader = this.#reader;
    while (!reader.has(headerBytes)) yield undefined;
    const version = this.#version(reader.text(headerBytes));
    yield { kind: "version", version };
    let db = 0;
    let expireAt = -1;
    let idleSeconds = -1;
    let frequency = -1;
    let emptyKeysSkipped = 0;
    for (;;) {
      while (!reader.has(1)) yield undefined;
      const type = reader.byte();
      switch (type) {
        case opcode.expireTimeMs:
          while (!reader.has(8)) yield undefined;
          expireAt = reader.time64();
          continue;
        case opcode.expireTimeSeconds:
          while (!reader.has(4)) yield undefined;
          expireAt = reader.time32() * 1000;
          continue;
        case opcode.idle:
          idleSeconds = yield* this.#length();
          continue;
        case opcode.frequency:
          while (!reader.has(1)) yield undefined;
          frequency = reader.byte();
          continue;
        case opcode.selectDb:
          db = yield* this.#length();
          if (db >= this.#databaseCount) {
            throw new RdbError(
              "limit",
              `the data set uses database ${db}; 'databases' is ${this.#databaseCount}`,
            );
          }
          yield { kind: "selectDb", db };
          continue;
        case opcode.eof:
          yield* this.#end(version, emptyKeysSkipped);
          return undefined;
        default:
          break;
      }
      if (type >= firstOpcode) {
        yield* this.#section(type);
        continue;
      }
      let key = reader.string();
      while (key === undefined) {
        yield undefined;
        key = reader.string();
      }
      if (typeof key === "number") key = String(key);
      if (type === valueType.string) {
        let value = reader.string();
        while (value === undefined) {
          yield undefined;
          value = reader.string();
        }
        const string = { type: "string", value } as const;
        yield {
          kind: "key",
          db,
          key,
          value: string,
          more: false,
          expireAt,
          idleSeconds,
          frequency,
        };
      } else {
        const meta = { kind: "key", db, key, expireAt, idleSeconds, frequency } as const;
        if (yield* this.#collection(type, meta)) emptyKeysSkipped++;
      }
      expireAt = -1;
      idleSeconds = -1;
      frequency = -1;
    }
  }

  /** Returns true if the collection was empty: Redis skips such keys, once written by a bug. */
  *#collection(
    type: number,
    meta: Omit<RdbKeyEvent, "value" | "more">,
  ): Generator<RdbEvent | undefined, boolean, void> {
    const parts = decodeCollection(this.#reader, type, this.#limits);
    let first = true;
    for (;;) {
      const step = parts.next();
      const value = step.value;
      if (value === undefined) {
        yield undefined;
        continue;
      }
      const more = step.done !== true;
      if (first && !more && value.type !== "stream" && elementCount(value) === 0) return true;
      yield first ? { ...meta, value, more } : { kind: "part", value, more };
      first = false;
      if (!more) return false;
    }
  }

  /** The sections that are neither keys nor about the next key. */
  *#section(type: number): Generator<RdbEvent | undefined, void, void> {
    switch (type) {
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

  *#end(version: number, emptyKeysSkipped: number): Generator<RdbEvent | undefined, void, void> {
    const reader = this.#reader;
    let checksum: "ok" | "absent" = "absent";
    if (version >= checksumSinceVersion) {
      while (!reader.has(8)) yield undefined;
      const { stored, equal } = reader.verifyChecksum();
      if (stored && !equal) throw new RdbError("corrupt", "the checksum is wrong");
      if (stored) checksum = "ok";
    }
    this.#finished = true;
    yield { kind: "eof", checksum, emptyKeysSkipped };
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
