/**
 * What may be at the other end of a link besides a good primary: each is told in the log, leaves
 * the data alone, and is dialled again about once a second.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandDecoder } from "@slotlog/resp";
import type { Socket } from "../ports.js";
import { RdbEncoder } from "../rdb/index.js";
import { SimClock } from "../testing/sim-clock.js";
import { SimServer } from "../testing/sim-server.js";
import { SimNet } from "./testing/sim-net.js";

const id = "c".repeat(40);

function dataSet(database = 0): Buffer {
  const encoder = new RdbEncoder();
  encoder.header({ redisVersion: "7.0.0", createdAt: 0, usedMemoryBytes: 0, isAofBase: false });
  encoder.selectDb(database);
  encoder.key({ key: "theirs" }, { type: "string", value: "v".repeat(100) });
  encoder.end();
  return Buffer.concat(encoder.takeChunks());
}

function framed(rdb: Buffer, bytes = rdb.length): Buffer {
  return Buffer.concat([Buffer.from(`+FULLRESYNC ${id} 0\r\n$${bytes}\r\n`), rdb]);
}

const rdb = dataSet();
const damaged = Buffer.from(rdb);
damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;

const primaries = [
  { name: "garbage", says: Buffer.from("\u0000\u0001nonsense\r\n".repeat(9)), reason: /protocol/ },
  {
    name: "garbage instead of a data set",
    says: Buffer.from(`+FULLRESYNC ${id} 0\r\nHTTP/1.1 400 Bad Request\r\n`),
    reason: /bad protocol from the primary: 'HTTP/,
  },
  {
    name: "a data set that is cut short",
    says: framed(rdb.subarray(0, -40), rdb.length),
    ends: true,
    reason: /closed the connection/,
  },
  {
    name: "a length that is too short",
    says: framed(rdb.subarray(0, -40)),
    reason: /not as long as the primary said/,
  },
  { name: "a wrong checksum", says: framed(damaged), reason: /checksum/i },
  { name: "a database that we lack", says: framed(dataSet(99)), reason: /uses database 99/ },
] as const;

for (const primary of primaries) {
  test(`${primary.name}: told, data kept, tried again`, async () => {
    const clock = new SimClock();
    const net = new SimNet(clock, 5);
    const server = await SimServer.start({ clock, net, config: {} });
    const client = await server.connect();
    assert.equal(await client.ask("SET", "ours", "1"), "OK");
    const dials: number[] = [];
    await net.listen({ host: "127.0.0.1", port: 7777 }, (socket) => {
      dials.push(clock.monotonic());
      talk(socket, primary.says, "ends" in primary);
    });
    assert.equal(await client.ask("REPLICAOF", "127.0.0.1", "7777"), "OK");
    await server.until(() => dials.length >= 4, "three attempts more");
    const told = server.log.reasons;
    assert.ok(told.length >= 3);
    for (const reason of told) assert.match(reason, primary.reason);
    for (const [index, at] of dials.entries()) {
      if (index > 0) assert.ok(at - (dials[index - 1] as number) >= 900, "not at once");
    }
    assert.equal(await client.ask("GET", "ours"), "1");
    assert.equal(await client.ask("GET", "theirs"), "null");
    assert.equal(await client.ask("REPLICAOF", "NO", "ONE"), "OK");
    assert.equal(await client.ask("SET", "ours", "2"), "OK");
  });
}

/** Answers the handshake, and PSYNC with what the test wants. */
function talk(socket: Socket, says: Buffer, ends: boolean): void {
  const decoder = new CommandDecoder();
  socket.setHandlers({
    onData: (chunk) => {
      decoder.push(chunk);
      while (decoder.next()) {
        if (decoder.argv[0] !== "PSYNC") {
          socket.write(Buffer.from("+PONG\r\n"));
          continue;
        }
        socket.write(says);
        if (ends) socket.end();
      }
    },
    onClose: () => {},
  });
}

test("two that follow each other, and one that follows itself, keep their data", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock, 5);
  const [one, two, self] = [
    await SimServer.start({ clock, net, config: {} }),
    await SimServer.start({ clock, net, port: 6380, config: {} }),
    await SimServer.start({ clock, net, port: 6381, config: {} }),
  ] as const;
  const servers = [one, two, self] as const;
  const targets = ["6380", "6379", "6381"];
  for (const [index, server] of servers.entries()) {
    const client = await server.connect();
    assert.equal(await client.ask("SET", "own", String(index)), "OK");
    assert.equal(await client.ask("REPLICAOF", "127.0.0.1", targets[index] as string), "OK");
  }
  await clock.advance(10_000);
  for (const [index, server] of servers.entries()) {
    const client = await server.connect();
    assert.equal(await client.ask("GET", "own"), String(index));
    const told = server.log.reasons;
    assert.ok(told.length >= 5 && told.length <= 15, `${told.length} lines`);
    for (const reason of told) assert.match(reason, /NOMASTERLINK|itself/);
  }
});
