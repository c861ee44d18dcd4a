import assert from "node:assert/strict";
import { test } from "node:test";
import { AofWorld, encodeRecord } from "../testing/aof-world.js";
import { SimDisk } from "../testing/sim-disk.js";
import { emptyRdb } from "./empty-rdb.js";
import { AofLoadError } from "./load-error.js";

const directory = "/data/appendonlydir";
const twoIncrements =
  "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n";

function push(...values: readonly string[]): Buffer {
  return Buffer.concat(values.map((value) => encodeRecord("PUSH", value)));
}

/** A world with these files in the append-only directory. */
function worldWith(files: Readonly<Record<string, Uint8Array | string>>): AofWorld {
  const world = new AofWorld(new SimDisk());
  world.disk.makeDirectorySync(directory);
  for (const [name, content] of Object.entries(files)) {
    world.disk.plant(`${directory}/${name}`, content);
  }
  return world;
}

async function refusal(world: AofWorld, loadTruncated = true): Promise<AofLoadError> {
  const before = snapshotOf(world);
  try {
    await world.load(loadTruncated);
  } catch (error) {
    assert.ok(error instanceof AofLoadError, String(error));
    assert.deepEqual(snapshotOf(world), before, "a refused start changes nothing");
    return error;
  }
  throw new Error("it was loaded");
}

function snapshotOf(world: AofWorld): unknown {
  const names = world.disk.listSync(directory) ?? [];
  return names.map((name) => [name, world.disk.contentOf(`${directory}/${name}`)]);
}

test("no directory, no AOF; an empty one is empty", async () => {
  const fresh = new AofWorld(new SimDisk());
  assert.equal((await fresh.load()).result.status, "absent");
  const empty = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": "",
  });
  assert.equal((await empty.load()).result.status, "empty");
});

test("base and increments are replayed in order, each from database 0", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": `file appendonly.aof.1.base.aof seq 1 type b\n${twoIncrements}`,
    "appendonly.aof.1.base.aof": Buffer.concat([encodeRecord("SELECT", "2"), push("a")]),
    "appendonly.aof.1.incr.aof": Buffer.concat([push("b"), encodeRecord("select", "9"), push("c")]),
    "appendonly.aof.2.incr.aof": push("d"),
  });
  const { values, result } = await world.load();
  assert.deepEqual(values, ["a@2", "b", "c@9", "d"]);
  assert.equal(result.records, 6);
  assert.equal(
    result.baseBytes,
    world.disk.contentOf(`${directory}/appendonly.aof.1.base.aof`)?.length,
  );
});

test("transactions run at their EXEC, in the database of each command", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": Buffer.concat([
      encodeRecord("EXEC"),
      encodeRecord("MULTI"),
      push("a"),
      encodeRecord("SELECT", "1"),
      encodeRecord("MULTI"),
      push("b"),
      encodeRecord("EXEC"),
      push("c"),
    ]),
  });
  assert.deepEqual((await world.load()).values, ["a", "b@1", "c@1"]);
});

test("a file of the manifest that is missing stops the start", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": twoIncrements,
    "appendonly.aof.1.incr.aof": push("a"),
  });
  const error = await refusal(world);
  assert.equal(error.code, "SLOTLOG_AOF_UNREADABLE");
  assert.match(error.message, /appendonly\.aof\.2\.incr\.aof doesn't exist/);
});

test("data without a manifest stops the start; what a first start leaves does not", async () => {
  const lost = worldWith({ "appendonly.aof.3.incr.aof": push("a") });
  assert.equal((await refusal(lost)).code, "SLOTLOG_AOF_NO_MANIFEST");

  const rdb = emptyRdb({ createdAt: 1_700_000_000, usedMemoryBytes: 1000 });
  const unfinished = worldWith({
    "appendonly.aof.1.base.rdb": rdb,
    "temp-appendonly.aof.manifest": "fi",
    "other.file": "x",
  });
  assert.equal((await unfinished.load()).result.status, "absent");

  const withKey = Buffer.from(rdb);
  withKey[rdb.length - 9] = 0xfe;
  const base = worldWith({ "appendonly.aof.1.base.rdb": withKey });
  assert.equal((await refusal(base)).code, "SLOTLOG_AOF_NO_MANIFEST");
});

test("damage in the middle names the file, the offset and the command that repairs", async () => {
  const good = push("a");
  const world = worldWith({
    "appendonly.aof.manifest": twoIncrements,
    "appendonly.aof.1.incr.aof": Buffer.concat([good, Buffer.from("garbage"), push("b")]),
    "appendonly.aof.2.incr.aof": push("c"),
  });
  const error = await refusal(world);
  assert.equal(error.code, "SLOTLOG_AOF_DAMAGED");
  assert.equal(error.offset, good.length);
  assert.match(error.message, /^Bad file format reading the append only file appendonly\.aof\.1/);
  assert.match(error.message, /slotlog aof repair .*appendonly\.aof\.manifest/);
});

