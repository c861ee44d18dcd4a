/**
 * Which strings are integers for RDB's compact encodings: exactly the decimal texts that a signed
 * 64-bit integer prints to, so that the text comes back unchanged.
 */

const minInt64 = -(1n << 63n);
const maxInt64 = (1n << 63n) - 1n;

/**
 * The integer, a bigint beyond 2^53, or `undefined` if the text is not what an integer prints to.
 */
export function canonicalInteger(text: string): number | bigint | undefined {
  const length = text.length;
  if (length === 0 || length > 20) return undefined;
  let first = text.charCodeAt(0);
  const negative = first === 0x2d;
  let at = 0;
  if (negative) {
    if (length === 1) return undefined;
    at = 1;
    first = text.charCodeAt(1);
  }
  if (first === 0x30) return length === 1 ? 0 : undefined;
  let value = 0;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  // Fifteen digits are below 10^15 < 2^53, so the sum above was exact.
  if (length <= 15) return negative ? -value : value;
  const exact = BigInt(text);
  if (exact < minInt64 || exact > maxInt64) return undefined;
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
