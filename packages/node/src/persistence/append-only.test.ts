import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimDisk } from "../testing/sim-disk.js";
import { SimClock } from "../testing/sim-clock.js";
import { type SimClient, replyText, SimServer } from "../testing/sim-server.js";

const manifest = "/data/appendonlydir/appendonly.aof.manifest";

async function info(client: SimClient, field: string): Promise<string> {
  const text = await client.ask("INFO", "persistence");
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

async function restart(server: SimServer): Promise<SimServer> {
  server.kill();
  const config = { appendonly: true };
  return SimServer.start({ disk: server.disk, clock: server.clock, config });
}

const settled = (server: SimServer): Promise<void> =>
  server.until(() => {
    const { appendOnly } = server.node.persistence;
    return !appendOnly.runs.running && !appendOnly.rewriteScheduled;
  }, "the end of the rewrite");

describe("the append-only file of a running node", () => {
  it("is turned on and off, and holds what was there and what came", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("SET", "before", "1");
    assert.equal(await client.ask("CONFIG", "SET", "appendonly", "yes"), "OK");
    assert.equal(await info(client, "aof_enabled"), "1");
    await client.ask("SET", "during", "2");
    await settled(server);
    await client.ask("SET", "after", "3");
    const next = await restart(server);
    const again = await next.connect();
    assert.equal(await again.ask("MGET", "before", "during", "after"), "1 2 3");
    // Off, on, off, on: what was said last counts, and nothing of it is lost.
    for (const value of ["no", "yes", "no"]) {
      again.send("CONFIG", "SET", "appendonly", value);
      again.send("INCR", "counter");
    }
    await again.ask("INCR", "counter");
    await next.until(() => next.node.persistence.writer === undefined, "the AOF to be off");
    assert.equal(await info(again, "aof_enabled"), "0");
    assert.equal(await again.ask("INCR", "counter"), "5");
    await again.ask("CONFIG", "SET", "appendonly", "yes");
    await settled(next);
    await again.ask("INCR", "counter");
    const last = await restart(next);
    assert.equal(await (await last.connect()).ask("GET", "counter"), "6");
  });

  it("is turned on behind the transaction that asks for it", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    for (const words of [
      ["MULTI"],
      ["SET", "key", "1"],
      ["CONFIG", "SET", "appendonly", "yes"],
      ["INCR", "key"],
    ]) {
      client.send(...words);
    }
    assert.equal(await client.ask("EXEC"), "OK OK 2");
    assert.match(server.log.lines.join("\n"), /AOF background was scheduled/);
    await server.until(() => server.node.persistence.writer !== undefined, "the AOF");
    await settled(server);
    await client.ask("INCR", "key");
    assert.match(await client.ask("INFO", "stats"), /total_forks:1\r/);
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "key"), "3");
  });

  it("is turned on once a save in the background has ended", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("SET", "key", "1");
    client.send("BGSAVE");
    client.send("CONFIG", "SET", "appendonly", "yes");
    await server.until(() => server.node.persistence.writer !== undefined, "the AOF to be on");
    await settled(server);
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "key"), "1");
  });

  it("tries again to turn on when the disk failed, and harms nothing meanwhile", async () => {
    const server = await SimServer.start();
    const client = await server.connect();
    await client.ask("SET", "key", "1");
    server.disk.inject({ operation: "write", code: "ENOSPC", path: "temp-rewriteaof" });
    await client.ask("CONFIG", "SET", "appendonly", "yes");
    await server.clock.advance(50);
    assert.equal(await info(client, "aof_last_bgrewrite_status"), "err");
    assert.equal(server.disk.contentOf(manifest), undefined);
    assert.equal(await client.ask("INCR", "key"), "2");
    await settled(server);
    assert.equal(await info(client, "aof_last_bgrewrite_status"), "ok");
    assert.equal(await client.ask("INCR", "key"), "3");
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "key"), "3");
  });

  it("is rewritten when it has grown, and by BGREWRITEAOF, in both forms", async () => {
    const config = {
      appendonly: true,
      autoAofRewriteMinSize: 5000,
      autoAofRewritePercentage: 100,
    };
    const server = await SimServer.start({ config });
    const client = await server.connect();
    for (let count = 0; count < 200; count += 1) await client.ask("SET", "key", `value ${count}`);
    await server.until(() => server.node.persistence.appendOnly.runs.count > 0, "a rewrite");
    await settled(server);
    assert.ok(server.log.lines.some((line) => /Starting automatic rewriting of AOF/.test(line)));
    await client.ask("CONFIG", "SET", "aof-use-rdb-preamble", "no", "aof-timestamp-enabled", "yes");
    await client.ask("ZADD", "zset", "1.5", "member");
    const started = "Background append only file rewriting started";
    assert.equal(await client.ask("BGREWRITEAOF"), started);
    await settled(server);
    await client.ask("INCR", "counter");
    const text = String(server.disk.contentOf(manifest));
    const base = /file (\S+base\.aof) /.exec(text)?.[1] ?? "";
    const bytes = String(server.disk.contentOf(`/data/appendonlydir/${base}`));
    assert.match(bytes, /^#TS:\d+\r\n#HDR:v1;\S+\r\n\*2\r\n\$6\r\nSELECT\r\n/);
    const increment = /file (\S+incr\.aof) /.exec(text)?.[1] ?? "";
    const records = String(server.disk.contentOf(`/data/appendonlydir/${increment}`));
    assert.match(records, /^#TS:\d+\r\n#HDR:v1;\S+\r\n\*2\r\n\$6\r\nSELECT\r\n/);
    const next = await restart(server);
    const again = await next.connect();
    assert.equal(await again.ask("MGET", "key", "counter"), "value 199 1");
    assert.equal(await again.ask("ZSCORE", "zset", "member"), "1.5");
  });

  it("is turned off during a rewrite, which then does not come again", async () => {
    const server = await SimServer.start({ config: { appendonly: true } });
    const client = await server.connect();
    await client.ask("SET", "key", "1");
    client.send("BGREWRITEAOF");
    client.send("CONFIG", "SET", "appendonly", "no");
    await server.until(() => server.node.persistence.writer === undefined, "the AOF to be off");
    await server.clock.advance(1000);
    assert.equal(server.node.persistence.appendOnly.runs.count, 1);
    assert.equal(await info(client, "aof_rewrite_scheduled"), "0");
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "key"), "1");
  });

  it("is rewritten again when too much changed during a rewrite", async () => {
    const config = { appendonly: true, snapshotPreimageMax: 1024 * 1024 };
    const clock = new SimClock();
    const disk = new SimDisk({ clock, latencyMs: () => 2 });
    const server = await SimServer.start({ clock, disk, config });
    const client = await server.connect();
    const value = "v".repeat(60_000);
    for (let key = 0; key < 40; key += 1) await client.ask("SET", `key${key}`, value);
    const { runs } = server.node.persistence.appendOnly;
    client.send("BGREWRITEAOF");
    await server.until(() => server.node.persistence.snapshots.active?.keysTotal === 40, "a walk");
    const { databases } = server.node;
    for (let key = 0; key < 40; key += 1) databases.first.set(`key${key}`, "short");
    await server.until(() => runs.count === 2 && !runs.running, "the second rewrite");
    assert.equal(runs.lastOk, true);
    assert.ok(server.log.lines.some((line) => /more data changed during the snapshot/.test(line)));
  });

  it("comes back by DEBUG LOADAOF, and others are told so meanwhile", async () => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock, latencyMs: () => 2 });
    const server = await SimServer.start({ clock, disk, config: { appendonly: true } });
    const client = await server.connect();
    const other = await server.connect();
    for (let count = 0; count < 20; count += 1) await client.ask("INCR", "counter");
    client.send("DEBUG", "LOADAOF");
    client.send("INCR", "counter");
    await server.until(() => server.node.loading, "the load");
    assert.match(await other.ask("GET", "counter"), /^-LOADING /);
    await server.until(() => client.replies.length === 22, "both replies");
    assert.deepEqual(client.replies.slice(20).map(replyText), ["OK", "21"]);
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "counter"), "21");
  });

  it("loses no acknowledged write to kill -9 during a rewrite", async () => {
    for (let killAt = 0; killAt < 12; killAt += 1) {
      const server = await SimServer.start({ config: { appendonly: true } });
      const client = await server.connect();
      for (let key = 0; key < 50; key += 1) await client.ask("SET", `key${key}`, "x");
      client.send("BGREWRITEAOF");
      for (let count = 0; count < killAt; count += 1) await client.ask("INCR", "counter");
      const next = await restart(server);
      const again = await next.connect();
      assert.equal(await again.ask("DBSIZE"), killAt === 0 ? "50" : "51");
      if (killAt > 0) assert.equal(await again.ask("GET", "counter"), String(killAt));
    }
  });
});