test("a damaged length that swallows the rest of the file is not taken for a torn end", async () => {
  const swallowing = Buffer.from("*2\r\n$4\r\nPUSH\r\n$900\r\na\r\n");
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": Buffer.concat([push("1"), swallowing, push("2", "3")]),
  });
  const error = await refusal(world);
  assert.equal(error.code, "SLOTLOG_AOF_DAMAGED");
  assert.equal(error.offset, push("1").length);
});

test("zero bytes at the end, as a power loss leaves them, are a torn end", async () => {
  const whole = encodeRecord("PUSH", "2");
  for (let size = 0; size < whole.length; size++) {
    const torn = whole.subarray(0, size);
    const world = worldWith({
      "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
      "appendonly.aof.1.incr.aof": Buffer.concat([push("1"), torn, Buffer.alloc(5000)]),
    });
    const { values, result } = await world.load();
    assert.deepEqual(values, ["1"]);
    assert.equal(result.totalBytes, push("1").length);
  }
});

test("only the last file may be torn, but empty ones behind it do not count", async () => {
  const torn = Buffer.concat([push("a"), push("b").subarray(0, 9)]);
  const middle = worldWith({
    "appendonly.aof.manifest": twoIncrements,
    "appendonly.aof.1.incr.aof": torn,
    "appendonly.aof.2.incr.aof": push("c"),
  });
  const error = await refusal(middle);
  assert.equal(error.code, "SLOTLOG_AOF_TRUNCATED");
  assert.match(error.message, /the truncated file is not the last file/);

  const beforeEmpty = worldWith({
    "appendonly.aof.manifest": twoIncrements,
    "appendonly.aof.1.incr.aof": torn,
    "appendonly.aof.2.incr.aof": "",
  });
  assert.deepEqual((await beforeEmpty.load()).values, ["a"]);
  assert.deepEqual(
    beforeEmpty.log.lines.filter((line) => line.startsWith("warning")),
    [
      "warning !!! Warning: short read while loading the AOF file appendonly.aof.1.incr.aof!!!",
      `warning !!! Truncating the AOF appendonly.aof.1.incr.aof at offset ${push("a").length} !!!`,
      "warning AOF appendonly.aof.1.incr.aof loaded anyway because aof-load-truncated is enabled",
    ],
  );
});

test("an annotation torn at the end is cut, or the next record would join its line", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": Buffer.concat([push("a"), Buffer.from("#TS:17000")]),
  });
  await world.load();
  assert.deepEqual(world.disk.contentOf(`${directory}/appendonly.aof.1.incr.aof`), push("a"));
});

test("the tail behind an RDB preamble is cut behind the preamble, not to nothing", async () => {
  const preamble = Buffer.from("REDIS0010VALUES 1 2 ");
  const world = worldWith({ "appendonly.aof.manifest": "file x.aof seq 1 type b\n" });
  world.disk.plant(`${directory}/x.aof`, preamble);
  assert.deepEqual((await world.load()).values, ["1", "2"]);
});

test("a base that cannot be read is never cut", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.base.rdb seq 1 type b\n",
    "appendonly.aof.1.base.rdb": "REDIS0010BROKEN ",
  });
  const error = await refusal(world);
  assert.equal(error.code, "SLOTLOG_AOF_BASE");
  assert.match(error.message, /^Error reading the RDB base file appendonly\.aof\.1\.base\.rdb/);
});

test("an unknown command stops the start and is named", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": Buffer.concat([push("a"), encodeRecord("NOSUCH", "x")]),
  });
  const error = await refusal(world);
  assert.equal(error.code, "SLOTLOG_AOF_UNKNOWN_COMMAND");
  assert.match(error.message, /^Unknown command 'NOSUCH' reading the append only file/);
});

test("the single file of an older server moves in, whatever step a crash stops at", async () => {
  for (let step = 0, ended = false; !ended; step++) {
    const world = new AofWorld(new SimDisk());
    world.disk.plant("/data/appendonly.aof", push("a", "b"));
    world.disk.crashAt(step);
    await world.load().then(
      () => (ended = true),
      () => undefined,
    );
    world.disk.restart();
    const { values, directory: moved } = await world.load();
    assert.deepEqual(values, ["a", "b"], `step ${step}`);
    assert.equal(moved.manifest.base?.name, "appendonly.aof");
    const writer = await world.open("always");
    world.append(writer);
    await writer.close();
    assert.deepEqual((await world.load()).values, ["a", "b", "0"]);
  }
});

test("a single file beside a directory in use is left alone", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
    "appendonly.aof.1.incr.aof": push("a"),
  });
  world.disk.plant("/data/appendonly.aof", push("b"));
  assert.deepEqual((await world.load()).values, ["a"]);
  assert.ok(world.disk.contentOf("/data/appendonly.aof"));
});

test("progress goes from nothing to everything", async () => {
  const world = worldWith({
    "appendonly.aof.manifest": twoIncrements,
    "appendonly.aof.1.incr.aof": push("a"),
    "appendonly.aof.2.incr.aof": push("b"),
  });
  await world.load();
  assert.deepEqual(world.progress.at(-1), {
    file: "appendonly.aof.2.incr.aof",
    loadedBytes: 2 * push("a").length,
    totalBytes: 2 * push("a").length,
  });
});
