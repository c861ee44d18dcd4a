import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandDecoder } from "@slotlog/resp";
import fc from "fast-check";
import { datasetDigest } from "../commands/server/debug/digest.js";
import { RdbDecoder } from "../rdb/index.js";
import { CommandHarness } from "../testing/command-harness.js";
import { SimClock } from "../testing/sim-clock.js";
import { TickingClock } from "../testing/sim-server.js";
import { CommandForm } from "./command-form.js";
import { DatasetLoader } from "./load.js";
import { RdbForm } from "./rdb-form.js";
import type { SnapshotForm } from "./snapshot-form.js";
import { SnapshotAbandonedError, SnapshotCancelledError, Snapshots } from "./snapshots.js";

type Format = "rdb" | "commands";

interface Subject {
  readonly harness: CommandHarness;
  readonly snapshots: Snapshots;
  readonly clock: SimClock;
  idleCalls: number;
  form(format: Format): SnapshotForm;
}

function setUp(preimageBytesMax = 1e9, tickMs = 0.2): Subject {
  const harness = new CommandHarness();
  const clock = new SimClock();
  const { databases, access } = harness.node;
  const subject: Subject = {
    harness,
    clock,
    snapshots: new Snapshots({
      // By default five looks at the clock make a slice.
      clock: new TickingClock(clock, tickMs),
      databases,
      preimageBytesMax: () => preimageBytesMax,
      onIdle: () => {
        subject.idleCalls += 1;
      },
    }),
    idleCalls: 0,
    form: (format) =>
      format === "commands"
        ? new CommandForm({ timestamp: 1_700_000_000, functions: [] })
        : new RdbForm({
            header: {
              redisVersion: "7.2.6",
              createdAt: 0,
              usedMemoryBytes: 0,
              isAofBase: false,
            },
            encoder: {},
            functions: [],
            counts: subject.snapshots.counts(),
            access,
            statistics: "none",
          }),
  };
  return subject;
}

function load(format: Format, bytes: Buffer): CommandHarness {
  const harness = new CommandHarness();
  if (format === "commands") {
    const text = bytes.toString("latin1");
    assert.ok(text.startsWith("#TS:1700000000\r\n"));
    const decoder = new CommandDecoder();
    decoder.push(bytes.subarray(text.indexOf("\n") + 1));
    while (decoder.next()) {
      const reply = harness.text(...decoder.argv);
      assert.ok(!reply.startsWith("-"), reply);
    }
    return harness;
  }
  const { databases } = harness.node;
  const loadFunction = (): void => {};
  const loader = new DatasetLoader({ databases, dropExpiredAt: undefined, loadFunction });
  const decoder = new RdbDecoder();
  decoder.push(bytes);
  for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
    loader.apply(event);
  }
  assert.ok(decoder.finished);
  return harness;
}

const digest = ({ node }: CommandHarness): string => datasetDigest(node.databases.databases);

function fill(harness: CommandHarness, keys: number): void {
  for (let number = 0; number < keys; number += 1) change(harness, number, number);
}

/** A change of one of `500` keys, of all types, in two databases. */
function change(harness: CommandHarness, key: number, number: number): void {
  const name = `key${key % 500}`;
  const word = `word${number}`;
  harness.run("SELECT", String(key % 7 === 0 ? 3 : 0));
  switch (number % 11) {
    case 0:
      harness.run("SET", name, word, "PX", String(100_000 + number));
      return;
    case 1:
      harness.run("DEL", name);
      harness.run("RPUSH", name, ...Array.from({ length: number % 150 }, (_, at) => `${at}`), "x");
      return;
    case 2:
      harness.run("APPEND", name, word);
      harness.run("SADD", name, "m");
      return;
    case 3:
      harness.run("RPUSH", name, word);
      harness.run("SADD", name, "1", "2", String(number));
      return;
    case 4:
      harness.run("HSET", name, word, "v", "f", String(number));
      return;
    case 5:
      harness.run("ZADD", name, String(number / 8), word, "inf", "last");
      return;
    case 6:
      harness.run("DEL", name);
      return;
    case 7:
      harness.run("PEXPIRE", name, String(200_000 + number));
      return;
    case 8:
      harness.run("SET", name, String(number), "KEEPTTL");
      return;
    case 9:
      harness.run("RENAME", name, `key${number % 500}`);
      return;
    default:
      harness.run("MOVE", name, "3");
      harness.run("PERSIST", name);
  }
}

