import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NodeConfig } from "../config/config.js";
import { SimClock } from "../testing/sim-clock.js";
import { SimDisk } from "../testing/sim-disk.js";
import { replyText, type SimClient, SimServer } from "../testing/sim-server.js";

const syncMs = 200;
/** Long enough for a reply to come over the network, and far from the end of a sync. */
const soonMs = 20;

interface Scene {
  readonly server: SimServer;
  readonly writer: SimClient;
  readonly reader: SimClient;
}

/** A node with a slow disk; `before` is durable when the test begins. */
async function scene(
  before: readonly (readonly string[])[] = [],
  config: Partial<NodeConfig> = {},
): Promise<Scene> {
  const clock = new SimClock();
  const disk = new SimDisk({
    clock,
    latencyMs: (operation) => (operation === "sync" ? syncMs : 0),
  });
  const server = await SimServer.start({
    clock,
    disk,
    config: { appendonly: true, appendfsync: "always", ...config },
  });
  const writer = await server.connect();
  const reader = await server.connect();
  for (const words of before) {
    assert.doesNotMatch(await writer.ask(...words), /^-/, words.join(" "));
  }
  await server.clock.advance(3 * syncMs);
  return { server, writer, reader };
}

/** Whether the reply waits for the disk. */
async function waits(
  { server, reader }: Scene,
  ...words: readonly string[]
): Promise<"waits" | "at once"> {
  const before = reader.replies.length;
  reader.send(...words);
  await server.clock.advance(soonMs);
  if (reader.replies.length > before) return "at once";
  await server.clock.advance(3 * syncMs);
  assert.ok(reader.replies.length > before, `no reply to ${words.join(" ")}`);
  return "waits";
}

/** The write is under way, and not durable yet. */
async function begin({ server, writer }: Scene, ...words: readonly string[]): Promise<void> {
  const before = writer.replies.length;
  writer.send(...words);
  await server.clock.advance(5);
  assert.equal(writer.replies.length, before, "its own reply waits");
}

async function afterWrite(
  before: readonly (readonly string[])[],
  write: readonly string[],
  read: readonly string[],
): Promise<string> {
  const world = await scene(before);
  await begin(world, ...write);
  return waits(world, ...read);
}

describe("under appendfsync always a read waits", () => {
  it("for the last change of the slot that it reads, and for no other", async () => {
    const before = [["MSET", "a", "1", "b", "1"]];
    assert.equal(await afterWrite(before, ["SET", "a", "2"], ["GET", "a"]), "waits");
    assert.equal(await afterWrite(before, ["SET", "a", "2"], ["GET", "b"]), "at once");
    assert.equal(await afterWrite(before, ["SET", "a", "2"], ["MGET", "b", "a"]), "waits");
    assert.equal(await afterWrite(before, ["DEL", "a"], ["EXISTS", "a"]), "waits");
    assert.equal(await afterWrite(before, ["RENAME", "a", "c"], ["GET", "c"]), "waits");
    assert.equal(await afterWrite(before, ["PEXPIRE", "a", "9999"], ["PTTL", "a"]), "waits");
    // What changes nothing can show something all the same.
    assert.equal(await afterWrite(before, ["SET", "c", "2"], ["SETNX", "c", "3"]), "waits");
  });

  it("for changes of what a stream's groups remember", async () => {
    const group = [
      ["XADD", "s", "1-1", "f", "v"],
      ["XADD", "s", "2-1", "f", "v"],
      ["XGROUP", "CREATE", "s", "g", "0"],
      ["XREADGROUP", "GROUP", "g", "alice", "COUNT", "1", "STREAMS", "s", ">"],
    ];
    const writes = [
      ["XACK", "s", "g", "1-1"],
      ["XREADGROUP", "GROUP", "g", "bob", "STREAMS", "s", ">"],
      ["XCLAIM", "s", "g", "bob", "0", "1-1"],
      ["XAUTOCLAIM", "s", "g", "bob", "0", "0"],
      ["XGROUP", "SETID", "s", "g", "2-1"],
      ["XGROUP", "CREATECONSUMER", "s", "g", "carol"],
      ["XSETID", "s", "9-1"],
    ];
    for (const write of writes) {
      assert.equal(await afterWrite(group, write, ["XPENDING", "s", "g"]), "waits", write[0]);
      assert.equal(await afterWrite(group, write, ["GET", "other"]), "at once", write[0]);
    }
  });

  it("for changes of keys that nobody named", async () => {
    const before = [["SET", "a", "1"]];
    for (const write of [["FLUSHALL"], ["FLUSHDB"], ["SWAPDB", "0", "1"]]) {
      assert.equal(await afterWrite(before, write, ["GET", "a"]), "waits", write[0]);
      assert.equal(await afterWrite(before, write, ["GET", "b"]), "waits", write[0]);
    }
    const world = await scene([["SET", "a", "1", "PX", "5000"]]);
    await world.server.clock.advance(10_000);
    assert.equal(await waits(world, "GET", "b"), "at once");
  });

  it("for all that was written, if it looks everywhere", async () => {
    for (const read of [["KEYS", "*"], ["SCAN", "0"], ["DBSIZE"], ["RANDOMKEY"]]) {
      assert.equal(await afterWrite([], ["SET", "a", "1"], read), "waits", read[0]);
    }
    const sort = ["SORT", "list", "BY", "weight_*", "GET", "#"];
    assert.equal(
      await afterWrite([["RPUSH", "list", "1"]], ["SET", "weight_1", "2"], sort),
      "waits",
    );
  });

  it("never for what shows no data", async () => {
    for (const words of [["INFO"], ["CONFIG", "GET", "port"], ["PING"], ["CLIENT", "ID"]]) {
      assert.equal(await afterWrite([], ["SET", "a", "1"], words), "at once", words[0]);
    }
  });

  it("at no time with dirty-reads, which can be switched", async () => {
    const world = await scene([], { dirtyReads: true });
    await begin(world, "SET", "a", "1");
    assert.equal(await waits(world, "GET", "a"), "at once");
    await world.server.clock.advance(3 * syncMs);
    assert.equal(await world.reader.ask("CONFIG", "SET", "dirty-reads", "no"), "OK");
    await begin(world, "SET", "a", "2");
    assert.equal(await waits(world, "GET", "a"), "waits");
  });
});

