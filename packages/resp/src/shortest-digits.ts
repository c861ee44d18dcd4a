/**
 * The digits of a double as Redis 7.2 finds them: by Grisu2 (Florian Loitsch, "Printing
 * Floating-Point Numbers Quickly and Accurately with Integers", 2010). JavaScript's own conversion
 * always finds the shortest digits and the nearest of them; Grisu2 misses that in about one of a
 * thousand doubles (127.445805 becomes 127.44580499999999), and scores must read the same from us.
 *
 * Written in 64-bit arithmetic on pairs of 32-bit halves, since bigints take ten times as long.
 */

/** An unsigned 64-bit integer. */
interface Wide {
  readonly high: number;
  readonly low: number;
}

/** `digits` × 10^`scale` is the number. */
export interface Digits {
  readonly digits: string;
  readonly scale: number;
}

/** The exponents of the smallest double of all, and of the smallest with 53 bits. */
const exponentMinimal = -1074;
const exponentOfNormal = -1022;

const two32 = 2 ** 32;
const perTwo32 = 2 ** -32;

/**
 * Powers of ten, 8 apart, as 64-bit significands with their binary exponents. The products of a
 * double with the right one of them has an exponent between -60 and -32: its integer part fits 32
 * bits, and its fraction can be multiplied by ten without overflow.
 */
const firstPower = -348;
const powerStep = 8;
const powerCount = 87;
const exponentMin = -60;
const exponentMax = -32;

interface Power {
  readonly significand: Wide;
  readonly exponent: number;
}

const powers: readonly Power[] = Array.from({ length: powerCount }, (_, i) =>
  powerOfTen(firstPower + i * powerStep),
);

/** 10^`exponent`, its significand rounded to 64 bits. */
function powerOfTen(exponent: number): Power {
  const magnitude = 10n ** BigInt(Math.abs(exponent));
  const bits = magnitude.toString(2).length;
  // So many more bits than 64 that rounding sees what it must, the quotient's rest included.
  const spare = bits + 192;
  const scaled =
    exponent < 0 ? (1n << BigInt(spare + bits)) / magnitude : magnitude << BigInt(spare);
  const cut = scaled.toString(2).length - 64;
  const significand = (scaled + (1n << BigInt(cut - 1))) >> BigInt(cut);
  return {
    significand: { high: Number(significand >> 32n), low: Number(significand & 0xffff_ffffn) },
    exponent: cut - (exponent < 0 ? spare + bits : spare),
  };
}

/** The digits of a positive, finite double that is not zero. */
export function shortestDigits(value: number): Digits {
  // The logarithm may round up to the next whole number, never by more.
  let top = Math.floor(Math.log2(value));
  if (2 ** top > value) top--;
  // Exact: dividing by a power of two only changes the exponent.
  const fraction = value / 2 ** top;
  const shifted = fraction * 2 ** 31;
  const high = Math.floor(shifted);
  const value64 = { high, low: (shifted - high) * two32 };
  const exponent = top - 63;
  // Half the distance to the next double, in units of the 64-bit significand.
  const half = 2 ** (Math.max(top - 52, exponentMinimal) - 1 - exponent);
  // Just above a power of two the doubles below stand twice as close.
  const isEdge = fraction === 1 && top >= exponentOfNormal;
  const index = powerIndex(exponent);
  const power = powers[index]!;
  const upper = multiply(sum(value64, half), power.significand);
  const lower = multiply(sum(value64, isEdge ? -half / 2 : -half), power.significand);
  const middle = multiply(value64, power.significand);
  // Each product is off by up to one unit, so the interval gives up one at either end.
  const end = sum(upper, -1);
  return generate(
    end,
    difference(end, sum(lower, 1)),
    difference(end, middle),
    -(exponent + power.exponent + 64),
    -(firstPower + index * powerStep),
  );
}

/** Which power brings a significand of this exponent into range; Redis' own choice among two. */
function powerIndex(exponent: number): number {
  const tens = Math.trunc(-(exponent + powerCount) * 0.30102999566398114);
  let index = Math.trunc((tens - firstPower) / powerStep);
  for (;;) {
    const product = exponent + powers[index]!.exponent + 64;
    if (product < exponentMin) index++;
    else if (product > exponentMax) index--;
    else return index;
  }
}

/**
 * Digits of `end` from the left until what is left is inside the interval of length `delta` below
 * it; then the last digit goes down towards the value itself, `distance` below `end`. All three
 * have `fractionBits` bits behind the point, 32 to 60.
 */
