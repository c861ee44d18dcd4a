/**
 * Sine, cosine and arcsine, correctly rounded but for the rarest cases. The C library that Redis
 * uses is off by at most 0.55 units in the last place, JavaScript's by up to one: with its results
 * every tenth distance would differ from Redis' in its last digit, which STOREDIST stores.
 *
 * Values are kept as unevaluated sums of two doubles where it matters (T. J. Dekker, "A
 * Floating-Point Technique for Extending the Available Precision", 1971). Arguments are angles up
 * to about 3π in size, and for the arcsine anything from -1 to 1.
 */

/** An exact sum of two doubles, the second one below half a unit in the last place of the first. */
interface Pair {
  readonly high: number;
  readonly low: number;
}

/** Splits a double into halves of 26 bits, whose products are exact. */
const splitter = 2 ** 27 + 1;

/** π/2 as the sum of three doubles of 33 bits and a rest, so that small multiples are exact. */
const halfPi = [
  1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32,
] as const;

/**
 * The Taylor series. Their first terms need coefficients of two doubles; from these on, each is
 * less than 1/2000 of the result, and a double is 2^-64 of it or less.
 */
const sixth: Pair = { high: 1 / 6, low: 9.25185853854297e-18 };
const oneBy120: Pair = { high: 1 / 120, low: 1.1564823173178714e-19 };
const oneBy24: Pair = { high: 1 / 24, low: 2.3129646346357427e-18 };
/** -1/7!, 1/9!, -1/11! … */
const sineRest = [
  -1 / 5040,
  1 / 362880,
  -1 / 39916800,
  1 / 6227020800,
  -1 / 1307674368000,
  1 / 355687428096000,
  -1 / 121645100408832000,
];
/** -1/6!, 1/8!, -1/10! … */
const cosineRest = [
  -1 / 720,
  1 / 40320,
  -1 / 3628800,
  1 / 479001600,
  -1 / 87178291200,
  1 / 20922789888000,
  -1 / 6402373705728000,
  1 / 2432902008176640000,
];

function sum(a: number, b: number): Pair {
  const high = a + b;
  const part = high - a;
  return { high, low: a - (high - part) + (b - part) };
}

function product(a: number, b: number): Pair {
  const high = a * b;
  const aTop = splitter * a - (splitter * a - a);
  const bTop = splitter * b - (splitter * b - b);
  const aRest = a - aTop;
  const bRest = b - bTop;
  return { high, low: aTop * bTop - high + aTop * bRest + aRest * bTop + aRest * bRest };
}

function add(a: Pair, b: Pair): Pair {
  const { high, low } = sum(a.high, b.high);
  return sum(high, low + a.low + b.low);
}

function multiply(a: Pair, b: Pair): Pair {
  const { high, low } = product(a.high, b.high);
  return sum(high, low + a.high * b.low + a.low * b.high);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let at = coefficients.length - 1; at >= 0; at--) value = value * x + (coefficients[at] ?? 0);
  return value;
}

function negated({ high, low }: Pair): Pair {
  return { high: -high, low: -low };
}

/** For angles up to π/4: r - r³/6 + r⁵/120 - … */
function smallSine(angle: Pair): Pair {
  const square = multiply(angle, angle);
  const tail = square.high * polynomial(sineRest, square.high);
  const inner = add(multiply(square, add(oneBy120, { high: tail, low: 0 })), negated(sixth));
  return add(angle, multiply(angle, multiply(square, inner)));
}

/** For angles up to π/4: 1 - r²/2 + r⁴/24 - … */
function smallCosine(angle: Pair): Pair {
  const square = multiply(angle, angle);
  const tail = square.high * polynomial(cosineRest, square.high);
  const inner = multiply(square, add(oneBy24, { high: tail, low: 0 }));
  return add({ high: 1, low: 0 }, multiply(square, add(inner, { high: -0.5, low: 0 })));
}

/** The sine of an angle to which so many quarter turns are added. */
function turnedSine(angle: number, turns: number): Pair {
  const quarters = Math.round(angle / halfPi[0]);
  const [first, second, third, fourth] = halfPi;
  const rest = sum(angle - quarters * first, -quarters * second);
  const reduced = add(rest, { high: -quarters * third, low: -quarters * fourth });
  switch ((quarters + turns) & 3) {
    case 0:
      return smallSine(reduced);
    case 1:
      return smallCosine(reduced);
    case 2:
      return negated(smallSine(reduced));
    default:
      return negated(smallCosine(reduced));
  }
}

export function sine(angle: number): number {
  // Tiny angles are their own sines, signed zeros too; NaN and infinities have none.
  if (Math.abs(angle) < 1e-9 || !Number.isFinite(angle)) return Math.sin(angle);
  const { high, low } = turnedSine(angle, 0);
  return high + low;
}

export function cosine(angle: number): number {
  if (!Number.isFinite(angle)) return Number.NaN;
  const { high, low } = turnedSine(angle, 1);
  return high + low;
}

/** One step of Newton's method from JavaScript's own result, which doubles its digits. */
export function arcsine(value: number): number {
  const near = Math.asin(value);
  const slope = Math.cos(near);
  if (Math.abs(near) < 1e-9 || !(slope > 0)) return near;
  const { high, low } = turnedSine(near, 0);
  return near + (value - high - low) / slope;
}
