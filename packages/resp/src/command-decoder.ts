/**
 * Requests from bytes: RESP arrays of bulk strings and inline lines, with the limits and the error
 * texts of Redis 7.2. A command that stands whole in one buffer is read in one pass; any other by
 * an explicit state machine that goes on where it stopped, whatever the sizes of the chunks.
 * Refuses to know what a command means.
 *
 * Redis' laxness is kept where it can be seen: any two bytes pass for the line end behind a bulk,
 * any byte behind a header's CR, and the search for a line's end stops at a NUL.
 */
import { latin1String } from "./byte-string.js";
import type { Argument } from "./byte-string.js";
import { ByteWindow } from "./byte-window.js";
import { ProtocolError } from "./errors.js";
import { splitInline } from "./inline.js";
import { parseInteger } from "./integer.js";
import {
  defaultRequestLimits,
  largeArgumentBytes,
  unauthenticatedArgumentCountMax,
  unauthenticatedBulkBytesMax,
} from "./limits.js";
import type { RequestLimits } from "./limits.js";
import { LargeBulk } from "./large-bulk.js";
import { NameCache } from "./name-cache.js";

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const asterisk = 0x2a;
const dollar = 0x24;

/** Between commands. */
const atStart = 0;
/** At the line of the argument count. */
const atCount = 1;
/** At the line of an argument's length. */
const atLength = 2;
/** At an argument of known length. */
const atBody = 3;
/** Inside an argument that goes into a Buffer of its own. */
const inLarge = 4;
/** In an inline line. */
const inInline = 5;

/**
 * `argv` is let go when the next call finds it longer, or holding more, than an idle client may.
 */
const keptArgumentsMax = 1024;
const keptBytesMax = 4096;

export class CommandDecoder extends ByteWindow {
  /** Whether the client may send more than AUTH needs. */
  authenticated = true;
  /** `proto-max-bulk-len`; `Infinity` on the link from a primary, which Redis does not limit. */
  bulkBytesMax: number;
  /** The command that `next` found, until the next call of `next`. */
  readonly argv: Argument[] = [];
  /** Whether some argument is a Buffer. */
  hasLargeArgument = false;
  /** Whether the command came as an inline line. */
  inline = false;
  /**
   * Where the command's own bytes stand in `source`, when it was a RESP request that stood there
   * whole; else `rawStart` is -1. Valid until the next `next`, `push` or `park`.
   */
  rawStart = -1;
  rawEnd = -1;

  private state = atStart;
  private readonly argumentCountMax: number;
  private readonly inlineBytesMax: number;
  private readonly names: NameCache;
  private argumentCount = 0;
  private argumentsRead = 0;
  /** Bytes of the arguments read so far. */
  private argumentBytesRead = 0;
  private bulkBytes = 0;
  /** `readBytes` in front of the command that is not complete. */
  private commandOffset = 0;
  /** How far behind `position` the search for a line end has come. */
  private scanned = 0;
  private large: LargeBulk | undefined = undefined;
  private failure: ProtocolError | undefined = undefined;

  constructor(limits: Partial<RequestLimits> = {}, names: NameCache = new NameCache()) {
    super();
    this.bulkBytesMax = limits.bulkBytesMax ?? defaultRequestLimits.bulkBytesMax;
    this.argumentCountMax = limits.argumentCountMax ?? defaultRequestLimits.argumentCountMax;
    this.inlineBytesMax = limits.inlineBytesMax ?? defaultRequestLimits.inlineBytesMax;
    this.names = names;
  }

  /** Unread bytes in own memory, with what has come of a large argument: the query buffer. */
  get bufferedBytes(): number {
    return this.heldBytes + (this.large === undefined ? 0 : this.large.bytesRead);
  }

  /** Bytes of the arguments in `argv`, finished or not. */
  get argumentBytes(): number {
    return this.argumentBytesRead;
  }

  /** The stream offset behind the last command that is complete, and behind what was skipped. */
  get consumedBytes(): number {
    return this.state === atStart ? this.readBytes : this.commandOffset;
  }

  /** Whether a command has begun that is not complete. */
  get isInsideCommand(): boolean {
    return this.state !== atStart;
  }

  /** Copies what is left of the borrowed chunk, for a caller that stops before `next` is false. */
  park(): void {
    this.rawStart = -1;
    this.secure();
  }

  /** Ends the decoding between two commands and returns the bytes behind the last one. */
  takeRest(): Buffer {
    this.rawStart = -1;
    return this.takeUnread();
  }

  /**
   * True: a command is in `argv`. False: more bytes are needed, and nothing is borrowed any more.
   * Throws `ProtocolError`, and again at each later call.
   */
  next(): boolean {
    if (this.state === atStart) {
      if (this.hasLargeArgument || this.argv.length > keptArgumentsMax) this.releaseArguments();
      if (this.pending !== undefined && this.position >= this.carriedEnd) this.enterPending();
      if (this.nextWhole()) return true;
    }
    return this.nextInSteps();
  }

