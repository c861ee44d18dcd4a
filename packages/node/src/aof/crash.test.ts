/**
 * Crashes at every step, torn and forgetful disks: what a reload finds must be a prefix of what was
 * appended, each record once, and must reach at least as far as was promised.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AofWorld, encodeRecord } from "../testing/aof-world.js";
import { settlePromises } from "../testing/sim-clock.js";
import { type SimCrashOptions, SimDisk } from "../testing/sim-disk.js";
import type { FsyncPolicy } from "./log-core.js";
import { formatManifest } from "./manifest.js";
import type { AofWriter } from "./writer.js";

const policies: readonly FsyncPolicy[] = ["always", "everysec", "no"];

const crashes: Readonly<Record<string, SimCrashOptions>> = {
  "nothing unsynced survives": {},
  "everything survives": { keepBytes: (_, bytes) => bytes, keepNames: (_, names) => names },
  "half survives": {
    keepBytes: (_, bytes) => Math.floor(bytes / 2),
    keepNames: (_, names) => Math.floor(names / 2),
  },
  "names survive, bytes do not": { keepNames: (_, names) => names },
  "all but the last byte survives": {
    keepBytes: (_, bytes) => bytes - 1,
    keepNames: (_, names) => names,
  },
};

/** A life with two increments, a cut under load, and an orderly end. */
async function wholeLife(
  world: AofWorld,
  policy: FsyncPolicy,
  seen: { writer?: AofWriter },
): Promise<void> {
  const writer = await world.open(policy);
  seen.writer = writer;
  world.append(writer, 3);
  await world.clock.advance(1000);
  world.append(writer, 2);
  await writer.prepareIncrement();
  world.append(writer, 2);
  const cut = writer.cutIncrement();
  world.append(writer, 2);
  await cut;
  world.append(writer, 2);
  const rewritten = world.rewrite(writer);
  rewritten.catch(() => undefined);
  await settlePromises();
  world.append(writer, 2);
  await rewritten;
  world.append(writer, 2);
  await world.clock.advance(1000);
  world.append(writer, 2);
  await writer.close();
}

function assertPrefix(values: readonly string[], expected: readonly string[]): void {
  assert.deepEqual(values, expected.slice(0, values.length));
}

for (const policy of policies) {
  for (const [name, options] of Object.entries(crashes)) {
    test(`${policy}, a power loss at every step, ${name}`, async () => {
      let steps = 0;
      for (let ended = false; !ended; steps++) {
        const world = new AofWorld(new SimDisk());
        const seen: { writer?: AofWriter } = {};
        world.disk.crashAt(steps);
        ended = await livesToItsEnd(world, wholeLife(world, policy, seen));
        const promised = promisedRecords(world, policy, seen.writer);
        world.disk.restart(options);
        const { values } = await world.load();
        assertPrefix(values, world.expected);
        assert.ok(values.length >= promised, `step ${steps}: ${values.length} of ${promised}`);

        // And the survivor goes on where it was.
        world.continueFrom(values.length);
        const next = await world.open(policy);
        world.append(next, 2);
        await next.close();
        assert.deepEqual((await world.load()).values, world.expected);
      }
      assert.ok(steps > 20, `only ${steps} steps`);
    });
  }
}

/** Whether the life ended before the crash. What the crash leaves hanging is not waited for. */
async function livesToItsEnd(world: AofWorld, life: Promise<void>): Promise<boolean> {
  let over = false;
  life.then(
    () => (over = true),
    () => (over = true),
  );
  while (!over && !world.disk.isDown) await settlePromises();
  for (let pass = 0; pass < 20; pass++) await settlePromises();
  return !world.disk.isDown;
}

function promisedRecords(
  world: AofWorld,
  policy: FsyncPolicy,
  writer: AofWriter | undefined,
): number {
  if (policy === "always") return world.acknowledged;
  const durable = writer?.durableOffset ?? 0;
  return world.ends.filter((end) => end <= durable).length;
}