function generate(
  end: Wide,
  delta: Wide,
  distance: Wide,
  fractionBits: number,
  scale: number,
): Digits {
  const highOne = 2 ** (fractionBits - 32);
  let whole = Math.floor(end.high / highOne);
  const fraction: Wide = { high: end.high - whole * highOne, low: end.low };
  let digits = 0;
  let unit = 1_000_000_000;
  for (let power = 9; power >= 0; power--) {
    const digit = Math.floor(whole / unit);
    whole -= digit * unit;
    digits = digits * 10 + digit;
    const rest = { high: whole * highOne + fraction.high, low: fraction.low };
    if (!isLess(delta, rest)) {
      const size = { high: unit * highOne, low: 0 };
      digits -= roundDown(rest, delta, distance, size);
      return { digits: String(digits), scale: scale + power };
    }
    unit /= 10;
  }
  // The first 9 or 10 digits and the others, 17 in all: each part is exact in a double.
  let steps = 0;
  let behind = 0;
  let count = 0;
  let high = fraction.high;
  let low = fraction.low;
  let width = delta;
  for (;;) {
    low *= 10;
    high = high * 10 + Math.floor(low * perTwo32);
    low >>>= 0;
    width = timesTen(width);
    const digit = Math.floor(high / highOne);
    high -= digit * highOne;
    steps++;
    if (digits < 100_000_000) {
      digits = digits * 10 + digit;
    } else {
      behind = behind * 10 + digit;
      count++;
    }
    if (high < width.high || (high === width.high && low < width.low)) break;
  }
  let reach = distance;
  for (let i = 0; i < steps; i++) reach = timesTen(reach);
  const down = roundDown({ high, low }, width, reach, { high: highOne, low: 0 });
  return {
    digits:
      count === 0
        ? String(digits - down)
        : String(digits) + String(behind - down).padStart(count, "0"),
    scale: scale - steps,
  };
}

/** By how much the last digit, worth `unit`, goes down to come nearest to the value. */
function roundDown(start: Wide, delta: Wide, distance: Wide, unit: Wide): number {
  let steps = 0;
  let rest = start;
  while (isLess(rest, distance) && !isLess(difference(delta, rest), unit)) {
    const next = total(rest, unit);
    const isBetter =
      isLess(next, distance) || isLess(difference(next, distance), difference(distance, rest));
    if (!isBetter) break;
    rest = next;
    steps++;
  }
  return steps;
}

/** The upper 64 bits of the 128-bit product, rounded by its next bit. */
function multiply(a: Wide, b: Wide): Wide {
  const highLow = product(a.high, b.low);
  const lowHigh = product(a.low, b.high);
  const highHigh = product(a.high, b.high);
  const lowLow = product(a.low, b.low);
  const below = highLow.low + lowHigh.low + lowLow.high + 0x8000_0000;
  const low = highHigh.low + highLow.high + lowHigh.high + Math.floor(below * perTwo32);
  return { high: highHigh.high + Math.floor(low * perTwo32), low: low >>> 0 };
}

/** 32 × 32 bits: a double holds 53, so one factor is taken in halves. */
function product(a: number, b: number): Wide {
  const upper = a * (b >>> 16);
  const lower = a * (b & 0xffff);
  const low = (upper & 0xffff) * 65_536 + lower;
  return { high: Math.floor(upper * 2 ** -16) + Math.floor(low * perTwo32), low: low >>> 0 };
}

function timesTen(a: Wide): Wide {
  const low = a.low * 10;
  return { high: a.high * 10 + Math.floor(low * perTwo32), low: low >>> 0 };
}

/** `a` and a small number of either sign. */
function sum(a: Wide, b: number): Wide {
  const low = a.low + b;
  const carry = Math.floor(low * perTwo32);
  return { high: a.high + carry, low: low - carry * two32 };
}

function total(a: Wide, b: Wide): Wide {
  const low = a.low + b.low;
  return { high: a.high + b.high + (low >= two32 ? 1 : 0), low: low >>> 0 };
}

/** `a` is not less than `b`. */
function difference(a: Wide, b: Wide): Wide {
  const low = a.low - b.low;
  return low < 0 ? { high: a.high - b.high - 1, low: low + two32 } : { high: a.high - b.high, low };
}

function isLess(a: Wide, b: Wide): boolean {
  return a.high < b.high || (a.high === b.high && a.low < b.low);
}