describe("under appendfsync always it waits for the disk, too", () => {
  it("who is blocked on what another one writes", async () => {
    const world = await scene();
    const { reader, server } = world;
    reader.send("BLPOP", "list", "0");
    await server.clock.advance(5);
    await begin(world, "RPUSH", "list", "x");
    await server.clock.advance(soonMs);
    assert.equal(reader.replies.length, 0);
    await server.clock.advance(3 * syncMs);
    assert.equal(replyText(reader.replies[0]), "list x");
    assert.equal(server.node.persistence.writer?.durableOffset, server.node.stream.offset);
  });

  it("who blocks on a stream, and reads it only", async () => {
    const world = await scene();
    const { reader, server } = world;
    reader.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$");
    await server.clock.advance(5);
    await begin(world, "XADD", "s", "1-1", "f", "v");
    await server.clock.advance(soonMs);
    assert.equal(reader.replies.length, 0);
    await server.clock.advance(3 * syncMs);
    assert.equal(replyText(reader.replies[0]), "s 1-1 f v");
  });

  it("a notification of a change, but no message", async () => {
    const world = await scene([], { notifyKeyspaceEvents: 0 });
    const { reader, server, writer } = world;
    assert.equal(await writer.ask("CONFIG", "SET", "notify-keyspace-events", "KEA"), "OK");
    await reader.ask("SUBSCRIBE", "__keyevent@0__:set");
    await begin(world, "SET", "a", "1");
    await server.clock.advance(soonMs);
    assert.equal(reader.replies.length, 1);
    await server.clock.advance(3 * syncMs);
    assert.equal(replyText(reader.replies[1]), "message __keyevent@0__:set a");

    const other = await server.connect();
    await other.ask("SUBSCRIBE", "news");
    await begin(world, "SET", "a", "2");
    const publisher = await server.connect();
    assert.equal(await publisher.ask("PUBLISH", "news", "x"), "1");
    await server.clock.advance(5);
    assert.equal(replyText(other.replies[1]), "message news x");
    assert.ok((server.node.persistence.writer?.durableOffset ?? 0) < server.node.stream.offset);
  });

  it("EXEC, for its last record and for what its reads saw", async () => {
    const world = await scene([["SET", "a", "1"]]);
    const { reader, server, writer } = world;
    writer.send("MULTI");
    writer.send("INCR", "a");
    writer.send("INCR", "b");
    writer.send("EXEC");
    const before = writer.replies.length;
    await server.clock.advance(soonMs);
    assert.ok(writer.replies.length <= before + 3, "no reply but those in front of it");
    assert.equal(await reader.ask("MULTI"), "OK");
    assert.equal(await reader.ask("GET", "b"), "QUEUED");
    assert.equal(await waits(world, "EXEC"), "waits");
    assert.equal(replyText(reader.replies.at(-1)), "1");
    assert.equal(replyText(writer.replies.at(-1)), "2 1");
  });

  it("a reply behind one that waits, in the order of its connection", async () => {
    const world = await scene();
    await begin(world, "SET", "a", "1");
    const { server, writer } = world;
    const before = writer.replies.length;
    writer.send("PING");
    await server.clock.advance(soonMs);
    assert.equal(writer.replies.length, before);
    await server.clock.advance(3 * syncMs);
    assert.deepEqual(writer.replies.slice(before).map(replyText), ["OK", "PONG"]);
  });

  it("SHUTDOWN, and the writes of a connection that closes", async () => {
    const world = await scene();
    const { server, writer } = world;
    await begin(world, "SET", "a", "1");
    writer.close();
    await server.clock.advance(5);
    assert.equal(server.node.gate.heldBytes, 0, "its replies are dropped");
    await server.wait(server.node.stop());
    server.kill();
    const next = await SimServer.start({
      disk: server.disk,
      clock: server.clock,
      config: { appendonly: true },
    });
    assert.equal(await (await next.connect()).ask("GET", "a"), "1");
  });
});
