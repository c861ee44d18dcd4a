/**
 * Floating-point numbers as arguments, read as C's `strtod` reads them: decimal, `inf`, `infinity`,
 * hexadecimal (`0x1.8p3`), signs. Scores, weights, radii and coordinates come through here.
 */
import { replyErrors } from "@slotlog/resp";
import { parseSafeInteger } from "../store/int64.js";
import { fail } from "./errors.js";

/** What `isspace` skips in the C locale. */
const leadingBlanks = /^[ \t\n\v\f\r]+/;
const infinity = /^[+-]?inf(inity)?$/i;
const hexadecimal = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;

/**
 * The largest and the smallest exponent that make a difference: 64 digits of 4 bits beyond a
 * double.
 */
const exponentMax = 2400;

/** True if there are only characters of which decimal numbers are made, and at least one. */
function looksDecimal(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // 0-9 . + - e E
    const isPart =
      (code >= 48 && code <= 57) ||
      code === 46 ||
      code === 43 ||
      code === 45 ||
      code === 101 ||
      code === 69;
    if (!isPart) return false;
  }
  return text.length > 0;
}

function parseHexadecimal(text: string): number | undefined {
  const match = hexadecimal.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  const exponent = Math.max(-exponentMax, Math.min(exponentMax, Number(power)));
  let value = mantissa;
  // In steps, since a power of two beyond the range of doubles would be lost on its own.
  for (let left = exponent - 4 * fraction.length; left !== 0; ) {
    const step = Math.max(-1000, Math.min(1000, left));
    value *= 2 ** step;
    left -= step;
  }
  return sign === "-" ? -value : value;
}

/** What the whole of `text` spells, overflowed to infinity or to zero if it must; NaN is none. */
function wholeDouble(text: string): number | undefined {
  if (looksDecimal(text)) {
    const value = Number(text);
    return Number.isNaN(value) ? undefined : value;
  }
  if (infinity.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return parseHexadecimal(text);
}

/** True if a number other than 0 was read as 0, or a finite one as infinite: `strtod`'s ERANGE. */
function isOutOfRange(text: string, value: number): boolean {
  if (value === 0) return /[1-9a-f]/i.test(text.replace(/^[+-]?0x/i, "").replace(/[ep].*$/i, ""));
  return !Number.isFinite(value) && !infinity.test(text);
}

/** A number as ZADD takes it; `undefined` if it is none. */
export function parseDouble(text: string): number | undefined {
  // Most scores are integers, which need none of the patterns below.
  const integer = parseSafeInteger(text);
  if (integer !== undefined) return integer;
  const value = wholeDouble(text);
  if (value === undefined) return undefined;
  if ((value === 0 || value === Infinity || value === -Infinity) && isOutOfRange(text, value)) {
    return undefined;
  }
  return value;
}

/**
 * A number as ranges of scores take it, where Redis asks less: blanks in front, nothing at all
 * (which is 0), and what is out of range are right; a NUL ends it.
 */
export function parseLenientDouble(text: string): number | undefined {
  const end = text.indexOf("\0");
  const cString = end < 0 ? text : text.slice(0, end);
  if (cString === "") return 0;
  return wholeDouble(cString.replace(leadingBlanks, ""));
}

export function doubleArgument(text: string, message: string = replyErrors.notAFloat): number {
  return parseDouble(text) ?? fail(message);
}
