/**
 * Bytes to strings of char codes 0 to 255. Every string that enters the process is made here, never
 * with `substring` or `slice` of a longer string, which would keep the longer one alive.
 */

/** One argument or value: a latin1 string, or a Buffer with its own memory when it is large. */
export type Argument = string | Buffer;

/**
 * Node's own primitives behind `toString("latin1")` and `write(…, "latin1")`, which its types leave
 * out: they skip the look-up of the encoding, a third of the cost for short strings.
 */
interface Latin1Methods {
  latin1Slice(this: Buffer, start: number, end: number): string;
  latin1Write(this: Buffer, text: string, offset: number): number;
}

/** Held here, since V8 does not optimise the look-up of a method of buffers. */
const { latin1Slice, latin1Write } = Buffer.prototype as unknown as Latin1Methods;
const fromCodes = String.fromCharCode;

/**
 * The bytes `[start, start + length)` as a string. Up to 24 bytes a call of `String.fromCharCode`
 * with all codes wins over `latin1Slice`, which leaves JavaScript: 8 to 47 ns against 50 to 60 ns.
 */
export function latin1String(bytes: Buffer, start: number, length: number): string {
  if (length <= 8) return upToEight(bytes, start, length);
  if (length <= 16) return upToSixteen(bytes, start, length);
  if (length <= 24) return upToTwentyFour(bytes, start, length);
  return longString(bytes, start, length);
}

/** Writes the char codes of `text`, modulo 256, into `target`, which must have room for them. */
export function writeLatin1(target: Buffer, offset: number, text: string): void {
  latin1Write.call(target, text, offset);
}

function longString(bytes: Buffer, start: number, length: number): string {
  return latin1Slice.call(bytes, start, start + length);
}

/**
 * Written out per length, since a spread or a loop with `+` would cost more than it saves, and in
 * three functions, since V8 inlines none this long.
 */
// biome-ignore format: eight bytes to a line.
function upToEight(b: Buffer, s: number, length: number): string {
  switch (length) {
    case 0: return "";
    case 1: return fromCodes(b[s]!);
    case 2: return fromCodes(b[s]!, b[s + 1]!);
    case 3: return fromCodes(b[s]!, b[s + 1]!, b[s + 2]!);
    case 4: return fromCodes(b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!);
    case 5: return fromCodes(b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!);
    case 6: return fromCodes(b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!);
    case 7: return fromCodes(b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!);
    default: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
    );
  }
}

// biome-ignore format: eight bytes to a line.
function upToSixteen(b: Buffer, s: number, length: number): string {
  switch (length) {
    case 9: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!,
    );
    case 10: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!,
    );
    case 11: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!,
    );
    case 12: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!,
    );
    case 13: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!,
    );
    case 14: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!,
    );
    case 15: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!,
    );
    default: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
    );
  }
}

// biome-ignore format: eight bytes to a line.
function upToTwentyFour(b: Buffer, s: number, length: number): string {
  switch (length) {
    case 17: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!,
    );
    case 18: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!,
    );
    case 19: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!,
    );
    case 20: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!, b[s + 19]!,
    );
    case 21: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!, b[s + 19]!, b[s + 20]!,
    );
    case 22: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!, b[s + 19]!, b[s + 20]!, b[s + 21]!,
    );
    case 23: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!, b[s + 19]!, b[s + 20]!, b[s + 21]!, b[s + 22]!,
    );
    default: return fromCodes(
      b[s]!, b[s + 1]!, b[s + 2]!, b[s + 3]!, b[s + 4]!, b[s + 5]!, b[s + 6]!, b[s + 7]!,
      b[s + 8]!, b[s + 9]!, b[s + 10]!, b[s + 11]!, b[s + 12]!, b[s + 13]!, b[s + 14]!, b[s + 15]!,
      b[s + 16]!, b[s + 17]!, b[s + 18]!, b[s + 19]!, b[s + 20]!, b[s + 21]!, b[s + 22]!, b[s + 23]!,
    );
  }
}
