/**
 * The x87 long double (64 bits of mantissa, 15 of exponent), in which Redis adds fractions:
 * INCRBYFLOAT and HINCRBYFLOAT must print the digits that its rounding gives. It reads what C's
 * `strtold` reads, adds with one rounding to nearest even, and prints as `%.17Lf` without the zeros
 * at the end. BigInt throughout: these commands are rare.
 */

/** `mantissa` × 2^`exponent`; `exponent` is Infinity for an infinite value. */
export interface LongDouble {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Redis copies the text into 5 KiB, its NUL included; a longer one is no number. */
export const LONG_DOUBLE_TEXT_MAX = 5 * 1024 - 1;

const MANTISSA_BITS = 64;
/** The lowest bit of the smallest denormal is 2^-16445; the largest value is just below 2^16384. */
const EXPONENT_MIN = -16445;
const MAGNITUDE_BITS_MAX = 16384;
/** A power of ten beyond these is surely infinite or zero: 10^4932 and 10^-4951 are the limits. */
const DECIMAL_EXPONENT_MAX = 5000;

const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);

const decimalForm = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
const hexForm = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const infinityForm = /^[+-]?inf(inity)?$/i;

/** The number that the whole text spells; `undefined` if none, or if it is out of range. */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length > LONG_DOUBLE_TEXT_MAX) return undefined;
  if (infinityForm.test(text)) {
    return { negative: text.startsWith("-"), mantissa: 1n, exponent: Number.POSITIVE_INFINITY };
  }
  const hex = hexForm.exec(text);
  const [, sign = "", whole = "", fraction = "", power = "0"] = hex ?? decimalForm.exec(text) ?? [];
  if (whole === "" && fraction === "") return undefined;
  const digits = (whole + fraction).replace(/^0+/, "");
  const negative = sign === "-";
  if (digits === "") return { negative, mantissa: 0n, exponent: 0 };
  const value =
    hex === null
      ? fromDecimal(negative, digits, Number(power) - fraction.length)
      : rounded(negative, BigInt(`0x${digits}`), Number(power) - 4 * fraction.length);
  return value === undefined || value.mantissa === 0n ? undefined : value;
}

function fromDecimal(negative: boolean, digits: string, power: number): LongDouble | undefined {
  if (Math.abs(digits.length + power) > DECIMAL_EXPONENT_MAX) return undefined;
  const numerator = BigInt(digits);
  if (power >= 0) return rounded(negative, numerator * 10n ** BigInt(power), 0);
  const divisor = 10n ** BigInt(-power);
  // Two bits more than the mantissa, so that what the division leaves only decides between halves.
  const missing = MANTISSA_BITS + 2 - (bitLength(numerator) - bitLength(divisor));
  const shift = Math.max(0, missing);
  const shifted = numerator << BigInt(shift);
  const quotient = shifted / divisor;
  const rest = shifted % divisor === 0n ? 0n : 1n;
  return rounded(negative, (quotient << 1n) | rest, -shift - 1);
}

/** The sum, or `undefined` if it is infinite or not a number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (!Number.isFinite(a.exponent) || !Number.isFinite(b.exponent)) return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = aligned(a, exponent) + aligned(b, exponent);
  return rounded(sum < 0n, sum < 0n ? -sum : sum, exponent);
}

function aligned(value: LongDouble, exponent: number): bigint {
  const magnitude = value.mantissa << BigInt(value.exponent - exponent);
  return value.negative ? -magnitude : magnitude;
}

/** Fixed notation, 17 digits behind the point, zeros at the end left out; never `-0`. */
export function formatLongDouble({ negative, mantissa, exponent }: LongDouble): string {
  const scaled = mantissa * FRACTION_SCALE;
  const units = exponent >= 0 ? scaled << BigInt(exponent) : halfEven(scaled, -exponent);
  if (units === 0n) return "0";
  const fraction = (units % FRACTION_SCALE).toString().padStart(FRACTION_DIGITS, "0");
  const kept = fraction.replace(/0+$/, "");
  const whole = (units / FRACTION_SCALE).toString();
  return `${negative ? "-" : ""}${whole}${kept === "" ? "" : `.${kept}`}`;
}

/** The nearest long double to `magnitude` × 2^`exponent`, or `undefined` beyond the largest one. */
function rounded(negative: boolean, magnitude: bigint, exponent: number): LongDouble | undefined {
  const bits = bitLength(magnitude);
  if (bits + exponent > MAGNITUDE_BITS_MAX) return undefined;
  if (bits + exponent < EXPONENT_MIN - 1) return { negative, mantissa: 0n, exponent: 0 };
  const excess = Math.max(bits - MANTISSA_BITS, EXPONENT_MIN - exponent);
  if (excess <= 0) return { negative, mantissa: magnitude, exponent };
  const mantissa = halfEven(magnitude, excess);
  // Rounding up may have carried into one more bit.
  if (bitLength(mantissa) + exponent + excess > MAGNITUDE_BITS_MAX) return undefined;
  return { negative, mantissa, exponent: exponent + excess };
}

/** `value` / 2^`bits`, rounded to the nearest integer, halves to the even one. */
function halfEven(value: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  const quotient = value >> shift;
  const rest = value - (quotient << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return 4 * (hex.length - 1) + (32 - Math.clz32(Number.parseInt(hex[0] as string, 16)));
}
