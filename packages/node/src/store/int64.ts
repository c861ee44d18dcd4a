/**
 * Canonical 64-bit integers in decimal: what Redis stores as an integer and what INCR accepts.
 *
 * Strict by contract: no sign but a single leading minus, no leading zeros, no "-0", no spaces, so
 * that text → number → text is the identity. It knows nothing of floats or of other radixes.
 */

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;

/** "-9223372036854775808" has 20 characters; nothing longer can be an int64. */
const INT64_TEXT_LENGTH_MAX = 20;

const CODE_0 = 48;
const CODE_9 = 57;
const CODE_MINUS = 45;

/**
 * True if `text` is an integer in canonical form, of any magnitude (it may exceed 64 bits by the
 * little that fits into 20 characters). Kept apart from the conversion since most strings fail at
 * their first character.
 */
function isCanonicalInteger(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > INT64_TEXT_LENGTH_MAX) return false;
  let index = 0;
  let code = text.charCodeAt(0);
  if (code === CODE_MINUS) {
    if (length === 1) return false;
    index = 1;
    code = text.charCodeAt(1);
  }
  if (code === CODE_0) return length === 1;
  for (; index < length; index++) {
    code = text.charCodeAt(index);
    if (code < CODE_0 || code > CODE_9) return false;
  }
  return true;
}

/**
 * The integer that `text` canonically spells if it fits into a signed 64-bit integer: a number when
 * it is safe, a bigint beyond 2^53 - 1, `undefined` for everything else.
 */
export function parseInt64(text: string): number | bigint | undefined {
  if (!isCanonicalInteger(text)) return undefined;
  const approximate = Number(text);
  // A rounded value is safe only if the exact one is: 2^53 itself already fails the test.
  if (Number.isSafeInteger(approximate)) return approximate;
  const exact = BigInt(text);
  return exact >= INT64_MIN && exact <= INT64_MAX ? exact : undefined;
}

/** As `parseInt64`, but only safe integers: the ones that are stored as JS numbers. */
export function parseSafeInteger(text: string): number | undefined {
  // 16 digits and a sign: 9007199254740991 has 16.
  if (text.length > 17 || !isCanonicalInteger(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** True if Redis would store `text` as an integer. */
export function isInt64Text(text: string): boolean {
  if (!isCanonicalInteger(text)) return false;
  // 18 digits never exceed 64 bits; only longer ones need the exact comparison.
  return text.length <= 18 || parseInt64(text) !== undefined;
}

/** The sum, a number when it is safe, or `undefined` if it does not fit into 64 bits. */
export function addInt64(
  left: number | bigint,
  right: number | bigint,
): number | bigint | undefined {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const exact = BigInt(left) + BigInt(right);
  if (exact > INT64_MAX || exact < INT64_MIN) return undefined;
  const rounded = Number(exact);
  return Number.isSafeInteger(rounded) ? rounded : exact;
}
