/**
 * Numbers as directives write them: strict integers, memory sizes with units, octal modes, and
 * C's lenient prefix reading where Redis uses it. Everything is `bigint`, because several
 * directives reach to 2^63-1 or 2^64-1 and CONFIG GET must print them back exactly.
 */

export const INT_MIN = -(2n ** 31n);
export const INT_MAX = 2n ** 31n - 1n;
export const UINT_MAX = 2n ** 32n - 1n;
export const LONG_MAX = 2n ** 63n - 1n;
export const LONG_MIN = -(2n ** 63n);
export const ULONG_MAX = 2n ** 64n - 1n;

const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n * 1000n,
  mb: 1024n * 1024n,
  g: 1000n * 1000n * 1000n,
  gb: 1024n * 1024n * 1024n,
};

/** A canonical signed 64-bit integer: no sign but `-`, no leading zero, no space. */
export function parseStrictInteger(text: string): bigint | undefined {
  if (text === "0") return 0n;
  if (!/^-?[1-9][0-9]{0,18}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= LONG_MIN && value <= LONG_MAX ? value : undefined;
}

/**
 * `1gb`, `64mb`, `1k`, `100`; units in any case. Digits may be missing (0), a number beyond 64 bits
 * saturates and a product beyond 64 bits wraps: both are what Redis does, and the caller's bounds
 * decide what becomes of them.
 */
export function parseMemory(text: string): bigint | undefined {
  const match = /^([0-9]*)([a-zA-Z]*)$/.exec(text);
  if (match === null || match[1]!.length >= 128) return undefined;
  const unit = UNITS[match[2]!.toLowerCase()];
  if (unit === undefined) return undefined;
  const digits = BigInt(match[1]!);
  return BigInt.asUintN(64, (digits > ULONG_MAX ? ULONG_MAX : digits) * unit);
}

/** What C's `strtoll` reads if it reads the whole text (an empty text is 0), else `undefined`. */
export function parseLenientInteger(text: string): bigint | undefined {
  const match = /^(?:[ \t\n\v\f\r]*([+-]?)([0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  if (match[2] === undefined) return 0n;
  const magnitude = BigInt(match[2]);
  const value = match[1] === "-" ? -magnitude : magnitude;
  if (value > LONG_MAX) return LONG_MAX;
  return value < LONG_MIN ? LONG_MIN : value;
}

export function parseOctal(text: string): bigint | undefined {
  const match = /^(?:[ \t\n\v\f\r]*([+-]?)([0-7]+))?$/.exec(text);
  if (match === null) return undefined;
  if (match[2] === undefined) return 0n;
  const magnitude = BigInt(`0o${match[2]}`);
  if (magnitude > LONG_MAX) return undefined;
  return match[1] === "-" ? -magnitude : magnitude;
}

/** The shortest exact spelling with a unit, as CONFIG REWRITE writes it. */
export function formatMemory(bytes: bigint): string {
  if (bytes !== 0n) {
    for (const unit of ["gb", "mb", "kb"]) {
      const size = UNITS[unit]!;
      if (bytes % size === 0n) return `${bytes / size}${unit}`;
    }
  }
  return `${bytes}`;
}
