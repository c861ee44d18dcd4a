/**
 * Inline requests: the words of a line that a human typed, with shell-like quotes. The rules are
 * those of Redis 7.2, byte for byte, as its clients and `redis-cli` rely on the escapes.
 */
import { latin1String } from "./byte-string.js";

const backslash = 0x5c;
const doubleQuote = 0x22;
const singleQuote = 0x27;

/**
 * The words of `bytes[start, end)`, or `undefined` when quotes do not match: a quote that is not
 * closed, or a closing one that no blank follows. A quote may also open inside a word: `a"b c"` is
 * one word. The line holds no NUL, since a search for its end stops there.
 */
export function splitInline(bytes: Buffer, start: number, end: number): string[] | undefined {
  const words: string[] = [];
  // A word is never longer than its writing, so the words share the place of the line.
  const word = Buffer.allocUnsafe(end - start);
  let p = start;
  for (;;) {
    while (p < end && isBlank(bytes[p]!)) p++;
    if (p >= end) return words;
    let length = 0;
    let done = false;
    while (!done) {
      const byte = p < end ? bytes[p]! : -1;
      if (byte === doubleQuote || byte === singleQuote) {
        const escapes = byte === doubleQuote;
        p++;
        for (;;) {
          if (p >= end) return undefined;
          const quoted = bytes[p]!;
          if (quoted === byte) break;
          if (quoted === backslash && p + 1 < end) {
            const used = escapes ? escapeLength(bytes, p, end) : bytes[p + 1] === byte ? 2 : 1;
            word[length++] = used === 1 ? quoted : unescape(bytes, p, used);
            p += used;
          } else {
            word[length++] = quoted;
            p++;
          }
        }
        p++;
        if (p < end && !isBlank(bytes[p]!)) return undefined;
        done = true;
      } else if (byte === -1 || endsWord(byte)) {
        done = true;
      } else {
        word[length++] = byte;
        p++;
      }
    }
    words.push(latin1String(word, 0, length));
  }
}

/** `\xHH` is four bytes, any other escape two. */
function escapeLength(bytes: Buffer, p: number, end: number): number {
  const isHex = p + 3 < end && bytes[p + 1] === 0x78;
  return isHex && hexDigit(bytes[p + 2]!) >= 0 && hexDigit(bytes[p + 3]!) >= 0 ? 4 : 2;
}

function unescape(bytes: Buffer, p: number, used: number): number {
  const byte = bytes[p + 1]!;
  if (used === 4) return hexDigit(bytes[p + 2]!) * 16 + hexDigit(bytes[p + 3]!);
  switch (byte) {
    case 0x6e: // n
      return 0x0a;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 0x09;
    case 0x62: // b
      return 0x08;
    case 0x61: // a
      return 0x07;
    default:
      return byte;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** C's `isspace`: these may stand between words and behind a closing quote. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** These end a word that is not quoted: vertical tab and form feed are part of it. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
