import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandDecoder } from "@slotlog/resp";
import type { NodeConfig } from "../config/config.js";
import type { Socket } from "../ports.js";
import { SimNet } from "../replication/testing/sim-net.js";
import { SimClock } from "../testing/sim-clock.js";
import { type SimClient, SimServer } from "../testing/sim-server.js";

const targetPort = 7001;

/** A target that takes what it is told and answers when the test says so. */
class SlowTarget {
  readonly said: string[] = [];
  sockets: Socket[] = [];

  constructor(net: SimNet) {
    void net.listen({ host: "127.0.0.1", port: targetPort }, (socket) => {
      const decoder = new CommandDecoder();
      this.sockets.push(socket);
      socket.setHandlers({
        onData: (chunk) => {
          decoder.push(chunk);
          while (decoder.next()) this.said.push(decoder.argv.slice(0, 2).map(String).join(" "));
        },
        onClose: () => {
          this.sockets = this.sockets.filter((other) => other !== socket);
        },
      });
    });
  }

  get socket(): Socket {
    return this.sockets.at(-1) as Socket;
  }

  answer(text: string): void {
    this.socket.write(Buffer.from(text.replaceAll("\n", "\r\n"), "latin1"));
  }
}

interface World {
  readonly source: SimServer;
  readonly client: SimClient;
  readonly other: SimClient;
  readonly target: SlowTarget;
}

async function world(config: Partial<NodeConfig> = {}): Promise<World> {
  const clock = new SimClock();
  const net = new SimNet(clock, 3);
  const source = await SimServer.start({ clock, net, config });
  const target = new SlowTarget(net);
  const client = await source.connect();
  const other = await source.connect();
  return { source, client, other, target };
}

function migrate(client: SimClient, timeoutMs: number, ...options: readonly string[]): void {
  client.send("MIGRATE", "127.0.0.1", String(targetPort), "k", "0", String(timeoutMs), ...options);
}

async function onTheWay({ source, target }: World, key = "k"): Promise<void> {
  await source.until(() => target.said.includes(`RESTORE ${key}`), "the key to be on its way");
}

test("between two nodes: the value, its expiry, and who has it then", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock, 3);
  const source = await SimServer.start({ clock, net });
  const target = await SimServer.start({ clock, net, port: targetPort });
  const here = await source.connect();
  const there = await target.connect();
  await here.ask("RPUSH", "list", "a", "b", "c");
  await here.ask("SET", "string", "s".repeat(200_000), "PX", "90000");
  const [host, port] = ["127.0.0.1", String(targetPort)];
  const moved = await here.ask(
    "MIGRATE",
    host,
    port,
    "",
    "2",
    "1000",
    "KEYS",
    "list",
    "x",
    "string",
  );
  assert.equal(moved, "OK");
  assert.equal(await here.ask("DBSIZE"), "0");
  await there.ask("SELECT", "2");
  assert.equal(await there.ask("LRANGE", "list", "0", "-1"), "a b c");
  assert.equal(await there.ask("STRLEN", "string"), "200000");
  const left = Number(await there.ask("PTTL", "string"));
  assert.ok(left > 89_000 && left <= 90_000, `${left} ms are left`);
  assert.equal(await here.ask("MIGRATE", host, port, "list", "2", "1000"), "NOKEY");
});

test("commands on a key that is on its way wait, others do not; confirmed, it is gone", async () => {
  const scene = await world();
  const { client, other, source, target } = scene;
  await client.ask("MSET", "k", "1", "free", "2");
  migrate(client, 5000);
  await onTheWay(scene);
  other.send("INCR", "k");
  const third = await source.connect();
  assert.equal(await third.ask("GET", "free"), "2");
  const before = other.replies.length;
  await source.clock.advance(3000);
  assert.equal(other.replies.length, before);
  target.answer("+OK\n+OK\n");
  await source.until(() => other.replies.length > before, "the command that waited");
  // In standalone mode nobody sends it elsewhere: it finds no key.
  assert.equal(other.replies.at(-1), 1);
  assert.equal(client.replies.at(-1), "OK");
  assert.equal(source.node.migrations.active, false);
});

test("a target that refuses, or falls silent, leaves the key here; who waited finds it", async () => {
  for (const [answer, expected] of [
    ["+OK\n-BUSYKEY taken\n", "-ERR Target instance replied with error: BUSYKEY taken"],
    ["", "-IOERR error or timeout reading to target instance"],
  ] as const) {
    const scene = await world();
    const { client, other, source, target } = scene;
    await client.ask("SET", "k", "41");
    migrate(client, 700);
    await onTheWay(scene);
    other.send("INCR", "k");
    if (answer !== "") target.answer(answer);
    const since = source.clock.monotonic();
    await source.until(() => other.replies.length > 0, "the command that waited");
    // What was written before the connection stood does not count as progress later.
    assert.ok(source.clock.monotonic() - since < 800);
    assert.equal(other.replies[0], 42);
    assert.equal(`-${(client.replies.at(-1) as Error).message}`, expected);
    assert.equal(await client.ask("GET", "k"), "42");
  }
});

test("a connection that ends unanswered is tried once more, then the outcome is unknown", async () => {
  const scene = await world();
  const { client, source, target } = scene;
  await client.ask("SET", "k", "v");
  migrate(client, 5000);
  await onTheWay(scene);
  target.socket.destroy();
  await source.until(() => target.said.filter((words) => words === "RESTORE k").length === 2, "it");
  target.socket.destroy();
  await source.until(() => client.replies.length === 2, "the reply");
  const { message } = client.replies[1] as Error;
  assert.equal(message, "IOERR error or timeout reading to target instance");
  assert.equal(await client.ask("GET", "k"), "v");
});

