/**
 * Finds where replies end without reading what they say: the router passes their bytes on. Knows
 * RESP2 and RESP3; nesting needs no stack, because only the number of values that are still missing
 * counts. Refuses what no server sends.
 */
import { ProtocolError } from "@slotlog/resp";

const cr = 0x0d;
const lf = 0x0a;
/** Simple strings, errors, numbers and every header. */
const lineBytesMax = 1024 * 1024;
const bulkBytesMax = 512 * 1024 * 1024;
const aggregateLengthMax = 2 ** 32;

export class ReplyScanner {
  /** Values that belong to the reply and have not begun. 0: between replies. */
  #missing = 0;
  /** Bytes of a bulk string, its line end included, that have not come. */
  #bulkBytes = 0;
  /** How far `scan` has come when it finds no end: what stands before is understood. */
  position = 0;

  /** Forgets a reply that is not complete. */
  reset(): void {
    this.#missing = 0;
    this.#bulkBytes = 0;
  }

  /**
   * The position behind the reply that begins, or goes on, at `start`; -1 if its end has not come.
   * Throws `ProtocolError`.
   */
  scan(bytes: Buffer, start: number, end: number): number {
    let p = start;
    if (this.#bulkBytes > 0) {
      const taken = Math.min(this.#bulkBytes, end - p);
      this.#bulkBytes -= taken;
      p += taken;
      if (this.#bulkBytes > 0) return this.#stop(p);
      this.#missing--;
      if (this.#missing === 0) return p;
    } else if (this.#missing === 0) {
      if (p === end) return this.#stop(p);
      this.#missing = 1;
    }
    for (;;) {
      const line = lineEnd(bytes, p, end);
      if (line === -1) return this.#stop(p);
      const type = bytes[p] as number;
      switch (type) {
        case 0x24: // $
        case 0x21: // !
        case 0x3d: {
          // =
          const length = count(bytes, p + 1, line, bulkBytesMax);
          p = line + 2;
          if (length >= 0) {
            const behind = p + length + 2;
            if (behind > end) {
              this.#bulkBytes = behind - end;
              return this.#stop(end);
            }
            p = behind;
          }
          this.#missing--;
          break;
        }
        case 0x2a: // *
        case 0x7e: // ~
        case 0x3e: // >
          this.#missing += Math.max(0, count(bytes, p + 1, line, aggregateLengthMax)) - 1;
          p = line + 2;
          break;
        case 0x25: // %
          this.#missing += 2 * Math.max(0, count(bytes, p + 1, line, aggregateLengthMax)) - 1;
          p = line + 2;
          break;
        case 0x7c: // | describes the value behind it and is none itself.
          this.#missing += 2 * Math.max(0, count(bytes, p + 1, line, aggregateLengthMax));
          p = line + 2;
          break;
        case 0x2b: // +
        case 0x2d: // -
        case 0x3a: // :
        case 0x5f: // _
        case 0x23: // #
        case 0x2c: // ,
        case 0x28: // (
          p = line + 2;
          this.#missing--;
          break;
        default:
          throw new ProtocolError(`'${String.fromCharCode(type)}' begins no reply`);
      }
      if (this.#missing === 0) return p;
    }
  }

  #stop(position: number): number {
    this.position = position;
    return -1;
  }
}

/** The position of the CR of the line that begins at `start`. */
function lineEnd(bytes: Buffer, start: number, end: number): number {
  let p = start + 1;
  // Most lines are short: a loop over their bytes beats the call that would search for it.
  const near = Math.min(end - 1, start + 24);
  while (p < near) {
    if (bytes[p] === cr && bytes[p + 1] === lf) return p;
    p++;
  }
  if (p >= end - 1) return -1;
  for (;;) {
    p = bytes.indexOf(cr, p);
    if (p === -1 || p >= end - 1) {
      if (end - start > lineBytesMax) throw new ProtocolError("a line without end");
      return -1;
    }
    if (bytes[p + 1] === lf) return p;
    p++;
  }
}

function count(bytes: Buffer, start: number, end: number, max: number): number {
  if (bytes[start] === 0x2d && bytes[start + 1] === 0x31 && end - start === 2) return -1;
  let value = 0;
  for (let p = start; p < end; p++) {
    const digit = (bytes[p] as number) - 0x30;
    if (digit < 0 || digit > 9 || value > max) throw new ProtocolError("an invalid length");
    value = value * 10 + digit;
  }
  if (start === end || value > max) throw new ProtocolError("an invalid length");
  return value;
}
