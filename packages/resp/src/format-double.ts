/**
 * Doubles as Redis 7.2 prints them in replies: digits that read back as the same number, whole
 * numbers without a point, an exponent only when plain digits would be much longer.
 */
import { shortestDigits } from "./shortest-digits.js";

/** Whole numbers up to half of 2^63 are printed in full, whatever their zeros. */
const wholeMax = 2 ** 62;

export function formatDouble(value: number): string {
  if (Number.isInteger(value)) {
    if (value === 0) return Object.is(value, -0) ? "-0" : "0";
    if (Number.isSafeInteger(value)) return String(value);
    if (Math.abs(value) <= wholeMax) return BigInt(value).toString();
  } else if (Number.isNaN(value)) {
    return "nan";
  } else if (!Number.isFinite(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  return formatDigits(value);
}

/**
 * With `digits` the significant digits and `scale` the power of ten behind them (value = digits ×
 * 10^scale): plain when at most 7 zeros follow the digits, a point when the value is at least
 * 0.001 or the scale above -7, else the exponent form.
 */
function formatDigits(value: number): string {
  const sign = value < 0 ? "-" : "";
  const { digits, scale } = shortestDigits(Math.abs(value));
  const exponent = scale + digits.length - 1;
  const magnitude = Math.abs(exponent);
  if (scale >= 0 && magnitude < digits.length + 7) return sign + digits + "0".repeat(scale);
  if (scale < 0 && (scale > -7 || magnitude < 4)) {
    const whole = digits.length + scale;
    return whole > 0
      ? `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`
      : `${sign}0.${"0".repeat(-whole)}${digits}`;
  }
  const point = digits.length > 1 ? "." : "";
  const exponentSign = exponent < 0 ? "-" : "+";
  return `${sign}${digits[0]}${point}${digits.slice(1)}e${exponentSign}${magnitude}`;
}
