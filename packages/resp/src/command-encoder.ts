/**
 * Commands to bytes, as arrays of bulk strings: what the AOF and the replication stream consist of,
 * and what links to other servers send. Owns no memory beyond what it returns.
 */
import { writeLatin1 } from "./byte-string.js";
import type { Argument } from "./byte-string.js";
import { digitCount } from "./integer.js";
import { largeArgumentBytes } from "./limits.js";
import { writeHeader } from "./reply-arena.js";

const asterisk = 0x2a;
const dollar = 0x24;
/** See `ReplyWriter`: up to here a loop beats the call out of JavaScript. */
const loopBytesMax = 24;

/** The length of the command's encoding. */
export function commandByteLength(argv: readonly Argument[]): number {
  let bytes = headerBytes(argv.length);
  for (let i = 0; i < argv.length; i++) {
    const length = argv[i]!.length;
    bytes += headerBytes(length) + length + 2;
  }
  return bytes;
}

/** Writes the command into `target`, which has `commandByteLength` bytes; returns the end. */
export function writeCommand(target: Buffer, offset: number, argv: readonly Argument[]): number {
  let p = writeHeader(target, offset, asterisk, argv.length);
  for (let i = 0; i < argv.length; i++) p = writeArgument(target, p, argv[i]!);
  return p;
}

export function encodeCommand(argv: readonly Argument[]): Buffer {
  const bytes = Buffer.allocUnsafe(commandByteLength(argv));
  writeCommand(bytes, 0, argv);
  return bytes;
}

/**
 * The encoding as chunks: Buffers from 64 KiB on are chunks themselves, not copied, and must not
 * change until the chunks were used; everything between them is joined.
 */
export function encodeCommandChunks(argv: readonly Argument[]): Buffer[] {
  let joined = headerBytes(argv.length);
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    joined += headerBytes(argument.length) + 2;
    if (!isLarge(argument)) joined += argument.length;
  }
  const bytes = Buffer.allocUnsafe(joined);
  const chunks: Buffer[] = [];
  let start = 0;
  let p = writeHeader(bytes, 0, asterisk, argv.length);
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (isLarge(argument)) {
      p = writeHeader(bytes, p, dollar, argument.length);
      chunks.push(bytes.subarray(start, p), argument);
      start = p;
      p = writeLineEnd(bytes, p);
    } else {
      p = writeArgument(bytes, p, argument);
    }
  }
  chunks.push(bytes.subarray(start, p));
  return chunks;
}

function isLarge(argument: Argument): argument is Buffer {
  return typeof argument !== "string" && argument.length >= largeArgumentBytes;
}

function writeArgument(target: Buffer, offset: number, argument: Argument): number {
  const length = argument.length;
  let p = writeHeader(target, offset, dollar, length);
  if (typeof argument !== "string") {
    target.set(argument, p);
    p += length;
  } else if (length > loopBytesMax) {
    writeLatin1(target, p, argument);
    p += length;
  } else {
    for (let i = 0; i < length; i++) target[p++] = argument.charCodeAt(i);
  }
  return writeLineEnd(target, p);
}

function writeLineEnd(target: Buffer, offset: number): number {
  target[offset] = 0x0d;
  target[offset + 1] = 0x0a;
  return offset + 2;
}

/** A prefix, the digits, CR and LF. */
function headerBytes(count: number): number {
  return 3 + digitCount(count);
}
