/**
 * The seeded hash of members and fields in large collections. It is the hash half of
 * `key-hash.ts`, without the slot and without a memo: an element is looked up once per command.
 *
 * Hashes are integers from 0 to `HASH_MAX` (31 bits, so that V8 never boxes one); strings are
 * latin1, one char a byte. Seeded, so that nobody can choose members that collide.
 */
import { HASH_MAX } from "../key-hash.js";

export class ElementHasher {
  readonly #seed: number;
  readonly #secret: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#secret = finish(seed ^ 0x27d4eb2f);
  }

  hashOf(text: string): number {
    const length = text.length;
    const whole = length & ~3;
    const secret = this.#secret;
    let hash = this.#seed ^ length;
    let index = 0;
    for (; index < whole; index += 4) {
      const word =
        text.charCodeAt(index) |
        (text.charCodeAt(index + 1) << 8) |
        (text.charCodeAt(index + 2) << 16) |
        (text.charCodeAt(index + 3) << 24);
      hash = Math.imul(hash ^ word, 0x9e3779b1) + secret;
      hash ^= hash >>> 15;
    }
    for (; index < length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x9e3779b1) + secret;
      hash ^= hash >>> 15;
    }
    hash = finish(hash) >>> 1;
    return hash > HASH_MAX ? HASH_MAX : hash;
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
