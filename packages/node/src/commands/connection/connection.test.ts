import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

test("with a password, nothing but logging in is possible", () => {
  const harness = new CommandHarness({ config: { requirepass: "secret" } });
  harness.client.authenticated = false;
  assert.match(harness.text("get", "a"), /^-NOAUTH /);
  assert.match(harness.text("hello", "3"), /^-NOAUTH HELLO must be called/);
  assert.match(harness.text("auth", "wrong"), /^-WRONGPASS /);
  assert.equal(harness.text("auth", "secret"), "+OK\r\n");
  assert.equal(harness.text("get", "a"), "$-1\r\n");
  assert.equal(harness.text("reset"), "+RESET\r\n");
  assert.match(harness.text("get", "a"), /^-NOAUTH /);
  assert.match(harness.text("hello", "3", "auth", "default", "secret", "setname", "me"), /^%7\r\n/);
  assert.equal(harness.client.name, "me");
});

test("a HELLO that is refused changes nothing", () => {
  const harness = new CommandHarness({ config: { requirepass: "secret" } });
  for (const words of [
    ["4"],
    ["3", "setname", "a b"],
    ["3", "auth", "default", "wrong"],
    ["3", "nonsense"],
  ]) {
    assert.match(harness.text("hello", ...words), /^-/);
    assert.equal(harness.client.protocol, 2);
    assert.equal(harness.client.name, "");
  }
});

test("RESET ends transaction, watches, subscriptions, choice of database and protocol", () => {
  const harness = new CommandHarness();
  const { client, node } = harness;
  harness.run("hello", "3", "setname", "me");
  harness.run("select", "3");
  harness.run("watch", "a");
  harness.run("subscribe", "news");
  harness.run("multi");
  assert.equal(harness.text("reset"), "+RESET\r\n");
  assert.deepEqual(
    [
      client.protocol,
      client.name,
      client.database.index,
      client.inTransaction,
      client.subscriptions,
    ],
    [2, "", 0, false, 0],
  );
  assert.equal(client.watched.length, 0);
  assert.equal(node.pubsub.channelCount, 0);
});

test("SELECT is refused in a cluster, but for database 0", () => {
  const harness = new CommandHarness({ config: { clusterEnabled: true } });
  assert.equal(harness.text("select", "1"), "-ERR SELECT is not allowed in cluster mode\r\n");
  assert.equal(harness.text("select", "0"), "+OK\r\n");
});

test("CLIENT KILL closes those that match, and itself only when asked", () => {
  const harness = new CommandHarness();
  const closed: string[] = [];
  const { link } = harness.client;
  harness.newClient({
    ...link,
    remoteAddress: "1.1.1.1:1",
    closeNow: () => void closed.push("one"),
  });
  harness.newClient({
    ...link,
    remoteAddress: "1.1.1.1:2",
    closeNow: () => void closed.push("two"),
  });
  assert.equal(harness.text("client", "kill", "1.1.1.1:1"), "+OK\r\n");
  assert.equal(harness.text("client", "kill", "1.1.1.1:1"), "-ERR No such client\r\n");
  assert.equal(harness.text("client", "kill", "user", "default", "skipme", "yes"), ":1\r\n");
  assert.deepEqual(closed, ["one", "two"]);
  assert.equal(harness.text("client", "kill", "type", "normal", "skipme", "no"), ":1\r\n");
});

test("CLIENT LIST prints every field in Redis' order", () => {
  const harness = new CommandHarness();
  const line = harness.text("client", "list").split("\r\n")[1] ?? "";
  assert.equal(
    [...line.matchAll(/(\S+?)=/g)].map(([, name]) => name).join(" "),
    "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem " +
      "rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver",
  );
});

test("ASKING lasts for one command, through a transaction, and ASKING itself does not use it up", () => {
  const harness = new CommandHarness({ config: { clusterEnabled: true } });
  const { client } = harness;
  harness.run("asking");
  harness.run("asking");
  assert.equal(client.asking, true);
  harness.run("multi");
  assert.equal(client.asking, true);
  harness.run("discard");
  assert.equal(client.asking, false);
});
