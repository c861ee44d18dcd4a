import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimServer } from "./testing/sim-server.js";

const saveMisconf =
  "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to " +
  "disk. Commands that may modify the data set are disabled, because this instance is configured " +
  "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). " +
  "Please check the Redis logs for details about the RDB error.";

const info = async (
  client: { ask(...words: readonly string[]): Promise<string> },
  field: string,
): Promise<string> => {
  const text = await client.ask("INFO", "persistence");
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
};

describe("the RDB file", () => {
  it("holds what SAVE found, and is loaded at the next start without what has expired", async () => {
    const first = await SimServer.start();
    const client = await first.connect();
    await client.ask("RPUSH", "list", ...Array.from({ length: 3000 }, (_, at) => `item${at}`));
    await client.ask("SADD", "set", ...Array.from({ length: 3000 }, (_, at) => `m${at}`));
    await client.ask("SET", "short", "x", "PX", "50");
    await client.ask("SET", "long", "y", "PX", "500000");
    assert.equal(await client.ask("SAVE"), "OK");
    assert.equal(await info(client, "rdb_changes_since_last_save"), "0");
    await client.ask("SET", "late", "x");
    const digest = await client.ask("DEBUG", "DIGEST-VALUE", "list", "set", "long");
    await first.clock.advance(100);
    first.kill();
    const second = await SimServer.start({ disk: first.disk, clock: first.clock });
    const again = await second.connect();
    assert.equal(await again.ask("DBSIZE"), "3");
    assert.equal(await again.ask("DEBUG", "DIGEST-VALUE", "list", "set", "long"), digest);
    assert.ok(
      second.log.lines.includes("notice Done loading RDB, keys loaded: 3, keys expired: 1."),
    );
    assert.ok(second.log.lines.some((line) => /DB loaded from disk: .* seconds/.test(line)));
    assert.equal(await info(again, "rdb_last_load_keys_loaded"), "3");
    assert.equal(await info(again, "rdb_last_load_keys_expired"), "1");
    await second.wait(second.node.stop());
  });

  it("is written in the background, in the words of Redis", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("SET", "key", "value");
    assert.equal(await client.ask("BGSAVE", "NOW"), "-ERR syntax error");
    const before = Number(await client.ask("LASTSAVE"));
    await server.clock.advance(2000);
    for (const words of [["BGSAVE"], ["BGSAVE"], ["SAVE"], ["BGSAVE", "SCHEDULE"]]) {
      client.send(...words);
    }
    client.send("BGREWRITEAOF");
    await server.until(() => client.replies.length === 8, "the replies");
    assert.deepEqual(client.replies.slice(3).map(String), [
      "Background saving started",
      "ReplyError: ERR Background save already in progress",
      "ReplyError: ERR Background save already in progress",
      "ReplyError: ERR Background save already in progress",
      "Background append only file rewriting scheduled",
    ]);
    await server.until(() => !server.node.persistence.rdb.isRunning, "the end of the save");
    assert.equal(Number(await client.ask("LASTSAVE")), before + 2);
    assert.equal(await info(client, "rdb_changes_since_last_save"), "0");
    assert.equal(await info(client, "rdb_saves"), "1");
    assert.ok(server.disk.contentOf("/data/dump.rdb"));
    assert.ok(server.log.lines.includes("notice Background saving terminated with success"));
    // The rewrite follows, though there is no AOF: a base, as Redis makes it.
    await server.until(() => server.node.persistence.appendOnly.runs.count === 1, "the rewrite");
    await server.wait(server.node.stop());
  });

  it("is scheduled by BGSAVE in a transaction", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("MULTI");
    await client.ask("SET", "key", "value");
    await client.ask("BGSAVE");
    assert.equal(await client.ask("EXEC"), "OK Background saving scheduled");
    await server.until(() => server.node.persistence.rdb.saves === 1, "the save");
    await server.wait(server.node.stop());
  });

  it("is written at save points", async () => {
    const server = await SimServer.start({ config: { save: [{ seconds: 10, changes: 3 }] } });
    const client = await server.connect();
    await client.ask("MSET", "a", "1", "b", "2");
    await server.clock.advance(11_000);
    assert.equal(await info(client, "rdb_saves"), "0");
    await client.ask("SET", "c", "3");
    await server.clock.advance(200);
    assert.equal(await info(client, "rdb_saves"), "1");
    assert.ok(server.log.lines.includes("notice 3 changes in 10 seconds. Saving..."));
    assert.equal(await info(client, "rdb_changes_since_last_save"), "0");
    await server.wait(server.node.stop());
  });

  it("stops writes while it cannot be written, and admits them when it can", async () => {
    const server = await SimServer.start({ config: { save: [{ seconds: 3600, changes: 1 }] } });
    const client = await server.connect();
    await client.ask("SET", "key", "value");
    server.disk.inject({ operation: "write", code: "ENOSPC", path: "temp-", times: 2 });
    assert.equal(await client.ask("SAVE"), "-ERR");
    assert.equal(await client.ask("SET", "key", "again"), "OK", "SAVE alone stops nothing");
    assert.equal(await client.ask("BGSAVE"), "Background saving started");
    await server.until(() => !server.node.persistence.rdb.isRunning, "the end of the save");
    assert.equal(await info(client, "rdb_last_bgsave_status"), "err");
    assert.equal(await client.ask("SET", "key", "third"), saveMisconf);
    assert.equal(await client.ask("PING"), saveMisconf);
    assert.equal(await client.ask("GET", "key"), "again");
    await client.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
    assert.equal(await client.ask("SET", "key", "third"), "OK");
    await client.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
    assert.equal(await client.ask("SAVE"), "OK");
    assert.equal(await client.ask("SET", "key", "fourth"), "OK");
    const left = server.disk.listSync("/data");
    assert.deepEqual(
      left?.filter((name) => name.startsWith("temp-")),
      [],
    );
    await server.wait(server.node.stop());
  });

  it("does not bring back what FLUSHALL deleted", async () => {
    const server = await SimServer.start({ config: { save: [{ seconds: 3600, changes: 1 }] } });
    const client = await server.connect();
    await client.ask("SET", "key", "value");
    client.send("BGSAVE");
    client.send("FLUSHALL");
    await server.clock.advance(100);
    await server.until(() => server.node.persistence.rdb.saves === 2, "the save of nothing");
    server.kill();
    const next = await SimServer.start({ disk: server.disk, clock: server.clock });
    assert.equal(await (await next.connect()).ask("DBSIZE"), "0");
  });

  it("is written by SHUTDOWN as asked", async () => {
    const config = { save: [{ seconds: 3600, changes: 1 }] };
    let server = await SimServer.start({ config });
    const start = async (): Promise<SimServer> =>
      SimServer.start({ disk: server.disk, clock: server.clock, config });
    let client = await server.connect();
    await client.ask("SET", "a", "1");
    client.send("SHUTDOWN");
    await server.until(() => server.shutDown, "the end");
    server = await start();
    client = await server.connect();
    assert.equal(await client.ask("GET", "a"), "1");
    await client.ask("SET", "b", "2");
    client.send("SHUTDOWN", "NOSAVE");
    await server.until(() => server.shutDown, "the end");
    server = await start();
    client = await server.connect();
    assert.equal(await client.ask("GET", "b"), "null");
    server.disk.inject({ operation: "write", code: "EIO", path: "temp-" });
    assert.equal(await client.ask("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert.equal(await client.ask("PING"), "PONG");
    server.disk.inject({ operation: "write", code: "EIO", path: "temp-", times: 9 });
    client.send("SHUTDOWN", "FORCE");
    await server.until(() => server.shutDown, "the end");
  });

  it("refuses to start on a damaged file", async () => {
    const server = await SimServer.start();
    await (await server.connect()).ask("SAVE");
    const bytes = Buffer.from(server.disk.contentOf("/data/dump.rdb") as Buffer);
    bytes[20] = (bytes[20] as number) ^ 1;
    server.kill();
    server.disk.plant("/data/dump.rdb", bytes);
    await assert.rejects(SimServer.start({ disk: server.disk, clock: server.clock }), {
      code: "SLOTLOG_RDB_LOAD",
    });
  });

  it("comes back by DEBUG RELOAD, with its options", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("SET", "key", "one");
    await client.ask("HSET", "hash", "f", "v");
    assert.equal(await client.ask("DEBUG", "RELOAD"), "OK");
    assert.equal(await client.ask("DBSIZE"), "2");
    await client.ask("SET", "key", "two");
    await client.ask("SET", "other", "x");
    const existing = await client.ask("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH");
    assert.equal(existing, "-ERR Error trying to load the RDB dump, check server logs.");
    assert.equal(await client.ask("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE"), "OK");
    assert.equal(await client.ask("MGET", "key", "other"), "one x");
    assert.equal(await client.ask("DEBUG", "RELOAD", "NOSAVE"), "OK");
    assert.equal(await client.ask("MGET", "key", "other"), "one null");
    await server.wait(server.node.stop());
  });
});
