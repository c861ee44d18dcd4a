import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeveralClients } from "../testing/several-clients.js";

const nothing2 = "*-1\r\n";

describe("blocked clients", () => {
  it("are served in the order in which they came, by what is logged as a plain pop", () => {
    const several = new SeveralClients(4);
    several.say(2, ["BLPOP", "list", "0"]);
    several.say(1, ["BLPOP", "other", "list", "0"]);
    several.say(3, ["BRPOP", "list", "0"]);
    several.say(0, ["RPUSH", "list", "a", "b"]);
    assert.equal(several.heard(0), ":2\r\n");
    assert.equal(several.heard(2), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
    assert.equal(several.heard(1), "*2\r\n$4\r\nlist\r\n$1\r\nb\r\n");
    assert.equal(several.heard(3), "");
    assert.deepEqual(several.records.slice(1), [
      ["RPUSH", "list", "a", "b"],
      ["LPOP", "list"],
      ["LPOP", "list"],
    ]);
    assert.equal(several.harness.node.blocked.count, 1);
    assert.equal(several.harness.node.blocked.keyCount, 1);
  });

  it("are served behind the transaction, not in the middle of it", () => {
    const several = new SeveralClients(2);
    several.say(1, ["BLPOP", "list", "0"]);
    for (const words of [["MULTI"], ["LPUSH", "list", "a"], ["LLEN", "list"], ["EXEC"]]) {
      several.say(0, words);
    }
    assert.match(several.heard(0), /\*2\r\n:1\r\n:1\r\n$/);
    assert.equal(several.heard(1), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
  });

  it("are not woken by a key that has expired meanwhile, and do not delete it", () => {
    const several = new SeveralClients(2);
    const { harness } = several;
    several.say(0, ["SELECT", "1"]);
    several.say(0, ["RPUSH", "list", "a"]);
    several.say(0, ["PEXPIRE", "list", "5"]);
    several.say(1, ["BLPOP", "list", "0"]);
    harness.now += 10;
    several.say(0, ["SWAPDB", "0", "1"]);
    assert.equal(several.heard(1), "");
    assert.equal(harness.node.blocked.count, 1);
    assert.deepEqual(several.records.at(-1), ["SWAPDB", "0", "1"]);
  });

  it("do not block inside a transaction", () => {
    const several = new SeveralClients(1);
    for (const words of [
      ["MULTI"],
      ["BLPOP", "list", "0"],
      ["BLMOVE", "a", "b", "LEFT", "LEFT", "0"],
      ["EXEC"],
    ]) {
      several.say(0, words);
    }
    assert.ok(several.heard(0).endsWith(`*2\r\n${nothing2}$-1\r\n`));
  });

  it("serve each other when an element moves on", () => {
    const several = new SeveralClients(3);
    several.say(1, ["BLMOVE", "a", "b", "LEFT", "RIGHT", "0"]);
    several.say(2, ["BLMOVE", "b", "c", "LEFT", "RIGHT", "0"]);
    several.say(0, ["LPUSH", "a", "x"]);
    several.say(0, ["LRANGE", "c", "0", "-1"]);
    assert.equal(several.heard(1), "$1\r\nx\r\n");
    assert.equal(several.heard(2), "$1\r\nx\r\n");
    assert.equal(several.heard(0), ":1\r\n*1\r\n$1\r\nx\r\n");
  });

  it("give up in time, however often they were served in vain", async () => {
    const several = new SeveralClients(2);
    const { clock } = several.harness;
    several.say(0, ["XADD", "s", "1-1", "f", "v"]);
    several.say(1, ["XREAD", "BLOCK", "1000", "STREAMS", "s", "9-0"]);
    await clock.advance(600);
    several.say(0, ["XADD", "s", "2-1", "f", "v"]);
    await clock.advance(399);
    assert.equal(several.heard(1), "");
    await clock.advance(2);
    assert.equal(several.heard(1), nothing2);
    assert.equal(several.harness.node.blocked.count, 0);
  });

  it("wait for longer than a timer of Node.js lasts", async () => {
    const several = new SeveralClients(1);
    const days = 24 * 3600;
    several.say(0, ["BLPOP", "list", String(60 * days)]);
    await several.harness.clock.advance(59 * days * 1000);
    assert.equal(several.heard(0), "");
    await several.harness.clock.advance(days * 1000);
    assert.equal(several.heard(0), nothing2);
  });

  it("go on with what they said meanwhile", () => {
    const several = new SeveralClients(2);
    several.say(1, ["BLPOP", "list", "0"]);
    several.say(1, ["LLEN", "list"]);
    several.say(1, ["BLPOP", "list", "0"]);
    assert.equal(several.heard(1), "");
    several.say(0, ["RPUSH", "list", "a"]);
    assert.equal(several.heard(1), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n:0\r\n");
    several.say(0, ["RPUSH", "list", "b"]);
    assert.equal(several.heard(1), "*2\r\n$4\r\nlist\r\n$1\r\nb\r\n");
  });

  it("are let go by CLIENT UNBLOCK, and forgotten when they are gone", () => {
    const several = new SeveralClients(4);
    for (const index of [1, 2, 3]) several.say(index, ["BLPOP", "list", "0"]);
    const id = (index: number): string => String(several.clients[index]?.id);
    several.say(0, ["CLIENT", "UNBLOCK", id(1)]);
    several.say(0, ["CLIENT", "UNBLOCK", id(2), "ERROR"]);
    several.say(0, ["CLIENT", "UNBLOCK", id(2), "ERROR"]);
    assert.equal(several.heard(0), ":1\r\n:1\r\n:0\r\n");
    assert.equal(several.heard(1), nothing2);
    assert.equal(several.heard(2), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    several.clients[3]?.blocked?.cancel("closed");
    several.say(0, ["RPUSH", "list", "a"]);
    assert.equal(several.heard(3), "");
    assert.equal(several.heard(0), ":1\r\n");
  });

  it("are told when this node becomes a replica, and when their slot goes elsewhere", () => {
    const several = new SeveralClients(3);
    const { blocked } = several.harness.node;
    several.say(1, ["BLPOP", "list", "0"]);
    several.say(2, ["BLPOP", "other", "0"]);
    blocked.redirect((_, argv) => (argv[1] === "other" ? "MOVED 1 host:1" : undefined));
    assert.equal(several.heard(1), "");
    assert.equal(several.heard(2), "-MOVED 1 host:1\r\n");
    blocked.disconnectAll();
    assert.match(several.heard(1), /^-UNBLOCKED force unblock from blocking operation/);
    assert.deepEqual([several.isClosed(1), several.isClosed(2)], [true, false]);
  });

  it("hear nothing if they asked for silence", () => {
    const several = new SeveralClients(2);
    const [, client] = several.clients;
    if (client !== undefined) client.replyMode = "off";
    several.say(1, ["BLPOP", "list", "0"]);
    several.say(0, ["RPUSH", "list", "a"]);
    assert.equal(several.heard(1), "");
    several.say(0, ["EXISTS", "list"]);
    assert.equal(several.heard(0), ":1\r\n:0\r\n");
  });

  it("are told that a group is gone, whatever made it go", () => {
    const ways: string[][] = [["DEL", "s"], ["XGROUP", "DESTROY", "s", "g"], ["FLUSHDB"]];
    for (const way of ways) {
      const several = new SeveralClients(2);
      several.say(0, ["XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"]);
      several.say(1, ["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"]);
      assert.equal(several.harness.node.blocked.goneKeyCount, 1);
      several.say(0, way);
      assert.match(several.heard(1), /^-NOGROUP No such key 's' or consumer group 'g'/, way[0]);
    }
  });

  it("count once", async () => {
    const several = new SeveralClients(2);
    const { registry, stats } = several.harness.node;
    several.say(1, ["BLPOP", "list", "0"]);
    assert.equal(registry.find("blpop")?.calls, 0);
    several.say(0, ["RPUSH", "list", "a"]);
    several.say(1, ["BLPOP", "list", "0.001"]);
    await several.harness.clock.advance(1);
    assert.equal(registry.find("blpop")?.calls, 2);
    assert.equal(stats.commandsProcessed, 3);
  });
});
