/**
 * Replies to bytes, in RESP2 or RESP3: one method for each kind of reply, writing straight into an
 * arena. In RESP2 every RESP3 type takes the form that Redis gives it there. A node has one writer
 * and attaches it to one connection at a time.
 */
import { writeLatin1 } from "./byte-string.js";
import { formatDouble } from "./format-double.js";
import { digitCount, writeDigits } from "./integer.js";
import { ReplyArena, writeHeader } from "./reply-arena.js";
import type { ReplyMark, ReplySink } from "./reply-arena.js";

const cr = 0x0d;
const lf = 0x0a;
const simplePrefix = 0x2b; // +
const errorPrefix = 0x2d; // -
const integerPrefix = 0x3a; // :
const bulkPrefix = 0x24; // $
const arrayPrefix = 0x2a; // *
const mapPrefix = 0x25; // %
const setPrefix = 0x7e; // ~
const pushPrefix = 0x3e; // >
const attributePrefix = 0x7c; // |
const doublePrefix = 0x2c; // ,
const bigNumberPrefix = 0x28; // (
const verbatimPrefix = 0x3d; // =
const space = 0x20;

/** A prefix, the 16 digits of a safe integer and CRLF take 19 bytes. */
const headerBytesMax = 24;
/**
 * Up to this length a loop over char codes beats `latin1Write`, which leaves JavaScript: 62 against
 * 68 ns at 24, 81 against 66 ns at 32.
 */
const loopBytesMax = 24;

/** Up to this length a loop over bytes beats `copy`, which leaves JavaScript. */
const copyLoopBytesMax = 96;

const okBytes = Buffer.from("+OK\r\n", "latin1");
const nil2Bytes = Buffer.from("$-1\r\n", "latin1");
const nilArray2Bytes = Buffer.from("*-1\r\n", "latin1");
const nil3Bytes = Buffer.from("_\r\n", "latin1");
const true3Bytes = Buffer.from("#t\r\n", "latin1");
const false3Bytes = Buffer.from("#f\r\n", "latin1");

export class ReplyWriter extends ReplyArena {
  /** The protocol of the attached connection; HELLO changes it in the middle of an attachment. */
  protocol: 2 | 3 = 2;
  /** Error replies written so far, those rolled back included. */
  errorCount = 0;
  /** Told of every error reply, for statistics by its code. */
  onError: ((text: string) => void) | undefined = undefined;

  /** Directs what is written from here on to a connection. */
  attach(sink: ReplySink, protocol: 2 | 3): void {
    this.attachSink(sink);
    this.protocol = protocol;
  }

  ok(): void {
    this.small(okBytes);
  }

  simple(text: string): void {
    this.line(simplePrefix, text);
  }

  /** `text` begins with its code, as in `ERR no such key`. */
  error(text: string): void {
    this.errorCount += 1;
    this.onError?.(text);
    this.line(errorPrefix, text);
  }

  integer(value: number): void {
    this.number(integerPrefix, value);
  }

  bigInteger(value: bigint): void {
    this.line(integerPrefix, value.toString());
  }

  /**
   * A string of char codes up to 255, or bytes. Large values are copied into a chunk of their own.
   */
  bulk(value: string | Uint8Array): void {
    const length = value.length;
    if (length >= this.largeBytes) {
      this.header(bulkPrefix, length);
      this.large(value);
      this.lineEnd();
      return;
    }
    this.room(headerBytesMax + length + 2);
    const p = writeHeader(this.arena, this.position, bulkPrefix, length);
    this.position = p;
    if (typeof value === "string") this.text(value);
    else this.bytes(value);
    this.arena[this.position] = cr;
    this.arena[this.position + 1] = lf;
    this.position += 2;
  }

  /** The bytes `[start, start + length)` of `source`, which are few, as a bulk string. */
  bulkRange(source: Buffer, start: number, length: number): void {
    this.room(headerBytesMax + length + 2);
    const { arena } = this;
    let p = writeHeader(arena, this.position, bulkPrefix, length);
    if (length <= copyLoopBytesMax) {
      const end = start + length;
      for (let at = start; at < end; at++) arena[p++] = source[at] as number;
    } else {
      source.copy(arena, p, start, start + length);
      p += length;
    }
    arena[p] = cr;
    arena[p + 1] = lf;
    this.position = p + 2;
  }

  /** A safe integer as a bulk string. */
  bulkInteger(value: number): void {
    const magnitude = Math.abs(value);
    assertSafe(magnitude);
    const isNegative = value < 0;
    const digits = digitCount(magnitude);
    this.room(headerBytesMax * 2);
    const length = isNegative ? digits + 1 : digits;
    let p = writeHeader(this.arena, this.position, bulkPrefix, length);
    if (isNegative) this.arena[p++] = 0x2d;
    p = writeDigits(this.arena, p, magnitude, digits);
    this.arena[p] = cr;
    this.arena[p + 1] = lf;
    this.position = p + 2;
  }

  nil(): void {
    this.small(this.protocol === 3 ? nil3Bytes : nil2Bytes);
  }

  nilArray(): void {
    this.small(this.protocol === 3 ? nil3Bytes : nilArray2Bytes);
  }

  array(count: number): void {
    this.header(arrayPrefix, count);
  }

  /** `count` entries: twice as many elements follow. */
  map(count: number): void {
    if (this.protocol === 3) this.header(mapPrefix, count);
    else this.header(arrayPrefix, count * 2);
  }

