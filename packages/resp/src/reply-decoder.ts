/**
 * Replies from bytes, RESP2 and RESP3, for the links on which we are the client: replication,
 * MIGRATE, a router's probes, tests. Nested replies stand on an explicit stack, so neither their
 * depth nor the cut of the chunks matters. Refuses streamed strings and aggregates (`$?`, `*?`),
 * which no server sends.
 */
import { latin1String } from "./byte-string.js";
import { ByteWindow } from "./byte-window.js";
import { ProtocolError, ReplyError } from "./errors.js";
import { parseInteger } from "./integer.js";
import { LargeBulk } from "./large-bulk.js";
import { defaultReplyLimits, largeArgumentBytes } from "./limits.js";
import type { ReplyLimits } from "./limits.js";
import { ReplyMap, ReplyPush, ReplySet, VerbatimString } from "./reply-values.js";
import type { ReplyValue } from "./reply-values.js";

export interface ReplyDecoderOptions {
  /**
   * Bulk strings as latin1 strings (Buffers from 64 KiB on), or all as Buffers. Default: strings.
   */
  readonly bulks?: "string" | "buffer";
  readonly limits?: Partial<ReplyLimits>;
}

type AggregateKind = "array" | "map" | "set" | "push" | "attribute";
type BulkKind = "bulk" | "verbatim" | "error";

/** An aggregate whose elements are still coming. */
interface Frame {
  readonly kind: AggregateKind;
  readonly items: ReplyValue[];
  missing: number;
}

/** What one step of reading came to. */
const needsBytes = 0;
const goesOn = 1;
const hasValue = 2;

const cr = 0x0d;
const lf = 0x0a;
const doublePattern = /^[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|inf)$|^-?nan$/;
const bigNumberPattern = /^[+-]?\d+$/;

export class ReplyDecoder extends ByteWindow {
  /** The attributes that stood in front of the reply returned last. */
  attributes: ReplyMap | undefined = undefined;
  private readonly limits: ReplyLimits;
  private readonly asBuffers: boolean;
  private readonly stack: Frame[] = [];
  /** How far behind `position` the search for a line end has come. */
  private scanned = 0;
  /** The value read last, on its way to its place. */
  private value: ReplyValue = null;
  private bulk: LargeBulk | undefined = undefined;
  private bulkKind: BulkKind = "bulk";
  /** `readBytes` at the beginning of the reply that is not complete. */
  private replyOffset = 0;
  private isInside = false;
  private failure: ProtocolError | undefined = undefined;

  constructor(options: ReplyDecoderOptions = {}) {
    super();
    this.asBuffers = options.bulks === "buffer";
    this.limits = { ...defaultReplyLimits, ...options.limits };
  }

  /**
   * The next reply; `undefined` when more bytes are needed, and then nothing is borrowed any more.
   * Throws `ProtocolError`, and again at each later call.
   */
  next(): ReplyValue | undefined {
    if (this.failure !== undefined) throw this.failure;
    for (;;) {
      let outcome = needsBytes;
      if (this.isInside || this.begin()) {
        outcome = this.bulk === undefined ? this.readLine() : this.readBulk();
        if (this.readBytes - this.replyOffset > this.limits.replyBytesMax) {
          throw this.fail(`a reply of more than ${this.limits.replyBytesMax} bytes`);
        }
      }
      if (outcome === needsBytes) {
        if (!this.extend(this.end - this.position + 1)) break;
      } else if (outcome === hasValue && this.place()) {
        const reply = this.value;
        this.value = null;
        this.isInside = false;
        return reply;
      }
    }
    this.secure();
    return undefined;
  }

  /** Bytes in own memory that belong to a reply not yet complete. */
  get bufferedBytes(): number {
    return this.heldBytes + (this.bulk === undefined ? 0 : this.bulk.bytesRead);
  }

  /**
   * Ends the decoding and returns the bytes behind the last reply: a full synchronisation begins.
   */
  takeRest(): Buffer {
    return this.takeUnread();
  }

  /** A bare LF between replies is a primary's sign of life while it prepares a synchronisation. */
  private begin(): boolean {
    while (this.position < this.end && this.source[this.position] === lf) this.position++;
    if (this.position === this.end) return false;
    this.isInside = true;
    this.attributes = undefined;
    this.replyOffset = this.readBytes;
    return true;
  }

  private readLine(): number {
    const lineEnd = this.findLineEnd();
    if (lineEnd === -1) return needsBytes;
    if (lineEnd === this.position) throw this.fail("an empty line begins no reply");
    const type = this.source[this.position]!;
    const start = this.position + 1;
    this.position = lineEnd + 2;
    this.scanned = 0;
    switch (type) {
      case 0x2b: // +
        return this.give(latin1String(this.source, start, lineEnd - start));
      case 0x2d: // -
        return this.give(new ReplyError(latin1String(this.source, start, lineEnd - start)));
      case 0x3a: // :
        return this.give(this.integer(start, lineEnd));
      case 0x24: // $
        return this.beginBulk("bulk", start, lineEnd);
      case 0x21: // !
        return this.beginBulk("error", start, lineEnd);
      case 0x3d: // =
        return this.beginBulk("verbatim", start, lineEnd);
      case 0x2a: // *
        return this.beginAggregate("array", start, lineEnd);
      case 0x25: // %
        return this.beginAggregate("map", start, lineEnd);
      case 0x7e: // ~
        return this.beginAggregate("set", start, lineEnd);
      case 0x3e: // >
        return this.beginAggregate("push", start, lineEnd);
      case 0x7c: // |
        return this.beginAggregate("attribute", start, lineEnd);
      default:
        return this.give(this.scalar(type, latin1String(this.source, start, lineEnd - start)));
    }
  }

