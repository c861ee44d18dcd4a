/**
 * Positions as scores: 26 bits of latitude and 26 of longitude, interleaved (latitude in the even
 * bits), so that near positions mostly have near scores. Latitudes end where the Mercator
 * projection does (EPSG:900913), except in the text form, which everybody else reads.
 */

export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

export interface Interval {
  readonly min: number;
  readonly max: number;
}

export const longitudes: Interval = { min: -180, max: 180 };
export const latitudes: Interval = { min: -85.05112878, max: 85.05112878 };

/** Bits per coordinate in a score. */
export const stepMax = 26;
const cellsMax = 2 ** stepMax;

const two32 = 2 ** 32;

/** Where geohash.org's texts divide the latitudes. */
const textLatitudes: Interval = { min: -90, max: 90 };
const textAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
/** 52 bits make ten letters of five; Redis has always said eleven, the last one zero. */
const textLettersExact = 10;

/** Two halves of a 64-bit integer. */
export interface Bits {
  readonly high: number;
  readonly low: number;
}

/** Spreads 16 bits over the even ones of 32 (Morton's order). */
function spread(bits: number): number {
  let x = bits & 0xffff;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** Gathers the even bits of 32 into 16. */
function gather(bits: number): number {
  let x = bits & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0x0000ffff;
}

/** Both coordinates as fractions of their ranges, in `step` bits each, interleaved. */
export function encode(
  position: Position,
  step: number,
  latitudeRange: Interval = latitudes,
): Bits {
  const { min, max } = latitudeRange;
  const scale = 2 ** step;
  const y = Math.trunc(((position.latitude - min) / (max - min)) * scale);
  const width = longitudes.max - longitudes.min;
  const x = Math.trunc(((position.longitude - longitudes.min) / width) * scale);
  return {
    high: (spread(y >>> 16) | (spread(x >>> 16) << 1)) >>> 0,
    low: (spread(y) | (spread(x) << 1)) >>> 0,
  };
}

export function bitsToBigInt({ high, low }: Bits): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/**
 * The score of a position, as the integer's text: at the eastern end it takes more than 53 bits.
 */
export function scoreText(position: Position): string {
  const bits = encode(position, stepMax);
  const score = bits.high * two32 + bits.low;
  return Number.isSafeInteger(score) ? String(score) : bitsToBigInt(bits).toString();
}

/** The 64 bits that C makes of a score that is no position. */
function bitsOfForeignScore(score: number): Bits {
  // x86-64 converts what is negative as a signed integer, and gives 2^63 for what does not fit one;
  // from 2^63 on it takes that off first and puts it back behind, so that 2^64 and more become 0.
  if (score >= 2 ** 64) return { high: 0, low: 0 };
  if (score < -(2 ** 63)) return { high: 0x80000000, low: 0 };
  const bits = BigInt.asUintN(64, BigInt(Math.trunc(score)));
  return { high: Number(bits >> 32n), low: Number(bits & 0xffffffffn) };
}

function latitudeIndex(high: number, low: number): number {
  return (gather(low) | (gather(high) << 16)) >>> 0;
}

function longitudeIndex(high: number, low: number): number {
  return (gather(low >>> 1) | (gather(high >>> 1) << 16)) >>> 0;
}

export interface Area {
  readonly longitude: Interval;
  readonly latitude: Interval;
}

/** The area whose positions all have these bits. */
export function decodeArea({ high, low }: Bits, step: number): Area {
  return {
    longitude: intervalAt(longitudeIndex(high, low), step, longitudes),
    latitude: intervalAt(latitudeIndex(high, low), step, latitudes),
  };
}

function intervalAt(index: number, step: number, { min, max }: Interval): Interval {
  const scale = 2 ** step;
  // An index of 32 bits overflows to 0, as in C; only scores that are no positions have one.
  const next = (index + 1) >>> 0;
  return {
    min: min + (index / scale) * (max - min),
    max: min + (next / scale) * (max - min),
  };
}

/** The middle of the interval with this index, in a range divided into 2^26. */
function middleAt(index: number, { min, max }: Interval): number {
  const width = max - min;
  const next = (index + 1) >>> 0;
  const low = min + (index / cellsMax) * width;
  const high = min + (next / cellsMax) * width;
  return Math.max(min, Math.min(max, (low + high) / 2));
}

/** The position that a score stands for: the middle of its area. */
export function positionOf(score: number): Position {
  let high: number;
  let low: number;
  if (score >= 0 && score <= Number.MAX_SAFE_INTEGER) {
    const whole = Math.floor(score);
    high = Math.floor(whole / two32);
    low = whole >>> 0;
  } else ({ high, low } = bitsOfForeignScore(score));
  return {
    longitude: middleAt(longitudeIndex(high, low), longitudes),
    latitude: middleAt(latitudeIndex(high, low), latitudes),
  };
}

/** The eleven letters of GEOHASH. */
export function geohashText(score: number): string {
  const bits = bitsToBigInt(encode(positionOf(score), stepMax, textLatitudes));
  let text = "";
  for (let letter = 1; letter <= textLettersExact; letter++) {
    const index = Number((bits >> BigInt(2 * stepMax - 5 * letter)) & 31n);
    text += textAlphabet.charAt(index);
  }
  return `${text}0`;
}
