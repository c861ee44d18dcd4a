/**
 * Runs the same random commands on a real server and on a node in this process, and demands the
 * same reply bytes, the same encodings after every step, the same log records, and that the records
 * alone lead a second node to the same data.
 *
 * Replies whose order Redis leaves open are compared sorted, and only where a hash table is
 * involved. Random replies are compared by their shape.
 */
import assert from "node:assert/strict";
import { CommandDecoder, latin1String } from "@slotlog/resp";
import { FastRandom } from "../store/random.js";
import { CommandHarness, type HarnessOptions } from "./command-harness.js";
import { RealServer } from "./real-server.js";

export type Words = readonly string[];

export interface ComparisonOptions {
  readonly seed: number;
  readonly steps: number;
  /** The keys whose encodings are looked at. */
  readonly keys: readonly string[];
  /** One random command. */
  next(random: FastRandom): Words;
  /** Lower case names of commands whose replies have no fixed order where hash tables are. */
  readonly unordered: ReadonlySet<string>;
  /** Lower case names of commands whose replies are random: only their first lines are compared. */
  readonly random: ReadonlySet<string>;
  readonly protocol: 2 | 3;
  /** Arguments of the real server. */
  readonly args: Words;
  readonly harness: HarnessOptions;
  /** False where the two versions name encodings differently. */
  readonly compareEncodings: boolean;
}

/** Commands that are sent at once. */
const batchSteps = 100;

export async function compare(options: ComparisonOptions): Promise<void> {
  const random = new FastRandom(options.seed);
  const real = await RealServer.start(...options.args);
  const ours = new CommandHarness(options.harness);
  const records: string[][] = [];
  try {
    if (options.protocol === 3) {
      await real.text("HELLO", "3");
      ours.protocol = 3;
    }
    for (let done = 0; done < options.steps; done += batchSteps) {
      await compareBatch({ options, random, real, ours, records });
    }
    assert.deepEqual(texts(records), texts(decode(real.incrementBytes())), "the log records");
    const again = new CommandHarness(options.harness);
    for (const record of records) again.run(...record);
    assert.deepEqual(contents(again), contents(ours), "the data after a replay of the log");
  } catch (error) {
    console.error(`comparison failed: seed ${options.seed}, RESP${options.protocol}`);
    throw error;
  } finally {
    await real.stop();
  }
}

interface Batch {
  readonly options: ComparisonOptions;
  readonly random: FastRandom;
  readonly real: RealServer;
  readonly ours: CommandHarness;
  readonly records: string[][];
}

async function compareBatch({ options, random, real, ours, records }: Batch): Promise<void> {
  const commands: Words[] = [];
  for (let step = 0; step < batchSteps; step++) {
    commands.push(options.next(random));
    for (const key of options.keys) commands.push(["OBJECT", "ENCODING", key]);
  }
  const replies = await real.run(commands);
  const width = options.keys.length + 1;
  for (let at = 0; at < commands.length; at += width) {
    const words = commands[at] as Words;
    const before = options.keys.map((key) => ours.node.databases.first.encoding(key));
    const reply = ours.run(...words).toString("latin1");
    records.push(...ours.records());
    const wanted = (replies[at] as Buffer).toString("latin1");
    compareReply(options, { words, reply, wanted, isTable: before.includes("hashtable") });
    if (!options.compareEncodings) continue;
    for (const [index, key] of options.keys.entries()) {
      const encoding = ours.node.databases.first.encoding(key) ?? "";
      const real = (replies[at + 1 + index] as Buffer).toString("latin1").split("\r\n")[1] ?? "";
      assert.equal(encoding, real, `encoding of ${key} after ${words.join(" ").slice(0, 300)}`);
    }
  }
}

function compareReply(
  options: ComparisonOptions,
  step: {
    readonly words: Words;
    readonly reply: string;
    readonly wanted: string;
    readonly isTable: boolean;
  },
): void {
  const { words, reply, wanted, isTable } = step;
  if (reply === wanted) return;
  const name = (words[0] as string).toLowerCase();
  const about = words.join(" ").slice(0, 300);
  if (options.random.has(name)) {
    assert.equal(firstLine(reply), firstLine(wanted), about);
  } else if (options.unordered.has(name) && isTable) {
    assert.deepEqual(sorted(name, reply), sorted(name, wanted), about);
  } else {
    assert.equal(reply, wanted, about);
  }
}

function firstLine(reply: string): string {
  const line = reply.slice(0, reply.indexOf("\r\n"));
  // A random member may have any length.
  return line.startsWith("$") && line !== "$-1" ? "$" : line;
}

/** The elements of a flat reply; pairs stay together. */
function sorted(name: string, reply: string): string[] {
  const lines = reply.split("\r\n");
  const elements: string[] = [];
  for (let at = 1; at + 1 < lines.length; at += 2) elements.push(`${lines[at]} ${lines[at + 1]}`);
  if (name !== "hgetall") return [lines[0] as string, ...elements.sort()];
  const pairs: string[] = [];
  for (let at = 0; at < elements.length; at += 2) pairs.push(`${elements[at]} ${elements[at + 1]}`);
  return [lines[0] as string, ...pairs.sort()];
}

function decode(bytes: Buffer): string[][] {
  const decoder = new CommandDecoder();
  const records: string[][] = [];
  decoder.push(bytes);
  while (decoder.next()) {
    records.push(
      decoder.argv.map((word) =>
        typeof word === "string" ? word : latin1String(word, 0, word.length),
      ),
    );
  }
  return records;
}

/** Random choices are compared by how many they are. */
function texts(records: readonly Words[]): string[] {
  return records.map((words) =>
    words[0] === "SREM" ? `SREM ${words[1]} ${words.length}` : words.join(" "),
  );
}

function contents(harness: CommandHarness): [string, unknown][] {
  const all: [string, unknown][] = [];
  harness.node.databases.first.forEach((key, value) => {
    all.push([key, typeof value === "object" && value.type !== "string" ? plain(value) : value]);
  });
  return all.sort(([left], [right]) => (left < right ? -1 : 1));
}

function plain(value: { toNeutral(): unknown; readonly type: string }): unknown {
  const neutral = value.toNeutral() as Record<string, unknown>;
  const { members, pairs } = neutral;
  if (Array.isArray(members) && value.type === "set") return [...members].sort();
  if (!Array.isArray(pairs)) return neutral;
  const joined = pairs.flatMap((field, at) => (at % 2 === 0 ? [`${field}=${pairs[at + 1]}`] : []));
  return joined.sort();
}