  set(count: number): void {
    this.header(this.protocol === 3 ? setPrefix : arrayPrefix, count);
  }

  push(count: number): void {
    this.header(this.protocol === 3 ? pushPrefix : arrayPrefix, count);
  }

  /** `count` entries that describe the next value. RESP2 has no form for them. */
  attribute(count: number): void {
    if (this.protocol !== 3) throw new Error("reply writer: an attribute in RESP2");
    this.header(attributePrefix, count);
  }

  double(value: number): void {
    this.doubleText(formatDouble(value));
  }

  /** A number that was formatted elsewhere, as the long doubles of INCRBYFLOAT and GEO are. */
  doubleText(text: string): void {
    if (this.protocol === 3) this.line(doublePrefix, text);
    else this.bulk(text);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.small(value ? true3Bytes : false3Bytes);
    else this.integer(value ? 1 : 0);
  }

  bigNumber(value: bigint | string): void {
    const text = typeof value === "string" ? value : value.toString();
    if (this.protocol === 3) this.line(bigNumberPrefix, text);
    else this.bulk(text);
  }

  /** `format` is three chars: `txt` or `mkd`. */
  verbatim(format: string, value: string | Uint8Array): void {
    if (this.protocol !== 3) {
      this.bulk(value);
      return;
    }
    if (format.length !== 3) throw new RangeError(`reply writer: format '${format}'`);
    this.header(verbatimPrefix, value.length + 4);
    this.room(4);
    this.text(format);
    this.arena[this.position++] = 0x3a;
    this.raw(value);
    this.lineEnd();
  }

  /** Bytes that are replies already. */
  raw(value: string | Uint8Array): void {
    if (value.length >= this.largeBytes) {
      this.large(value);
      return;
    }
    this.room(value.length);
    if (typeof value === "string") this.text(value);
    else this.bytes(value);
  }

  deferArray(): ReplyMark {
    return this.openHeader();
  }

  deferMap(): ReplyMark {
    return this.openHeader();
  }

  deferSet(): ReplyMark {
    return this.openHeader();
  }

  deferPush(): ReplyMark {
    return this.openHeader();
  }

  endArray(mark: ReplyMark, count: number): void {
    this.closeHeader(mark, arrayPrefix, count);
  }

  endMap(mark: ReplyMark, count: number): void {
    if (this.protocol === 3) this.closeHeader(mark, mapPrefix, count);
    else this.closeHeader(mark, arrayPrefix, count * 2);
  }

  endSet(mark: ReplyMark, count: number): void {
    this.closeHeader(mark, this.protocol === 3 ? setPrefix : arrayPrefix, count);
  }

  endPush(mark: ReplyMark, count: number): void {
    this.closeHeader(mark, this.protocol === 3 ? pushPrefix : arrayPrefix, count);
  }

  private header(prefix: number, count: number): void {
    this.room(headerBytesMax);
    this.position = writeHeader(this.arena, this.position, prefix, count);
  }

  private number(prefix: number, value: number): void {
    this.room(headerBytesMax);
    if (value >= 0 && value <= 9 && (value | 0) === value) {
      this.position = writeHeader(this.arena, this.position, prefix, value);
      return;
    }
    const magnitude = Math.abs(value);
    assertSafe(magnitude);
    const arena = this.arena;
    let p = this.position;
    arena[p++] = prefix;
    if (value < 0) arena[p++] = 0x2d;
    p = writeDigits(arena, p, magnitude, digitCount(magnitude));
    arena[p] = cr;
    arena[p + 1] = lf;
    this.position = p + 2;
  }

  /** A line end inside the text would end the reply early, so it becomes spaces, as in Redis. */
  private line(prefix: number, text: string): void {
    const length = text.length;
    if (length >= this.largeBytes) {
      this.room(1);
      this.arena[this.position++] = prefix;
      this.large(text.replace(/[\r\n]/g, " "));
      this.lineEnd();
      return;
    }
    this.room(length + 3);
    const arena = this.arena;
    let p = this.position;
    arena[p++] = prefix;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      arena[p++] = code === cr || code === lf ? space : code;
    }
    arena[p] = cr;
    arena[p + 1] = lf;
    this.position = p + 2;
  }

  private small(bytes: Buffer): void {
    this.room(bytes.length);
    this.bytes(bytes);
  }

  /** Room must have been made. */
  private bytes(bytes: Uint8Array): void {
    const arena = this.arena;
    const length = bytes.length;
    let p = this.position;
    if (length > loopBytesMax) {
      arena.set(bytes, p);
      p += length;
    } else {
      for (let i = 0; i < length; i++) arena[p++] = bytes[i]!;
    }
    this.position = p;
  }

  /** Room must have been made. */
  private text(text: string): void {
    const arena = this.arena;
    const length = text.length;
    let p = this.position;
    if (length > loopBytesMax) {
      writeLatin1(arena, p, text);
      p += length;
    } else {
      for (let i = 0; i < length; i++) arena[p++] = text.charCodeAt(i);
    }
    this.position = p;
  }

  /** A copy, since whoever owns the bytes may change them before they are sent. */
  private large(value: string | Uint8Array): void {
    this.addChunk(typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(value));
  }

  private lineEnd(): void {
    this.room(2);
    this.arena[this.position] = cr;
    this.arena[this.position + 1] = lf;
    this.position += 2;
  }
}

/** NaN and fractions fail too. */
function assertSafe(magnitude: number): void {
  if (!Number.isSafeInteger(magnitude)) throw new RangeError(`reply writer: integer ${magnitude}`);
}