  /**
   * The hot path: a RESP command that stands whole in `source` and has nothing unusual. At anything
   * else it stops in front of it, with the state set for `nextInSteps`, which knows all cases.
   */
  private nextWhole(): boolean {
    const source = this.source;
    const end = this.end;
    const start = this.position;
    // The shortest whole command is `*1\r\n$0\r\n\r\n`.
    if (end - start < 10 || source[start] !== asterisk) return false;
    let p = start + 1;
    let digit = source[p]! - 0x30;
    // Neither 0 nor a sign, and at most 3 digits: every index below stays inside the 10 bytes.
    if (digit < 1 || digit > 9) return false;
    let count = digit;
    digit = source[++p]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      count = count * 10 + digit;
      digit = source[++p]! - 0x30;
      if (digit >= 0 && digit <= 9) {
        count = count * 10 + digit;
        p++;
      }
    }
    if (source[p] !== carriageReturn) return false;
    if (count > this.argumentCountMax) return false;
    const limited = !this.authenticated;
    if (limited && count > unauthenticatedArgumentCountMax) return false;
    p += 2;
    const bulkMax = limited ? unauthenticatedBulkBytesMax : this.bulkBytesMax;
    const argv = this.argv;
    let index = 0;
    while (index < count) {
      // `$`, up to 5 digits, CR and LF stand in 8 bytes, and an argument's end is 2 more.
      if (end - p < 5 || source[p] !== dollar) break;
      let q = p + 1;
      let length = source[q]! - 0x30;
      if (length < 0 || length > 9) break;
      digit = source[++q]! - 0x30;
      if (length !== 0) {
        while (digit >= 0 && digit <= 9 && length < largeArgumentBytes && q + 1 < end) {
          length = length * 10 + digit;
          digit = source[++q]! - 0x30;
        }
      }
      if (source[q] !== carriageReturn || length >= largeArgumentBytes || length > bulkMax) break;
      q += 2;
      const next = q + length + 2;
      if (next > end) break;
      const value =
        index === 0 ? this.names.lookup(source, q, length) : latin1String(source, q, length);
      if (index < argv.length) argv[index] = value;
      else argv.push(value);
      index++;
      p = next;
    }
    if (index < count) this.commandOffset = this.readBytes;
    this.position = p;
    this.inline = false;
    if (index === count) {
      if (argv.length !== count) argv.length = count;
      this.rawStart = start;
      this.rawEnd = p;
      this.argumentBytesRead = p - start;
      return true;
    }
    this.argumentCount = count;
    this.argumentsRead = index;
    this.argumentBytesRead = p - start;
    this.scanned = 0;
    this.state = atLength;
    return false;
  }

  private nextInSteps(): boolean {
    if (this.failure !== undefined) throw this.failure;
    this.rawStart = -1;
    for (;;) {
      let goesOn: boolean;
      switch (this.state) {
        case atStart:
          goesOn = this.readStart();
          break;
        case atCount:
          goesOn = this.readCount();
          break;
        case atLength:
          goesOn = this.readLength();
          break;
        case atBody:
          goesOn = this.readBody();
          break;
        case inLarge:
          goesOn = this.readLarge();
          break;
        default:
          goesOn = this.readInline();
          break;
      }
      if (!goesOn) break;
      if (this.argumentsRead === this.argumentCount && this.argumentCount > 0) {
        const argv = this.argv;
        if (argv.length !== this.argumentCount) argv.length = this.argumentCount;
        this.argumentCount = 0;
        this.state = atStart;
        return true;
      }
    }
    if (this.state === atStart && this.argumentBytesRead > keptBytesMax) this.releaseArguments();
    this.secure();
    return false;
  }

  /** Each step returns false when it needs more bytes than have been pushed. */
  private readStart(): boolean {
    if (this.position === this.end && !this.extend(1)) return false;
    this.commandOffset = this.readBytes;
    this.argumentCount = 0;
    this.argumentsRead = 0;
    this.argumentBytesRead = 0;
    this.scanned = 0;
    this.state = this.source[this.position] === asterisk ? atCount : inInline;
    return true;
  }

  private readCount(): boolean {
    const length = this.findLineEnd(carriageReturn, "too big mbulk count string");
    if (length === -1) return false;
    const lineEnd = this.position + length;
    const count = parseInteger(this.source, this.position + 1, lineEnd);
    if (count === undefined || count > this.argumentCountMax) {
      throw this.fail("invalid multibulk length");
    }
    if (count > unauthenticatedArgumentCountMax && !this.authenticated) {
      throw this.fail("unauthenticated multibulk length");
    }
    this.position = lineEnd + 2;
    this.scanned = 0;
    this.inline = false;
    this.argumentCount = Number(count);
    // `*0` and `*-1` are no commands and get no reply.
    this.state = count > 0 ? atLength : atStart;
    return true;
  }

  private readLength(): boolean {
    const length = this.findLineEnd(carriageReturn, "too big bulk count string");
    if (length === -1) return false;
    const first = this.source[this.position]!;
    if (first !== dollar) {
      // An error reply is one line, so Redis writes a line end inside it as a space.
      const got = first === carriageReturn || first === lineFeed ? 0x20 : first;
      throw this.fail(`expected '$', got '${String.fromCharCode(got)}'`);
    }
    const lineEnd = this.position + length;
    const bytes = parseInteger(this.source, this.position + 1, lineEnd);
    if (bytes === undefined || bytes < 0 || bytes > this.bulkBytesMax) {
      throw this.fail("invalid bulk length");
    }
    if (bytes > unauthenticatedBulkBytesMax && !this.authenticated) {
      throw this.fail("unauthenticated bulk length");
    }
    this.position = lineEnd + 2;
    this.scanned = 0;
    this.bulkBytes = Number(bytes);
    if (bytes >= largeArgumentBytes) {
      this.large = new LargeBulk(this.bulkBytes);
      this.state = inLarge;
    } else {
      this.state = atBody;
    }
    return true;
  }

  private readBody(): boolean {
    const length = this.bulkBytes;
    while (this.end - this.position < length + 2) {
      if (!this.extend(length + 2)) return false;
    }
    const value =
      this.argumentsRead === 0
        ? this.names.lookup(this.source, this.position, length)
        : latin1String(this.source, this.position, length);
    this.position += length + 2;
    this.putArgument(value);
    return true;
  }

  private readLarge(): boolean {
    const large = this.large!;
    for (;;) {
      const taken = Math.min(large.bytesMissing, this.end - this.position);
      large.take(this.source, this.position, taken);
      this.position += taken;
      if (large.bytesMissing > 0) {
        if (!this.extend(1)) return false;
      } else if (this.end - this.position < 2) {
        if (!this.extend(2)) return false;
      } else {
        this.position += 2;
        this.large = undefined;
        this.hasLargeArgument = true;
        this.putArgument(large.bytes);
        return true;
      }
    }
  }

  private readInline(): boolean {
    const length = this.findLineEnd(lineFeed, "too big inline request");
    if (length === -1) return false;
    const start = this.position;
    const endsWithCr = length > 0 && this.source[start + length - 1] === carriageReturn;
    const words = splitInline(this.source, start, start + length - (endsWithCr ? 1 : 0));
    if (words === undefined) throw this.fail("unbalanced quotes in request");
    this.position = start + length + 1;
    this.inline = true;
    this.argumentCount = words.length;
    for (const word of words) {
      if (word.length >= largeArgumentBytes) {
        this.hasLargeArgument = true;
        this.putArgument(Buffer.from(word, "latin1"));
      } else {
        this.putArgument(word);
      }
    }
    // A line without words gets no reply.
    this.state = atStart;
    return true;
  }

  private putArgument(value: Argument): void {
    const argv = this.argv;
    if (this.argumentsRead < argv.length) argv[this.argumentsRead] = value;
    else argv.push(value);
    this.argumentsRead++;
    this.argumentBytesRead += value.length;
    this.state = atLength;
  }

  /**
   * The distance from `position` to the next `lineEnd` byte, -1 when it has not come yet. A CR
   * counts only when the byte behind it is there too. The search does not go past a NUL, as Redis'
   * does not: such a line can only end by being too long.
   */
  private findLineEnd(lineEnd: number, tooLong: string): number {
    const behind = lineEnd === carriageReturn ? 1 : 0;
    for (;;) {
      const source = this.source;
      const end = this.end;
      let p = this.position + this.scanned;
      while (p < end && source[p] !== lineEnd && source[p] !== 0) p++;
      this.scanned = p - this.position;
      const isFound = p < end && source[p] === lineEnd;
      if (isFound && this.scanned <= this.inlineBytesMax && p + behind < end) return this.scanned;
      const length = isFound ? this.scanned : end - this.position;
      if (length > this.inlineBytesMax) throw this.fail(tooLong);
      if (!this.extend(end - this.position + 1)) return -1;
    }
  }

  private releaseArguments(): void {
    this.argv.length = 0;
    this.argumentBytesRead = 0;
    this.hasLargeArgument = false;
  }

  private fail(message: string): ProtocolError {
    this.failure = new ProtocolError(message);
    this.releaseArguments();
    this.secure();
    return this.failure;
  }
}
