// DEBUG DIGEST, computed from what clients read. Servers print the scores of sorted sets into it as
// their version does, so that digests of 7.0 and 7.2 differ for the same data: computed here, it
// can be compared with either. Written apart from the packages: what is tested must not judge
// itself.

import { createHash } from "node:crypto";

/** As 7.0 prints them, with `%.17g`; or as the server that was read prints them in replies. */
export type ScoreFormat = "as read" | "seventeen";

export interface KeyContent {
  readonly type: string;
  /** As clients read it; pairs, and ids in front of their fields, one after the other. */
  readonly content: readonly string[];
  readonly hasExpiry: boolean;
}

const typeNumbers: Readonly<Record<string, number>> = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  stream: 6,
};

const digestBytes = 20;

type Hash = Buffer<ArrayBuffer>;

export class Digest {
  readonly #format: ScoreFormat;
  readonly #whole = emptyHash();

  constructor(format: ScoreFormat) {
    this.#format = format;
  }

  /** To be called for each database, before its keys. */
  database(index: number, keys: number): void {
    if (keys > 0) mix(this.#whole, number(index));
  }

  key(key: string, { type, content, hasExpiry }: KeyContent): void {
    const digest = emptyHash();
    mix(digest, key);
    mix(digest, number(typeNumbers[type] ?? -1));
    this.#mixContent(digest, type, content);
    if (hasExpiry) join(digest, "!!expire!!");
    join(this.#whole, digest);
  }

  hex(): string {
    return this.#whole.toString("hex");
  }

  #mixContent(digest: Hash, type: string, content: readonly string[]): void {
    switch (type) {
      case "set":
        for (const member of content) join(digest, member);
        return;
      case "hash":
      case "zset":
        for (let index = 0; index < content.length; index += 2) {
          const [first = "", second = ""] = [content[index], content[index + 1]];
          const pair = emptyHash();
          mix(pair, first);
          mix(pair, type === "hash" ? second : this.#score(second));
          join(digest, pair);
        }
        return;
      case "stream":
        for (const text of content) mix(digest, text.replace(/^(\d+)-(\d+)$/, "$1.$2"));
        return;
      default:
        for (const item of content) mix(digest, item);
    }
  }

  #score(text: string): string {
    const value = Number(text.replace("inf", "Infinity"));
    return this.#format === "as read" || !Number.isFinite(value) ? text : seventeenDigits(value);
  }
}

/** As C prints with `%.17g`. */
export function seventeenDigits(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const exponent = Number(value.toExponential(16).split("e")[1]);
  if (exponent < -4 || exponent >= 17) {
    const [digits = "", power = ""] = value.toExponential(16).split("e");
    return `${withoutZeros(digits)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  return withoutZeros(value.toFixed(16 - exponent));
}

function withoutZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function emptyHash(): Hash {
  return Buffer.alloc(digestBytes);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sha1(data: string | Buffer): Buffer {
  const hash = createHash("sha1");
  return (typeof data === "string" ? hash.update(data, "latin1") : hash.update(data)).digest();
}

/** Joins what has no order. */
function join(digest: Hash, data: string | Buffer): void {
  const hash = sha1(data);
  for (let index = 0; index < digestBytes; index++) {
    digest[index] = (digest[index] ?? 0) ^ (hash[index] ?? 0);
  }
}

/** Joins what has an order. */
function mix(digest: Hash, data: string | Buffer): void {
  join(digest, data);
  sha1(digest).copy(digest);
}