test("what was confirmed before the connection ended is gone, the rest stays", async () => {
  const scene = await world();
  const { client, source, target } = scene;
  await client.ask("MSET", "a", "1", "b", "2", "c", "3");
  const words = ["127.0.0.1", String(targetPort), "", "0", "1000", "KEYS", "a", "b", "c"];
  client.send("MIGRATE", ...words);
  await onTheWay(scene, "c");
  target.answer("+OK\n+OK\n");
  await source.clock.advance(10);
  target.socket.destroy();
  await source.until(() => client.replies.length === 2, "the reply");
  const { message } = client.replies[1] as Error;
  assert.equal(message, "IOERR error or timeout reading to target instance");
  assert.equal(await client.ask("EXISTS", "a"), "0");
  assert.equal(await client.ask("MGET", "b", "c"), "2 3");
});

test("the connection is kept for the next MIGRATE, ten seconds long, and INFO counts it", async () => {
  const scene = await world();
  const { client, other, source, target } = scene;
  const cached = async (): Promise<string | undefined> =>
    /migrate_cached_sockets:(\d+)/.exec(await other.ask("INFO", "stats"))?.[1];
  assert.equal(await cached(), "0");
  for (const key of ["1", "2"]) {
    await client.ask("SET", "k", key);
    const count = client.replies.length;
    target.said.length = 0;
    migrate(client, 5000);
    await onTheWay(scene);
    assert.equal(await cached(), "1");
    target.answer(target.said.includes("SELECT 0") ? "+OK\n+OK\n" : "+OK\n");
    await source.until(() => client.replies.length > count, "the reply");
    assert.equal(client.replies.at(-1), "OK");
    assert.equal(target.sockets.length, 1);
    assert.equal(await cached(), "1");
  }
  await source.clock.advance(12_000);
  assert.equal(await cached(), "0");
  assert.equal(target.sockets.length, 0);
});

test("EXEC waits for a key on its way and then does all of it", async () => {
  const scene = await world();
  const { client, other, source, target } = scene;
  await client.ask("SET", "k", "1");
  for (const words of [["MULTI"], ["SET", "x", "1"], ["INCR", "k"]]) await other.ask(...words);
  migrate(client, 500);
  await onTheWay(scene);
  other.send("EXEC");
  await source.clock.advance(300);
  assert.equal(other.replies.length, 3);
  assert.equal(source.node.databases.first.exists("x"), false);
  target.answer("+OK\n-ERR no\n");
  await source.until(() => other.replies.length === 4, "EXEC");
  assert.deepEqual(other.replies[3], ["OK", 2]);
});

test("with COPY nothing waits, and what is sent is the value as it was", async () => {
  const scene = await world();
  const { client, other, target } = scene;
  await client.ask("SET", "k", "1");
  migrate(client, 5000, "COPY");
  await onTheWay(scene);
  assert.equal(await other.ask("INCR", "k"), "2");
  target.answer("+OK\n+OK\n");
  await scene.source.until(() => client.replies.length === 2, "the reply");
  assert.equal(client.replies[1], "OK");
  assert.equal(await client.ask("GET", "k"), "2");
});

test("who leaves while it runs does not stop it; a demoted node deletes nothing", async () => {
  const scene = await world();
  const { client, other, source, target } = scene;
  await client.ask("SET", "k", "1");
  migrate(client, 5000);
  await onTheWay(scene);
  const id = [...source.node.clients.all()].find((each) => each.blocked !== undefined)?.id;
  assert.equal(await other.ask("CLIENT", "KILL", "ID", String(id)), "1");
  target.answer("+OK\n+OK\n");
  await source.until(() => !source.node.migrations.active, "the migration");
  assert.equal(await other.ask("EXISTS", "k"), "0");

  await other.ask("SET", "k", "2");
  const third = await source.connect();
  third.send("MIGRATE", "127.0.0.1", String(targetPort), "k", "0", "5000");
  await source.until(() => target.said.filter((words) => words === "RESTORE k").length === 2, "it");
  assert.equal(await other.ask("REPLICAOF", "127.0.0.1", "9"), "OK");
  await source.until(() => third.replies.length === 1, "the reply");
  assert.match((third.replies[0] as Error).message, /^IOERR/);
  assert.equal(source.node.databases.first.exists("k"), true);
});

test("inside a transaction it is refused", async () => {
  const { client } = await world();
  await client.ask("SET", "k", "1");
  await client.ask("MULTI");
  await client.ask("MIGRATE", "127.0.0.1", String(targetPort), "k", "0", "100");
  assert.match(await client.ask("EXEC"), /^-ERR MIGRATE waits for another node/);
});

test("the deletion is in the log: a restart does not bring the key back", async () => {
  const scene = await world({ appendonly: true });
  const { client, source, target } = scene;
  await client.ask("MSET", "k", "1", "kept", "2");
  migrate(client, 5000);
  await onTheWay(scene);
  target.answer("+OK\n+OK\n");
  await source.until(() => client.replies.length === 2, "the reply");
  source.kill();
  const { clock, disk } = source;
  const restarted = await SimServer.start({ clock, disk, config: { appendonly: true } });
  assert.equal(await (await restarted.connect()).ask("KEYS", "*"), "kept");
});
