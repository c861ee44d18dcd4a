/**
 * One pass over a key yields its cluster slot and its seeded hash.
 *
 * The slot is CRC16-CCITT (XMODEM: polynomial 0x1021, initial value 0) of the key or of its hash
 * tag, modulo 16384. The hash is ours, seeded and independent of V8's, which for strings of 16,384
 * chars and more is their length. Both are computed together since most commands need both, and
 * remembered for the last key, since routing and lookup ask for the same one.
 *
 * Keys are latin1 strings: one char is one byte. It refuses nothing and stores no key for long.
 */

export const SLOT_COUNT = 16384;

/** Hashes are integers from 0 to `HASH_MAX`: 31 bits, so that V8 never boxes one. */
export const HASH_BITS = 31;
/** The largest value is left to mark empty places; see `segment.ts`. */
export const HASH_MAX = 0x7ffffffe;

/**
 * Keys up to this length are left behind as words, four chars to each: the slab compares and stores
 * keys by them, since another pass over the chars of a string costs 2 ns for each of them.
 */
export const KEY_WORDS_LENGTH_MAX = 512;

const OPEN_BRACE = 123;
const CLOSE_BRACE = "}";

/**
 * Four tables in one: entry `256 * k + b` is the CRC of byte `b` followed by `k` zero bytes. A CRC
 * is linear, so four bytes at a time need four independent look-ups instead of a chain of four.
 */
const CRC = crcTables();

function crcTables(): Uint16Array {
  const tables = new Uint16Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    tables[byte] = crc & 0xffff;
  }
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256] as number;
    tables[index] = ((previous << 8) & 0xffff) ^ (tables[previous >>> 8] as number);
  }
  return tables;
}

function crcOfRange(key: string, start: number, end: number): number {
  let crc = 0;
  for (let index = start; index < end; index++) {
    const byte = key.charCodeAt(index);
    crc = ((crc << 8) & 0xffff) ^ (CRC[((crc >>> 8) ^ byte) & 0xff] as number);
  }
  return crc;
}

/**
 * CRC of the part of the key that decides its slot, given the CRC of all of it: what lies between
 * the first `{` and the first `}` behind it, unless that is empty or there is none.
 */
function crcOfTag(key: string, wholeCrc: number): number {
  const open = key.indexOf("{");
  const close = key.indexOf(CLOSE_BRACE, open + 1);
  return close > open + 1 ? crcOfRange(key, open + 1, close) : wholeCrc;
}

export class KeyHasher {
  /** Slot of the key that was hashed last. */
  slot = 0;
  /** That key itself, unless it is long: the lowest byte first, zero bytes behind the last char. */
  readonly words = new Int32Array(KEY_WORDS_LENGTH_MAX / 4);
  #hash = 0;
  /** The memo's key; `undefined` before the first. */
  #key: string | undefined = undefined;
  readonly #seed: number;
  readonly #secret: number;

  /** Two nodes with the same seed hash alike; a production seed comes from a secret source. */
  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#secret = finish(seed ^ 0x5851f42d);
  }

  slotOf(key: string): number {
    this.hashOf(key);
    return this.slot;
  }

  /** The seeded hash, 0 to `HASH_MAX`; leaves the slot in `slot`. */
  hashOf(key: string): number {
    if (key === this.#key) return this.#hash;
    const length = key.length;
    const whole = length & ~3;
    const secret = this.#secret;
    const { words } = this;
    const isShort = length <= KEY_WORDS_LENGTH_MAX;
    let hash = this.#seed ^ length;
    let crc = 0;
    let tagged = false;
    let index = 0;
    for (; index < whole; index += 4) {
      const a = key.charCodeAt(index) & 0xff;
      const b = key.charCodeAt(index + 1) & 0xff;
      const c = key.charCodeAt(index + 2) & 0xff;
      const d = key.charCodeAt(index + 3) & 0xff;
      if (a === OPEN_BRACE || b === OPEN_BRACE || c === OPEN_BRACE || d === OPEN_BRACE) {
        tagged = true;
      }
      crc =
        (CRC[768 + ((crc >>> 8) ^ a)] as number) ^
        (CRC[512 + ((crc & 0xff) ^ b)] as number) ^
        (CRC[256 + c] as number) ^
        (CRC[d] as number);
      const word = a | (b << 8) | (c << 16) | (d << 24);
      if (isShort) words[index >>> 2] = word;
      hash = Math.imul(hash ^ word, 0x9e3779b1) + secret;
      hash ^= hash >>> 15;
    }
    let last = 0;
    for (; index < length; index++) {
      const byte = key.charCodeAt(index) & 0xff;
      last |= byte << ((index & 3) << 3);
      if (byte === OPEN_BRACE) tagged = true;
      crc = ((crc << 8) & 0xffff) ^ (CRC[(crc >>> 8) ^ byte] as number);
      hash = Math.imul(hash ^ byte, 0x9e3779b1) + secret;
      hash ^= hash >>> 15;
    }
    if (isShort && whole < length) words[whole >>> 2] = last;
    if (tagged) crc = crcOfTag(key, crc);
    hash = finish(hash) >>> 1;
    if (hash > HASH_MAX) hash = HASH_MAX;
    this.#key = key;
    this.slot = crc & (SLOT_COUNT - 1);
    this.#hash = hash;
    return hash;
  }

  /** Lets go of the last key's string. */
  forget(): void {
    this.#key = undefined;
  }
}

/** Murmur3's finaliser: every input bit reaches every output bit, the top ones above all. */
function finish(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