const large = ["set", "list", "hash", "zset", "stream"] as const;

function fillLarge(harness: CommandHarness, size: number): void {
  const words = Array.from({ length: size }, (_, at) => `word${at}`);
  harness.run("SADD", "set", ...words);
  harness.run("RPUSH", "list", ...words);
  harness.run("HSET", "hash", ...words.flatMap((word) => [word, "v"]));
  harness.run("ZADD", "zset", ...words.flatMap((word, at) => [String(at % 50), word]));
  for (let at = 0; at < size; at++) harness.run("XADD", "stream", `${at + 1}-1`, "f", `word${at}`);
  harness.run("XGROUP", "CREATE", "stream", "group", "0");
  harness.run("XREADGROUP", "GROUP", "group", "c", "COUNT", "10", "STREAMS", "stream", ">");
  harness.run("SETRANGE", "string", "100000", "x");
  harness.run("SADD", "small", "a", "b");
  for (const key of large) harness.run("PEXPIRE", key, "1000000");
}

function changeLarge(harness: CommandHarness, number: number, round: number): void {
  const key = large[number % large.length] as string;
  const word = `word${(number * 7 + round) % 3000}`;
  switch (number % 9) {
    case 0:
      harness.run("DEL", key);
      return;
    case 1:
      harness.run("RENAME", key, `renamed${round}`);
      return;
    case 2:
      harness.run("APPEND", "string", word);
      harness.run("SADD", "small", word);
      return;
    case 3:
      harness.run("SPOP", "set", "100");
      harness.run("LTRIM", "list", "10", "-10");
      harness.run("XTRIM", "stream", "MAXLEN", String(2800 - round));
      return;
    default:
      harness.run("SREM", "set", word);
      harness.run("SADD", "set", `new${round}`);
      harness.run("LPUSH", "list", word);
      harness.run("HDEL", "hash", word);
      harness.run("HSET", "hash", `new${round}`, "x");
      harness.run("ZADD", "zset", String(round), word);
      harness.run("ZREM", "zset", `word${round}`);
      harness.run("XDEL", "stream", `${2000 + round}-1`);
      harness.run("XADD", "stream", "*", "f", word, "g", "x");
      harness.run("XACK", "stream", "group", `${1 + (round % 10)}-1`);
  }
}

/** Lets turns pass until the promise settles. */
async function driven(clock: SimClock, promise: Promise<void>): Promise<void> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  promise.then(done, done);
  while (!settled) await clock.advance(0);
  await promise;
}

const changes = fc.array(fc.tuple(fc.nat(499), fc.nat(100_000)), { maxLength: 300 });