describe("disk trouble", () => {
  it("answers MISCONF for what is applied and not on disk, and goes on when it can", async () => {
    const server = await SimServer.start({ config: { appendonly: true } });
    const client = await server.connect();
    const other = await server.connect();
    await client.ask("SET", "key", "0");
    server.disk.inject({ operation: "write", code: "ENOSPC", path: ".incr.", times: 1 });
    client.send("INCR", "key");
    client.send("GET", "key");
    await server.until(() => client.replies.length === 3, "the errors");
    const held =
      "-MISCONF Errors writing to the AOF file: No space left on device. " +
      "The command was applied in memory, but it is not on disk.";
    assert.deepEqual(client.replies.slice(1).map(replyText), [held, held]);
    assert.equal(server.node.gate.failedReplies, 2);
    const refused = "-MISCONF Errors writing to the AOF file: No space left on device";
    assert.equal(await other.ask("SET", "key", "x"), refused);
    assert.equal(await other.ask("PING"), refused);
    assert.equal(await client.ask("GET", "key"), "1", "reads go on");
    assert.equal(await info(client, "aof_last_write_status"), "err");
    await server.until(() => server.node.persistence.misconfiguration === undefined, "recovery");
    assert.equal(await client.ask("INCR", "key"), "2");
    assert.equal(await info(client, "aof_last_write_status"), "ok");
    const next = await restart(server);
    assert.equal(await (await next.connect()).ask("GET", "key"), "2");
  });

  it("holds nothing back for ever under always", async () => {
    const config = { appendonly: true, appendfsync: "always" } as const;
    const server = await SimServer.start({ config });
    const client = await server.connect();
    await client.ask("SET", "key", "0");
    server.disk.inject({ operation: "sync", code: "EIO", path: ".incr.", times: 3 });
    const reply = await client.ask("INCR", "key");
    assert.match(reply, /^-MISCONF .*Input\/output error.* not on disk\.$/);
    // What a power loss can take back is not shown, and not waited for either.
    assert.match(await client.ask("GET", "key"), /^-MISCONF /);
    await server.until(() => server.node.persistence.misconfiguration === undefined, "recovery");
    assert.equal(await client.ask("GET", "key"), "1");
  });

  it("does not read who writes more than the disk takes, and reads the others", async () => {
    const clock = new SimClock();
    let slow = false;
    const disk = new SimDisk({
      clock,
      latencyMs: (operation) => {
        if ((operation === "sync" || operation === "write") && slow) return 2000;
        return 0;
      },
    });
    const config = { appendonly: true, appendfsync: "always", aofBufferMax: 1024 * 1024 } as const;
    const server = await SimServer.start({ clock, disk, config });
    const writer = await server.connect();
    const reader = await server.connect();
    await reader.ask("SET", "mine", "x");
    slow = true;
    const value = "v".repeat(60_000);
    for (let count = 0; count < 60; count += 1) writer.send("SET", `key${count}`, value);
    await server.clock.advance(500);
    assert.ok(server.node.persistence.overLimit);
    const { commandsProcessed } = server.node.stats;
    for (let count = 60; count < 160; count += 1) writer.send("SET", `key${count}`, value);
    await server.clock.advance(500);
    assert.equal(server.node.stats.commandsProcessed, commandsProcessed, "nothing more is read");
    assert.equal(await reader.ask("GET", "mine"), "x");
    assert.equal(writer.replies.length, 0);
    slow = false;
    await server.until(() => writer.replies.length === 160, "all replies");
    assert.ok(writer.replies.every((reply) => replyText(reply) === "OK"));
  });

  it("writes without fsync during a rewrite if told so", async () => {
    const config = {
      appendonly: true,
      appendfsync: "always",
      noAppendfsyncOnRewrite: true,
    } as const;
    const server = await SimServer.start({ config });
    const claim = server.node.persistence.snapshots.claim("save");
    server.node.persistence.appendOnly.applyDirectives();
    assert.equal(server.node.persistence.writer?.policy, "no");
    claim?.release();
    assert.equal(server.node.persistence.writer?.policy, "always");
  });
});