test("kill -9 at every step loses nothing that was acknowledged, under any policy", async () => {
  for (const policy of policies) {
    for (let steps = 0, ended = false; !ended; steps++) {
      const world = new AofWorld(new SimDisk());
      world.disk.crashAt(steps);
      ended = await livesToItsEnd(world, wholeLife(world, policy, {}));
      world.disk.restartProcess();
      const { values } = await world.load();
      assertPrefix(values, world.expected);
      assert.ok(values.length >= world.acknowledged);
    }
  }
});

test("a rewrite after one that failed half way never mixes the files of the two", async () => {
  for (let failing = 0; failing < 6; failing++) {
    for (let steps = 0, ended = false; !ended; steps++) {
      const world = new AofWorld(new SimDisk());
      const life = (async () => {
        const writer = await world.open("everysec");
        world.append(writer, 2);
        world.disk.inject({ operation: "syncDirectory", code: "EIO", skip: failing });
        await world.rewrite(writer).catch(() => undefined);
        world.disk.clearFaults();
        world.append(writer, 2);
        world.disk.crashAt(steps);
        await world.rewrite(writer);
        world.append(writer, 2);
      })();
      ended = await livesToItsEnd(world, life);
      world.disk.restartProcess();
      const { values } = await world.load();
      assertPrefix(values, world.expected);
      assert.ok(values.length >= world.acknowledged, `failing ${failing}, step ${steps}`);
    }
  }
});

type Step =
  | { readonly kind: "append"; readonly count: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "policy"; readonly policy: FsyncPolicy }
  | {
      readonly kind: "fault";
      readonly operation: "write" | "sync" | "truncate" | "rename" | "syncDirectory";
      readonly code: "EIO" | "ENOSPC";
      readonly times: number;
      readonly written: number;
    }
  | { readonly kind: "cut" }
  | { readonly kind: "rewrite" }
  | { readonly kind: "heal" }
  | { readonly kind: "kill" }
  | { readonly kind: "crash"; readonly keep: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("append"), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("advance"), ms: fc.integer({ min: 0, max: 2500 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("policy"), policy: fc.constantFrom(...policies) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("fault"),
      operation: fc.constantFrom("write", "sync", "truncate", "rename", "syncDirectory"),
      code: fc.constantFrom("EIO", "ENOSPC"),
      times: fc.integer({ min: 1, max: 4 }),
      written: fc.nat(60),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cut") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rewrite") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("heal") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), keep: fc.nat(200) }) },
) as fc.Arbitrary<Step>;

class Life {
  readonly world = new AofWorld(new SimDisk());
  writer: AofWriter | undefined;
  policy: FsyncPolicy = "always";
  /** Records promised to survive a power loss: durable, or acknowledged under `always`. */
  promised = 0;

  async open(): Promise<AofWriter> {
    this.writer ??= await this.world.open(this.policy);
    return this.writer;
  }

  async take(next: Step): Promise<void> {
    const { world } = this;
    const writer = await this.open();
    switch (next.kind) {
      case "append":
        world.append(writer, next.count);
        break;
      case "advance":
        await world.clock.advance(next.ms);
        break;
      case "policy":
        this.policy = next.policy;
        writer.setPolicy(next.policy);
        break;
      case "fault":
        world.disk.inject({ ...next, path: "appendonly" });
        break;
      case "cut":
        await this.cut(writer);
        break;
      case "rewrite":
        this.rewrite(writer);
        break;
      case "heal":
        world.disk.clearFaults();
        await world.clock.advance(1500);
        break;
      case "kill":
        await this.restart(() => {
          world.disk.restartProcess();
        }, world.acknowledged);
        break;
      case "crash":
        await this.restart(() => {
          world.disk.restart({ keepBytes: () => next.keep, keepNames: () => next.keep % 4 });
        }, this.durable(writer));
        break;
    }
  }

  private durable(writer: AofWriter): number {
    return this.world.ends.filter((end) => end <= writer.durableOffset).length;
  }