describe("Snapshots", () => {
  for (const format of ["rdb", "commands"] as const) {
    it(`shows the moment of its begin, as ${format}, whatever changes while it is read`, async () => {
      await fc.assert(
        fc.asyncProperty(changes, fc.nat(20), async (during, flushAt) => {
          const { clock, form, harness, snapshots } = setUp();
          fill(harness, 400);
          const expected = digest(harness);
          const claim = snapshots.claim("save");
          assert.ok(claim !== undefined);
          const snapshot = claim.begin(form(format));
          const chunks: Buffer[] = [];
          const reading = (async () => {
            for await (const chunk of snapshot) chunks.push(chunk);
          })();
          for (const [at, [key, number]] of during.entries()) {
            change(harness, key, number);
            if (at === flushAt) harness.run("SWAPDB", "0", "3");
            if (at === 2 * flushAt) harness.run("FLUSHALL");
            if (at % 10 === 0) await clock.advance(0);
          }
          await driven(clock, reading);
          claim.release();
          assert.equal(digest(load(format, Buffer.concat(chunks))), expected);
        }),
        { numRuns: 30 },
      );
    });
  }

  for (const format of ["rdb", "commands"] as const) {
    it(`freezes large collections that change while their parts are written, as ${format}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(1000), { minLength: 20, maxLength: 80 }),
          async (numbers) => {
            const { clock, form, harness, snapshots } = setUp(1e9, 1);
            fillLarge(harness, 3000);
            const expected = digest(harness);
            const claim = snapshots.claim("save");
            const snapshot = claim?.begin(form(format));
            const chunks: Buffer[] = [];
            let done = false;
            const reading = (async () => {
              try {
                for await (const chunk of snapshot ?? []) chunks.push(chunk);
              } finally {
                done = true;
              }
            })();
            let next = 0;
            while (!done && next < 10_000) {
              changeLarge(harness, numbers[next % numbers.length] as number, next);
              next += 1;
              clock.runDeferred();
              await new Promise(setImmediate);
            }
            await reading;
            claim?.release();
            assert.ok(next > 10, "it took many slices");
            assert.equal(digest(load(format, Buffer.concat(chunks))), expected);
          },
        ),
        { numRuns: 15 },
      );
    });
  }

  it("encodes all at once where nothing may run meanwhile", () => {
    const { form, harness, snapshots } = setUp();
    fill(harness, 3000);
    const bytes = Buffer.concat([...snapshots.now(form("rdb"))]);
    assert.equal(digest(load("rdb", bytes)), digest(harness));
  });

  it("works in slices, one a turn", async () => {
    const { clock, form, harness, snapshots } = setUp();
    fill(harness, 2000);
    const snapshot = snapshots.claim("sync")?.begin(form("rdb"));
    assert.ok(snapshot !== undefined);
    let done = false;
    const reading = (async () => {
      try {
        for await (const chunk of snapshot) assert.ok(chunk.length > 0);
      } finally {
        done = true;
      }
    })();
    const progress: number[] = [];
    while (!done) {
      progress.push(snapshot.keysWritten);
      clock.runDeferred();
      await new Promise(setImmediate);
    }
    await reading;
    // The walk hands over 32 keys at a time, of which the encoder writes one between two looks.
    const steps = progress.map((count, at) => count - (progress[at - 1] ?? 0));
    assert.ok(Math.max(...steps) <= 3 * 32, String(steps));
  });

  it("lets one walk at a time, and tells when it is over", async () => {
    const subject = setUp();
    const { form, harness, snapshots } = subject;
    fill(harness, 200);
    const claim = snapshots.claim("rewrite");
    assert.ok(claim !== undefined);
    assert.equal(snapshots.claim("save"), undefined);
    const snapshot = claim.begin(form("rdb"));
    claim.release();
    claim.release();
    assert.equal(subject.idleCalls, 1);
    await assert.rejects(snapshot.next(), SnapshotCancelledError);
    const next = snapshots.claim("save")?.begin(form("rdb"));
    assert.ok(next !== undefined);
    await next.return();
    await assert.rejects(next.next(), SnapshotCancelledError);
  });

  it("fails when too much changes ahead of it, and leaves room for the next", async () => {
    const { form, harness, snapshots } = setUp(10_000);
    fill(harness, 500);
    const claim = snapshots.claim("save");
    const snapshot = claim?.begin(form("rdb"));
    for (let number = 0; number < 2000; number += 1) change(harness, number, number + 1);
    await assert.rejects(async () => {
      for await (const chunk of snapshot ?? []) assert.ok(chunk.length > 0);
    }, SnapshotAbandonedError);
    claim?.release();
    assert.ok(snapshots.claim("save") !== undefined);
  });
});