  /** The types of RESP3 that are a short line of text. */
  private scalar(type: number, text: string): ReplyValue {
    switch (type) {
      case 0x5f: // _
        if (text === "") return null;
        break;
      case 0x23: // #
        if (text === "t" || text === "f") return text === "t";
        break;
      case 0x2c: // ,
        if (doublePattern.test(text)) return Number(text.replace("inf", "Infinity"));
        break;
      case 0x28: // (
        if (bigNumberPattern.test(text)) return BigInt(text.replace("+", ""));
        break;
    }
    throw this.fail(`'${String.fromCharCode(type)}${text.slice(0, 32)}' begins no reply`);
  }

  private integer(start: number, end: number): number | bigint {
    const value = parseInteger(this.source, start, end);
    if (value === undefined) throw this.fail("invalid integer");
    return value;
  }

  /** The number behind a type: `undefined` for the -1 with which RESP2 says null. */
  private length(start: number, end: number, max: number): number | undefined {
    const value = this.integer(start, end);
    if (value === -1) return undefined;
    if (value < 0 || value > max) throw this.fail(`length ${value} is not between 0 and ${max}`);
    return Number(value);
  }

  private beginBulk(kind: BulkKind, start: number, lineEnd: number): number {
    const length = this.length(start, lineEnd, this.limits.bulkBytesMax);
    if (length === undefined) return this.give(null);
    this.bulkKind = kind;
    this.bulk = new LargeBulk(length);
    return goesOn;
  }

  private readBulk(): number {
    const bulk = this.bulk!;
    const taken = Math.min(bulk.bytesMissing, this.end - this.position);
    bulk.take(this.source, this.position, taken);
    this.position += taken;
    if (bulk.bytesMissing > 0 || this.end - this.position < 2) return needsBytes;
    if (this.source[this.position] !== cr || this.source[this.position + 1] !== lf) {
      throw this.fail("a bulk string is not followed by CRLF");
    }
    this.position += 2;
    this.bulk = undefined;
    const bytes = bulk.bytes;
    if (this.bulkKind === "bulk") return this.give(this.textOrBytes(bytes));
    if (this.bulkKind === "error") return this.give(new ReplyError(bytes.toString("latin1")));
    if (bytes.length < 4) throw this.fail("a verbatim string without format");
    const format = latin1String(bytes, 0, 3);
    return this.give(new VerbatimString(format, this.textOrBytes(bytes.subarray(4))));
  }

  private textOrBytes(bytes: Buffer): string | Buffer {
    if (this.asBuffers || bytes.length >= largeArgumentBytes) return bytes;
    return latin1String(bytes, 0, bytes.length);
  }

  private beginAggregate(kind: AggregateKind, start: number, lineEnd: number): number {
    const count = this.length(start, lineEnd, this.limits.aggregateLengthMax);
    if (count === undefined) return this.give(null);
    if (kind === "push" && this.stack.length > 0) throw this.fail("a push inside a reply");
    if (this.stack.length >= this.limits.depthMax) {
      throw this.fail(`aggregates nested deeper than ${this.limits.depthMax}`);
    }
    const frame: Frame = {
      kind,
      items: [],
      missing: kind === "map" || kind === "attribute" ? count * 2 : count,
    };
    if (count > 0) {
      this.stack.push(frame);
      return goesOn;
    }
    return kind === "attribute" ? goesOn : this.give(valueOf(frame));
  }

  /** Puts `value` where it belongs; true when it is a whole reply. */
  private place(): boolean {
    for (;;) {
      const frame = this.stack[this.stack.length - 1];
      if (frame === undefined) return true;
      frame.items.push(this.value);
      frame.missing--;
      if (frame.missing > 0) return false;
      this.stack.pop();
      if (frame.kind === "attribute") {
        // Attributes of elements have no reader; those of the reply are kept beside it.
        if (this.stack.length === 0) this.attributes = mapOf(frame.items);
        return false;
      }
      this.value = valueOf(frame);
    }
  }

  private give(value: ReplyValue): number {
    this.value = value;
    return hasValue;
  }

  /** The position of the CR of the next CRLF, -1 when it has not come yet. */
  private findLineEnd(): number {
    const source = this.source;
    const end = this.end;
    let p = this.position + this.scanned;
    while (p + 1 < end && (source[p] !== cr || source[p + 1] !== lf)) p++;
    this.scanned = p - this.position;
    if (this.scanned > this.limits.lineBytesMax) {
      throw this.fail(`a line of more than ${this.limits.lineBytesMax} bytes`);
    }
    return p + 1 < end ? p : -1;
  }

  private fail(message: string): ProtocolError {
    this.failure = new ProtocolError(message);
    this.stack.length = 0;
    this.bulk = undefined;
    this.secure();
    return this.failure;
  }
}

function valueOf(frame: Frame): ReplyValue {
  switch (frame.kind) {
    case "array":
      return frame.items;
    case "set":
      return new ReplySet(frame.items);
    case "push":
      return new ReplyPush(frame.items);
    case "map":
    case "attribute":
      return mapOf(frame.items);
  }
}

function mapOf(items: readonly ReplyValue[]): ReplyMap {
  const entries: [ReplyValue, ReplyValue][] = [];
  for (let i = 0; i + 1 < items.length; i += 2) entries.push([items[i]!, items[i + 1]!]);
  return new ReplyMap(entries);
}