  private async cut(writer: AofWriter): Promise<void> {
    await writer.prepareIncrement().catch(() => undefined);
    const cut = (async () => writer.cutIncrement())();
    cut.catch(() => undefined);
    this.world.append(writer, 1);
    await this.world.clock.advance(10);
  }

  /** Runs on beside the steps that follow. Whether it succeeds must not matter. */
  private rewrite(writer: AofWriter): void {
    this.world.rewrite(writer).catch(() => undefined);
  }

  private async restart(crash: () => void, promised: number): Promise<void> {
    this.writer = undefined;
    crash();
    const { values } = await this.world.load();
    assertPrefix(values, this.world.expected);
    assert.ok(values.length >= promised, `${values.length} records of ${promised} promised`);
    this.world.continueFrom(values.length);
  }
}

test("whatever happens in whatever order, a reload finds a prefix, each record once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const life = new Life();
      for (const next of steps) await life.take(next);
      await life.take({ kind: "heal" });
      await life.take({ kind: "heal" });
      const writer = await life.open();
      assert.equal(writer.writable, true, "healed");
      await writer.close();
      life.world.disk.restart();
      assert.deepEqual((await life.world.load()).values, life.world.expected);
    }),
    { numRuns: 300 },
  );
});

test("an increment torn at every byte loads up to its last whole record", async () => {
  const records = ["0", "1", "22", "333"].map((value) => encodeRecord("PUSH", value));
  const whole = Buffer.concat(records);
  const ends = records.map((_, index) => Buffer.concat(records.slice(0, index + 1)).length);
  for (let size = 0; size <= whole.length; size++) {
    const world = plantedWorld(whole.subarray(0, size));
    const { values, result } = await world.load();
    const fitting = ends.filter((end) => end <= size).length;
    assert.deepEqual(values, ["0", "1", "22", "333"].slice(0, fitting), `cut at ${size}`);
    assert.equal(result.truncated, size > 0 && !ends.includes(size));
    assert.equal(world.disk.contentOf(incrementPath)?.length, ends[fitting - 1] ?? 0);
    // Without the permission nothing is cut and nothing is loaded as if it were whole.
    if (!result.truncated) continue;
    const strict = plantedWorld(whole.subarray(0, size));
    await assert.rejects(strict.load(false), { code: "SLOTLOG_AOF_TRUNCATED" });
    assert.equal(strict.disk.contentOf(incrementPath)?.length, size);
  }
});

test("a transaction torn at every byte is taken back as a whole", async () => {
  const before = encodeRecord("PUSH", "0");
  const transaction = Buffer.concat([
    encodeRecord("MULTI"),
    encodeRecord("PUSH", "1"),
    Buffer.from("#TS:1700000000\r\n"),
    encodeRecord("PUSH", "2"),
    encodeRecord("EXEC"),
  ]);
  for (let size = 0; size <= transaction.length; size++) {
    const world = plantedWorld(Buffer.concat([before, transaction.subarray(0, size)]));
    const { values } = await world.load();
    const complete = size === transaction.length;
    assert.deepEqual(values, complete ? ["0", "1", "2"] : ["0"], `cut at ${size}`);
    const length = world.disk.contentOf(incrementPath)?.length;
    assert.equal(length, before.length + (complete ? size : 0));
  }
});

const incrementPath = "/data/appendonlydir/appendonly.aof.1.incr.aof";

function plantedWorld(content: Uint8Array): AofWorld {
  const world = new AofWorld(new SimDisk());
  const info = { name: "appendonly.aof.1.incr.aof", sequence: 1, type: "i" as const };
  const manifest = formatManifest({
    base: undefined,
    history: [],
    increments: [info],
    baseSequence: 0,
    incrementSequence: 1,
  });
  world.disk.plant("/data/appendonlydir/appendonly.aof.manifest", manifest);
  world.disk.plant(incrementPath, content);
  return world;
}
