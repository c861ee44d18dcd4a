/** Sorted sets beside a real redis-server: replies byte for byte, encodings, log records. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";
import { Choices, compare } from "../../testing/comparison.js";
import {
  SortedSetCommands,
  type SortedSetFlavour,
  sortedSetKeys,
} from "../../testing/random-commands/sorted-sets.js";
import {
  installedRedisServer,
  RedisServer,
  redisServerVersion,
} from "../../testing/redis-server.js";

const binary = installedRedisServer();
const is72 = binary !== undefined && redisServerVersion(binary) >= 702;
const steps = Number(process.env["COMPARISON_STEPS"] ?? 1500);
const seed = Number(process.env["COMPARISON_SEED"] ?? 20261121);

interface Run extends SortedSetFlavour {
  readonly name: string;
  readonly entriesMax: number;
  readonly protocol: 2 | 3;
}

const withScore = is72;

const runs: readonly Run[] = [
  {
    name: "small",
    entriesMax: 128,
    members: 30,
    longMembers: false,
    equalScores: false,
    lexRanges: true,
    protocol: 2,
    withScore,
  },
  {
    name: "small or large, equal scores",
    entriesMax: 8,
    members: 20,
    longMembers: true,
    equalScores: true,
    lexRanges: true,
    protocol: 3,
    withScore,
  },
  {
    name: "large, equal scores",
    entriesMax: 4,
    members: 200,
    longMembers: true,
    equalScores: true,
    lexRanges: true,
    protocol: 2,
    withScore,
  },
  {
    name: "small or large",
    entriesMax: 8,
    members: 20,
    longMembers: true,
    equalScores: false,
    lexRanges: false,
    protocol: 3,
    withScore,
  },
];

function commandsOf(run: Run): string[][] {
  const generator = new SortedSetCommands(new Choices(seed), run);
  const commands: string[][] = [
    ["SET", "text", "x"],
    ["SADD", "aset", "m1", "m2", "m3", "x"],
    ["SADD", "ints", "1", "-69", "148"],
  ];
  for (let step = 0; step < steps; step++) {
    commands.push(generator.next());
    // 7.0 converts later, where it cannot know how many members are coming.
    const key = sortedSetKeys[step % sortedSetKeys.length] as string;
    if (is72 && step % 3 === 0) commands.push(["OBJECT", "ENCODING", key]);
  }
  return commands;
}

/**
 * 7.0 prints doubles with `%.17g`, and its listpacks, which it keeps longer, drop a zero's sign.
 */
function withPlainDoubles(reply: string): string {
  const doubles = /(?:,|\$\d+\r\n)(-?(?:[\d.]+(?:e[+-]?\d+)?|inf))\r\n/g;
  return reply.replaceAll(doubles, (_, text: string) =>
    text.endsWith("inf") ? `,${text}\r\n` : `,${Number(text) + 0}\r\n`,
  );
}

/** What is random, or comes in any order, is compared by what does not vary. */
function normalize(reply: string, words: readonly string[]): string {
  if (reply.startsWith("-")) return reply;
  const text = is72 ? reply : withPlainDoubles(reply);
  const name = (words[0] as string).toUpperCase();
  if (name === "ZSCAN") return text.split("\r\n").sort().join(" ");
  // 500 are more than there are: all, in an order that shows. Else it is the choice that is random.
  if (name !== "ZRANDMEMBER" || words[2] === "500") return text;
  return text.startsWith("$") || text.startsWith(",")
    ? "a member"
    : text.slice(0, text.indexOf("\r"));
}

if (binary === undefined) {
  console.warn("NOT COMPARED: no redis-server is installed (or named by REDIS_SERVER)");
} else {
  for (const run of runs) {
    let server: RedisServer;
    before(async () => {
      server = await RedisServer.start(binary, [
        "--zset-max-listpack-entries",
        String(run.entriesMax),
      ]);
    });
    after(() => server.stop());
    test(`sorted sets in RESP${run.protocol}, ${run.name}, seed ${seed}`, async () => {
      await compare(server, commandsOf(run), {
        harness: { config: { zsetMaxListpackEntries: run.entriesMax } },
        protocol: run.protocol,
        normalize,
      });
    });
  }
}

function contents(harness: CommandHarness): string[] {
  return ["text", "aset", "ints", ...sortedSetKeys].map((key) =>
    [harness.text("TYPE", key), harness.text("ZRANGE", key, "0", "-1", "WITHSCORES")].join(),
  );
}

for (const run of runs) {
  test(`the log alone leads to the same data: ${run.name}, seed ${seed}`, () => {
    const options = { config: { zsetMaxListpackEntries: run.entriesMax } };
    const first = new CommandHarness(options);
    const second = new CommandHarness({ ...options, seed: 2 });
    for (const words of commandsOf(run)) {
      first.run(...words);
      for (const record of first.records()) second.run(...record);
    }
    assert.deepEqual(contents(second), contents(first));
  });
}
