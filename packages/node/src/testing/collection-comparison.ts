/**
 * Runs the same random commands on a real server and on a node in this process, and demands the
 * same reply bytes, the same encodings after every step, the same log records, and that the records
 * alone lead a second node to the same data.
 *
 * Replies whose order Redis leaves open are compared sorted, and only where a hash table is
 * involved. Random replies are compared by their shape.
 */
import assert from "node:assert/strict";
import { ReplyDecoder, ReplyMap, ReplySet, replyText, type ReplyValue } from "@slotlog/resp";
import type { RdbCollection } from "../rdb/values.js";
import type { CollectionValue } from "../store/value.js";
import { CommandHarness, type HarnessOptions } from "./command-harness.js";
import { resultKey } from "./collection-words.js";
import type { RedisServer } from "./redis-server.js";

export type Words = readonly string[];

export interface CollectionComparisonOptions {
  readonly seed: number;
  readonly steps: number;
  /** The keys whose encodings are looked at. */
  readonly keys: readonly string[];
  /** One random command. */
  next(): Words;
  /** Lower case names of commands whose replies have no fixed order where hash tables are. */
  readonly unordered: ReadonlySet<string>;
  /** Lower case names of commands whose replies are random: only their first lines are compared. */
  readonly random: ReadonlySet<string>;
  readonly protocol: 2 | 3;
  readonly harness: HarnessOptions;
  /** False for 7.0: other encodings of lists and sets, and so other orders of small sets. */
  readonly isSameVersion: boolean;
}

/** Members from which on some setting that is compared makes a set a hash table. */
const tableFrom = 40;

/** Commands that are sent at once. */
const batchSteps = 100;

/** The server must be one that was just started. */
export async function compareCollections(
  real: RedisServer,
  options: CollectionComparisonOptions,
): Promise<void> {
  const ours = new CommandHarness(options.harness);
  const records: string[][] = [];
  try {
    if (options.protocol === 3) {
      await real.run([["HELLO", "3"]]);
      ours.protocol = 3;
    }
    for (let done = 0; done < options.steps; done += batchSteps) {
      await compareBatch({ options, real, ours, records });
    }
    assert.deepEqual(texts(records), texts(await real.records()), "the log records");
    const again = new CommandHarness(options.harness);
    for (const record of records) again.run(...record);
    assert.deepEqual(contents(again), contents(ours), "the data after a replay of the log");
  } catch (error) {
    console.error(`comparison failed: seed ${options.seed}, RESP${options.protocol}`);
    throw error;
  }
}

interface Batch {
  readonly options: CollectionComparisonOptions;
  readonly real: RedisServer;
  readonly ours: CommandHarness;
  readonly records: string[][];
}

async function compareBatch({ options, real, ours, records }: Batch): Promise<void> {
  const commands: Words[] = [];
  for (let step = 0; step < batchSteps; step++) {
    commands.push(options.next());
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
    const isOpen = before.includes("hashtable") || words.slice(1).includes(resultKey);
    const isTable = !options.isSameVersion || isOpen || isLarge(wanted);
    const reason = difference(options, { words, reply, wanted, isTable });
    if (reason !== undefined)
      assert.fail(`${brief(words.join(" "))}${reason}${history(commands, at)}`);
    if (!options.isSameVersion) continue;
    for (const [index, key] of options.keys.entries()) {
      const encoding = ours.node.databases.first.encoding(key) ?? "";
      const real = (replies[at + 1 + index] as Buffer).toString("latin1").split("\r\n")[1] ?? "";
      const about = `encoding of ${key} after ${brief(words.join(" "))}${history(commands, at)}`;
      assert.equal(encoding, real, about);
    }
  }
}

/** The commands in front of the one at `at`, looks at encodings left out. */
function history(commands: readonly Words[], at: number): string {
  const before = commands.slice(0, at).filter(([name]) => name !== "OBJECT");
  return before
    .slice(-20)
    .map((words) => `\n  before ${brief(words.join(" "))}`)
    .join("");
}

/** What both sides made of one command: the same for our purposes, or the texts that differ. */
function difference(
  options: CollectionComparisonOptions,
  step: {
    readonly words: Words;
    readonly reply: string;
    readonly wanted: string;
    readonly isTable: boolean;
  },
): string | undefined {
  const { words, reply, wanted, isTable } = step;
  if (reply === wanted) return undefined;
  const name = (words[0] as string).toLowerCase();
  let [ours, theirs] = [reply, wanted];
  if (options.random.has(name)) {
    [ours, theirs] = [firstLine(reply), firstLine(wanted)];
  } else if (options.unordered.has(name) && isTable) {
    const [our, their] = [sorted(name, reply), sorted(name, wanted)];
    if (our === "unfinished" || their === "unfinished") return undefined;
    [ours, theirs] = [JSON.stringify(our), JSON.stringify(their)];
  }
  return ours === theirs ? undefined : `\nours   ${brief(ours)}\ntheirs ${brief(theirs)}`;
}

/** For people: runs of one character shortened, control characters visible. */
function brief(text: string): string {
  const shown = text.replace(/(.)\1{20,}/gs, (run, char: string) => `${char}{${run.length}}`);
  return JSON.stringify(shown).slice(0, 1000);
}

/** The result of SUNION and SDIFF is a table of its own once it is large. */
function isLarge(reply: string): boolean {
  return Number(/^[*~](\d+)/.exec(reply)?.[1] ?? 0) > tableFrom;
}

function firstLine(reply: string): string {
  const line = reply.slice(0, reply.indexOf("\r\n"));
  // A random member may have any length.
  return line.startsWith("$") && line !== "$-1" ? "$" : line;
}

/** The elements in an order of ours; field and value stay together. */
function sorted(name: string, reply: string): unknown {
  const decoder = new ReplyDecoder();
  decoder.push(Buffer.from(reply, "latin1"));
  const value = decoder.next();
  if (value instanceof ReplyMap) return elementsSorted(name, value.entries.flat());
  if (value instanceof ReplySet) return elementsSorted(name, value.members);
  if (!Array.isArray(value)) return value;
  if (!name.endsWith("scan")) return elementsSorted(name, value);
  const [cursor, elements] = value;
  // A scan that is not at its end has returned other elements than another table would.
  return cursor === "0" ? elementsSorted(name, elements as ReplyValue[]) : "unfinished";
}

function elementsSorted(name: string, elements: readonly ReplyValue[]): string[] {
  const texts = elements.map((element) => replyText(element) ?? "?");
  if (name !== "hgetall" && name !== "hscan") return texts.sort();
  return texts.flatMap((field, at) => (at % 2 ? [] : [`${field},${texts[at + 1]}`])).sort();
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

function plain(value: CollectionValue): RdbCollection | readonly string[] {
  const neutral = value.toNeutral();
  if (neutral.type === "set") return neutral.members.map(String).sort();
  if (neutral.type !== "hash") return neutral;
  const pairs = neutral.pairs.map(String);
  return pairs.flatMap((field, at) => (at % 2 ? [] : [`${field}=${pairs[at + 1]}`])).sort();
}
