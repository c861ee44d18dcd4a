/**
 * Redis' glob patterns (KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET, ACL): `*`, `?`, `[abc]`, `[a-z]`,
 * `[^…]` and `\x`, over bytes held as latin1 strings.
 *
 * It follows Redis' matcher in its corners: an unclosed class ends with the pattern, a lone
 * backslash at the end stands for itself, a reversed range is turned round, escaped characters in a
 * class ignore `nocase`, and trailing stars match nothing. It takes one backtrack point, the last
 * star: what comes behind a star may be tried from each position, but an earlier star never helps a
 * later one, so the cost is at most pattern length times text length and no pattern explodes.
 */

/**
 * Redis gives a pattern up behind its thousandth star (it recurses at each and guards its stack
 * since 7.2.6); the answer is then no. A star that ends the pattern does not count.
 */
const STARS_MAX = 1000;

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;

/** ASCII only, as C's tolower in the C locale. */
function lower(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

function same(a: number, b: number, nocase: boolean): boolean {
  return a === b || (nocase && lower(a) === lower(b));
}

/** Index behind the class that opens at `start` if `code` is in it, else that index inverted. */
function matchClass(pattern: string, start: number, code: number, nocase: boolean): number {
  const length = pattern.length;
  let at = start + 1;
  const negated = pattern.charCodeAt(at) === CARET;
  if (negated) at++;
  let found = false;
  for (; at < length; at++) {
    const unit = pattern.charCodeAt(at);
    if (unit === BACKSLASH && at + 1 < length) {
      at++;
      if (pattern.charCodeAt(at) === code) found = true;
    } else if (unit === CLOSE) {
      break;
    } else if (at + 2 < length && pattern.charCodeAt(at + 1) === DASH) {
      if (inRange(code, unit, pattern.charCodeAt(at + 2), nocase)) found = true;
      at += 2;
    } else if (same(unit, code, nocase)) {
      found = true;
    }
  }
  const end = at < length ? at + 1 : length;
  return found === negated ? ~end : end;
}

/** C chars, which Redis compares, are signed: in a range, bytes from 128 on come first. */
function signed(code: number): number {
  return (code << 24) >> 24;
}

function inRange(code: number, first: number, last: number, nocase: boolean): boolean {
  let low = Math.min(signed(first), signed(last));
  let high = Math.max(signed(first), signed(last));
  let probe = signed(code);
  if (nocase) {
    low = lower(low);
    high = lower(high);
    probe = lower(probe);
  }
  return probe >= low && probe <= high;
}

/**
 * Matches one pattern element that is not a star against one byte: the index behind the element, or
 * a negative number if it does not match.
 */
function matchOne(pattern: string, at: number, code: number, nocase: boolean): number {
  const unit = pattern.charCodeAt(at);
  if (unit === QUESTION) return at + 1;
  if (unit === OPEN) return matchClass(pattern, at, code, nocase);
  const literal = unit === BACKSLASH && at + 1 < pattern.length ? at + 1 : at;
  return same(pattern.charCodeAt(literal), code, nocase) ? literal + 1 : -1;
}

/** True if all of `text` matches `pattern`. */
export function globMatch(pattern: string, text: string, nocase = false): boolean {
  let at = 0;
  let index = 0;
  let starAt = -1;
  let starIndex = 0;
  let stars = 0;
  // Redis matches an empty text only by an empty pattern: its loop ends before it looks at a star.
  if (text.length === 0) return pattern.length === 0;
  while (index < text.length) {
    if (at < pattern.length && pattern.charCodeAt(at) === STAR) {
      starAt = ++at;
      starIndex = index;
      if (at === pattern.length) return true;
      // A run of stars is one.
      if (pattern.charCodeAt(at) !== STAR && ++stars > STARS_MAX) return false;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text.charCodeAt(index), nocase) : -1;
    if (next >= 0) {
      at = next;
      index++;
    } else if (starAt >= 0) {
      at = starAt;
      index = ++starIndex;
    } else {
      return false;
    }
  }
  while (at < pattern.length && pattern.charCodeAt(at) === STAR) at++;
  return at === pattern.length;
}
