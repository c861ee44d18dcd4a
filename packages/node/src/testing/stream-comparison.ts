/**
 * Runs the same random stream commands on a real server and on a node in this process: the same
 * replies, the same log records, and the records alone lead a second node to the same streams.
 * Times are made equal as far as the two clocks may differ.
 */
import assert from "node:assert/strict";
import { ReplyDecoder, ReplyMap, type ReplyValue } from "@slotlog/resp";
import type { RdbStream } from "../rdb/values.js";
import { StreamValue } from "../store/types/stream.js";
import { Choices } from "./comparison.js";
import { CommandHarness, type HarnessOptions } from "./command-harness.js";
import { RealClients } from "./real-clients.js";
import type { RedisServer } from "./redis-server.js";
import { SeveralClients } from "./several-clients.js";
import { StreamWords } from "./stream-words.js";

export interface StreamComparisonOptions {
  readonly seed: number;
  readonly steps: number;
  readonly protocol: 2 | 3;
  readonly harness: HarnessOptions;
  /** False for 7.0: compared without groups, whose consumers come and go otherwise. */
  readonly isSameVersion: boolean;
}

const batchSteps = 200;
/** Idle times are given in steps far larger than the time that a comparison takes. */
const idleStepMs = 60_000;

/** The server must be one that was just started. */
export async function compareStreams(
  real: RedisServer,
  options: StreamComparisonOptions,
): Promise<void> {
  const ours = new CommandHarness({ ...options.harness, now: Date.now() });
  const { seed, isSameVersion: groups } = options;
  const words = new StreamWords({ seed, now: Date.now(), groups });
  const records: string[][] = [];
  try {
    ours.protocol = options.protocol;
    await real.run([["HELLO", String(options.protocol)]]);
    for (let done = 0; done < options.steps; done += batchSteps) {
      const commands = Array.from({ length: batchSteps }, () => words.next());
      const replies = await real.run(commands);
      ours.now = Date.now();
      for (const [index, command] of commands.entries()) {
        const reply = ours.text(...command);
        records.push(...ours.records());
        const wanted = (replies[index] as Buffer).toString("latin1");
        assertSame(options, { commands, index, reply, wanted });
      }
    }
    if (options.isSameVersion) compareRecords(records, await real.records());
    const again = new CommandHarness({ ...options.harness, clientKind: "loader" });
    for (const record of records) again.run(...record);
    assert.deepEqual(contents(again), contents(ours), "the data after a replay of the log");
  } catch (error) {
    console.error(`comparison failed: seed ${options.seed}, RESP${options.protocol}`);
    throw error;
  }
}

interface Step {
  readonly commands: readonly (readonly string[])[];
  readonly index: number;
  readonly reply: string;
  readonly wanted: string;
}

function assertSame(options: StreamComparisonOptions, step: Step): void {
  const { commands, index, reply, wanted } = step;
  if (reply === wanted) return;
  const command = commands[index] as readonly string[];
  const [ours, theirs] = [timeless(command, reply), timeless(command, wanted)];
  if (ours === theirs || (!options.isSameVersion && bothFail(reply, wanted))) {
    return;
  }
  const before = commands.slice(Math.max(0, index - 12), index).map((words) => words.join(" "));
  assert.fail(
    `${JSON.stringify(command)}\nours   ${JSON.stringify(ours)}\ntheirs ${JSON.stringify(theirs)}\n` +
      `before ${JSON.stringify(before, undefined, 1)}`,
  );
}

/** 7.0 words some errors otherwise, and checks in another order. */
function bothFail(reply: string, wanted: string): boolean {
  return reply.startsWith("-") && wanted.startsWith("-");
}

/** The reply with all times made coarse. */
function timeless(command: readonly string[], reply: string): string {
  const withoutTimes = reply.replace(/:1[6-9]\d{11}\r\n/g, ":<time>\r\n");
  const name = (command[0] as string).toLowerCase();
  const isList = name === "xpending" && command.length > 3;
  const isConsumers = name === "xinfo" && command[1]?.toLowerCase() === "consumers";
  if ((!isList && !isConsumers) || reply.startsWith("-")) return withoutTimes;
  const decoder = new ReplyDecoder();
  decoder.push(Buffer.from(reply, "latin1"));
  const rows = decoder.next() as ReplyValue[];
  return JSON.stringify(rows.map((row) => coarse(row)));
}

function coarse(row: ReplyValue): unknown {
  const values = row instanceof ReplyMap ? row.entries.flat() : (row as ReplyValue[]);
  const idleAt = values.length === 4 ? [2] : [5, 7];
  return values.map((value, at) =>
    idleAt.includes(at)
      ? Math.floor((Number(value) + idleStepMs / 2) / idleStepMs)
      : JSON.stringify(value),
  );
}

/**
 * We log each consumer that came to be and has nothing pending, Redis only those of NOACK: records
 * of ours that Redis lacks may be such, and nothing else.
 */
function compareRecords(ours: readonly string[][], theirs: readonly string[][]): void {
  const [left, right] = [unitsOf(ours), unitsOf(theirs)];
  let at = 0;
  for (const unit of left) {
    const wanted = right[at];
    const others = withoutConsumers(unit);
    const isMore = others.length < unit.length && unit.join("\n") !== wanted?.join("\n");
    if (isMore && others.length === 0) continue;
    const before = right
      .slice(Math.max(0, at - 5), at)
      .flat()
      .join("\n");
    assert.deepEqual(isMore ? others : unit, wanted, `log unit ${at}, after\n${before}`);
    at++;
  }
  assert.deepEqual(right.slice(at), [], "records that only the real server has");
}

