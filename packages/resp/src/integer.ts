/**
 * Decimal integers on the wire, in and out. Reading is as strict as Redis' own: no `+`, no leading
 * zero, no `-0`, no blanks, and nothing beyond 64 bits.
 */

const minus = 0x2d;
/** Up to so many digits a double holds every value exactly. */
const exactDigitsMax = 15;
/** The longest 64-bit integer: 19 digits and a sign; longer ones are out of range unread. */
const bytesMax = 20;

/**
 * The integer in `bytes[start, end)`: a number up to 2^53 - 1, a bigint beyond, `undefined` when it
 * is none or does not fit 64 bits.
 */
export function parseInteger(
  bytes: Buffer,
  start: number,
  end: number,
): number | bigint | undefined {
  const isNegative = start < end && bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || end - start > bytesMax) return undefined;
  if (bytes[first] === 0x30) return digits === 1 && !isNegative ? 0 : undefined;
  let value = 0;
  for (let p = first; p < end; p++) {
    const digit = bytes[p]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  if (digits <= exactDigitsMax) return isNegative ? -value : value;
  const exact = BigInt(bytes.toString("latin1", start, end));
  if (exact !== BigInt.asIntN(64, exact)) return undefined;
  const rounded = Number(exact);
  return Number.isSafeInteger(rounded) ? rounded : exact;
}

/** How many decimal digits a non-negative safe integer has. */
export function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  let digits = 6;
  let rest = Math.floor(value / 1_000_000);
  while (rest > 0) {
    digits++;
    rest = Math.floor(rest / 10);
  }
  return digits;
}

/** Writes a non-negative safe integer of `digits` digits; returns the position behind it. */
export function writeDigits(
  target: Uint8Array,
  position: number,
  value: number,
  digits: number,
): number {
  const end = position + digits;
  let p = end;
  let rest = value;
  // Integer arithmetic on 32 bits is several times faster than on doubles.
  while (rest > 0x3fff_ffff) {
    const quotient = Math.floor(rest / 10);
    target[--p] = 0x30 + (rest - quotient * 10);
    rest = quotient;
  }
  let small = rest | 0;
  while (p > position) {
    const quotient = (small / 10) | 0;
    target[--p] = 0x30 + (small - quotient * 10);
    small = quotient;
  }
  return end;
}
