/**
 * Runs the same commands on a command harness and on a real redis-server and tells where replies or
 * log records differ. Both run on nearly the same clock, so numbers that are times may differ by
 * what the comparison itself takes.
 */
import assert from "node:assert/strict";
import { FastRandom } from "../store/random.js";
import { CommandHarness, type HarnessOptions } from "./command-harness.js";
import type { RedisServer } from "./redis-server.js";

/** Clocks differ by no more than this, and by a second of rounding. */
const clockToleranceMs = 20_000;

export interface ComparisonOptions {
  readonly harness?: HarnessOptions;
  readonly protocol?: 2 | 3;
  /** Servers before 7.2 word some records differently. */
  readonly withRecords?: boolean;
  /** Makes equal what is allowed to differ in a reply (arbitrary order, known differences). */
  readonly normalize?: (reply: string, words: readonly string[]) => string;
}

/** Compares all replies and then all log records; returns the harness for further looks. */
export async function compare(
  server: RedisServer,
  commands: readonly (readonly string[])[],
  options: ComparisonOptions = {},
): Promise<CommandHarness> {
  const normalize = options.normalize ?? ((reply: string) => reply);
  const protocol = options.protocol ?? 2;
  const start = [["SELECT", "0"], ["FLUSHALL"], ["HELLO", String(protocol)]];
  // Ours has no timers here: what has expired goes when it is looked at, and so it must there.
  await server.run([...start, ["DEBUG", "SET-ACTIVE-EXPIRE", "0"]]);
  const before = (await server.records()).length;
  const theirs = await server.run(commands);
  const harness = new CommandHarness({ now: Date.now(), ...options.harness });
  harness.protocol = protocol;
  const ourRecords: string[][] = [];
  for (const [index, words] of commands.entries()) {
    const ours = normalize(harness.text(...words), words);
    ourRecords.push(...harness.records());
    const theirReply = normalize((theirs[index] as Buffer).toString("latin1"), words);
    if (!isSame(words, ours, theirReply)) {
      assert.fail(
        `reply to command ${index} differs: ${JSON.stringify(words).slice(0, 500)}\n` +
          `ours   ${JSON.stringify(ours).slice(0, 500)}\n` +
          `theirs ${JSON.stringify(theirReply).slice(0, 500)}\n` +
          `before ${JSON.stringify(commands.slice(Math.max(0, index - 5), index)).slice(0, 1000)}`,
      );
    }
  }
  if (options.withRecords !== false) {
    const theirRecords = await server.records(before + ourRecords.length);
    compareRecords(ourRecords.filter(isKnownToBoth(theirRecords)), theirRecords.slice(before));
  }
  return harness;
}

function compareRecords(ours: readonly string[][], theirs: readonly string[][]): void {
  const [ourWords, theirWords] = [withDatabase(ours), withDatabase(theirs)];
  for (let index = 0; index < Math.max(ourWords.length, theirWords.length); index += 1) {
    const our = ourWords[index];
    const their = theirWords[index];
    const same = our !== undefined && their !== undefined && isSameRecord(our, their);
    assert.ok(
      same,
      `log record ${index} differs:\nours   ${JSON.stringify(our)?.slice(0, 500)}\n` +
        `theirs ${JSON.stringify(their)?.slice(0, 500)}\n` +
        `before ${JSON.stringify(theirWords.slice(Math.max(0, index - 3), index)).slice(0, 1000)}`,
    );
  }
}

/**
 * A BITFIELD whose writes were all refused may still have made the string longer. We log that, and
 * Redis does not.
 */
function isKnownToBoth(theirs: readonly string[][]): (words: readonly string[]) => boolean {
  const refusable = (words: readonly string[]): boolean =>
    words[0]?.toLowerCase() === "bitfield" && words.some((word) => word.toLowerCase() === "fail");
  const known = new Set(theirs.filter(refusable).map((words) => words.join(" ")));
  return (words) => !refusable(words) || known.has(words.join(" "));
}

/**
 * Each record with its database behind it instead of SELECT records, which may stand on either side
 * of a MULTI. Of MULTI itself it does not matter for which database it is.
 */
function withDatabase(records: readonly string[][]): readonly string[][] {
  let database = "0";
  const marked: string[][] = [];
  for (const words of records) {
    if (words[0] === "SELECT") database = words[1] ?? "";
    else marked.push(words[0] === "MULTI" ? words : [...words, `db ${database}`]);
  }
  return marked;
}

function isSameRecord(ours: readonly string[], theirs: readonly string[]): boolean {
  return (
    ours.length === theirs.length &&
    ours.every((word, index) => {
      if (word === theirs[index]) return true;
      const isTime = /^(pexpireat|restore)$/i.test(ours[0] ?? "")
        ? index === 2
        : ours[index - 1] === "PXAT";
      return isTime && areTimes(word, theirs[index] ?? "");
    })
  );
}

/** Equal, or two times that only differ by the clocks. */
function isSame(words: readonly string[], ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  if (!/(ttl|expiretime)$/i.test(words[0] ?? "")) return false;
  const [our, their] = [/^:(\d+)\r\n$/.exec(ours)?.[1], /^:(\d+)\r\n$/.exec(theirs)?.[1]];
  return our !== undefined && their !== undefined && areTimes(our, their);
}

/** True if they differ no more than the clocks do, and by the rounding of times beyond 2^53. */
function areTimes(ours: string, theirs: string): boolean {
  if (!/^\d{6,19}$/.test(ours) || !/^\d{6,19}$/.test(theirs)) return false;
  const difference = BigInt(ours) - BigInt(theirs);
  return difference < clockToleranceMs && difference > -clockToleranceMs;
}

/** Choices of a random test, repeatable by their seed. */
export class Choices {
  readonly random: FastRandom;

  constructor(seed: number) {
    this.random = new FastRandom(seed);
  }

  below(bound: number): number {
    return this.random.below(bound);
  }

  /** An integer from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  chance(share: number): boolean {
    return this.random.below(1_000_000) < share * 1_000_000;
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.random.below(items.length)] as Item;
  }

  /** `word` in one of the cases that clients write. */
  cased(word: string): string {
    return this.of([word.toUpperCase(), word.toLowerCase(), word]);
  }

  bytes(length: number): string {
    let text = "";
    for (let index = 0; index < length; index += 1) text += String.fromCharCode(this.below(256));
    return text;
  }
}