/** A unit without the consumers it makes; a record that is then alone has no MULTI around it. */
function withoutConsumers(unit: readonly string[]): readonly string[] {
  const others = unit.filter((record) => !record.startsWith("XGROUP CREATECONSUMER "));
  return others[0] === "MULTI" && others.length <= 3 ? others.slice(1, -1) : others;
}

/** Records as text; a unit is one, or all from MULTI to EXEC. */
function unitsOf(records: readonly string[][]): string[][] {
  const units: string[][] = [];
  let isOpen = false;
  for (const words of records) {
    const text = words.map((word) => word.replace(/^1[6-9]\d{11}$/, "<time>")).join(" ");
    if (isOpen) units.at(-1)?.push(text);
    else units.push([text]);
    if (text === "MULTI") isOpen = true;
    else if (text === "EXEC") isOpen = false;
  }
  return units;
}

/** What the log carries: neither how often history was read again, nor who only looked. */
function contents(harness: CommandHarness): unknown {
  const all: [string, unknown][] = [];
  harness.node.databases.first.forEach((key, value) => {
    if (value instanceof StreamValue) all.push([key, logged(value.toNeutral())]);
  });
  return all.sort(([left], [right]) => (left < right ? -1 : 1));
}

function logged(stream: RdbStream): unknown {
  const { entries, lastId, firstId, maxDeletedId, entriesAdded, groups } = stream;
  return {
    entries,
    ids: [lastId, firstId, maxDeletedId, entriesAdded],
    groups: groups.map((group) => [
      group.name,
      group.lastId,
      group.pending.map(({ id }) => id),
      group.consumers.flatMap(({ name, pending }) => pending.map((id) => `${String(name)} ${id}`)),
    ]),
  };
}

/** Many entries of many sizes, trimmed approximately again and again; a look after each. */
export function longStream(seed: number): readonly (readonly string[])[] {
  const choices = new Choices(seed);
  const commands: (readonly string[])[] = [];
  for (let ms = 1; ms <= 3000; ms++) {
    const length = choices.chance(0.05) ? choices.below(6000) : choices.below(40);
    const fields = choices.chance(0.9) ? ["name", "5"] : [`f${choices.below(3)}`, "5"];
    commands.push(["XADD", "s", `${ms}-0`, ...fields, "value", "x".repeat(length)]);
    if (choices.chance(0.1)) commands.push(["XDEL", "s", `${choices.between(1, ms)}-0`]);
    if (!choices.chance(0.01)) continue;
    const limit = choices.chance(0.5) ? ["LIMIT", String(choices.below(300))] : [];
    const threshold = choices.chance(0.5)
      ? ["MAXLEN", "~", String(choices.below(1000))]
      : ["MINID", "~", String(choices.below(ms))];
    commands.push(["XTRIM", "s", ...threshold, ...limit], ["XINFO", "STREAM", "s"]);
  }
  return commands;
}

/** What one side dumps the other restores, and both then tell the same of it. */
export async function compareDumps(real: RedisServer, seed: number): Promise<void> {
  const now = Date.now();
  const ours = new CommandHarness({ now });
  const words = new StreamWords({ seed, now, groups: true });
  const commands = Array.from({ length: 3000 }, () => words.next());
  const tell = ["XINFO", "STREAM", "there", "FULL", "COUNT", "0"];
  for (let from = 0; from < commands.length; from += 300) {
    const batch = commands.slice(from, from + 300);
    await real.run(batch);
    for (const command of batch) ours.run(...command);
    for (const key of ["s1", "s2", "s3"]) {
      const [theirDump = Buffer.alloc(0)] = await real.run([["DUMP", key]]);
      const [theirs, our] = [bulk(theirDump), bulk(ours.run("DUMP", key))];
      if (theirs === undefined || our === undefined) continue;
      const restore = ["RESTORE", "there", "0"];
      assert.equal(ours.text(...restore, theirs, "REPLACE"), "+OK\r\n");
      const [restored, told] = await real.run([[...restore, our, "REPLACE"], tell]);
      assert.equal(restored?.toString(), "+OK\r\n");
      const [left, right] = [ours.text(...tell), String(told?.toString("latin1"))];
      assert.equal(withoutActivity(left), withoutActivity(right), `seed ${seed}, ${key}`);
    }
  }
}

function bulk(reply: Buffer): string | undefined {
  const text = reply.toString("latin1");
  return text.startsWith("$-") ? undefined : text.slice(text.indexOf("\n") + 1, -2);
}

/** Our dumps are for 7.0 as well, which does not know when a consumer was last active. */
function withoutActivity(reply: string): string {
  return reply
    .replace(/:1[6-9]\d{11}\r\n/g, ":<time>\r\n")
    .replace(/(active-time\r\n):[^\r]*/g, "$1?")
    .replace(/(radix-tree-(keys|nodes)\r\n):\d+/g, "$1?");
}

/** The keyspace events of random stream commands, in their order. */
export async function compareStreamEvents(server: RedisServer, seed: number): Promise<void> {
  const real = await RealClients.connect(server.port, 2);
  const now = Date.now();
  const ours = new SeveralClients(2, { now });
  const words = new StreamWords({ seed, now, groups: true });
  for (const side of [real, ours]) {
    await side.say(1, ["CONFIG", "SET", "notify-keyspace-events", "AKEnm"]);
    await side.say(1, ["PSUBSCRIBE", "*"]);
  }
  try {
    for (let step = 0; step < 2000; step++) {
      const command = words.next();
      await real.say(0, command);
      ours.harness.now = Date.now();
      ours.say(0, command);
      const about = `seed ${seed}, ${command.join(" ")}`;
      assert.equal(ours.heard(1), real.heard(1), about);
    }
  } finally {
    real.close();
  }
}
