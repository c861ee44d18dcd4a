import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../net/client.js";
import { CommandHarness } from "../testing/command-harness.js";

/** A harness whose client is logged in as `joe` with these rules. */
function asJoe(...rules: string[]): CommandHarness {
  const harness = new CommandHarness();
  const error = harness.node.acl.setUser("joe", ["on", "nopass", ...rules]);
  assert.equal(error, undefined);
  assert.equal(harness.text("auth", "joe", "x"), "+OK\r\n");
  return harness;
}

function rulesOf(harness: CommandHarness, name = "joe"): string {
  return harness.node.acl.find(name)?.describe() ?? "";
}

const described: readonly (readonly [rules: string, described: string])[] = [
  ["", "off sanitize-payload resetchannels -@all"],
  ["on nopass ~* &* +@all", "on nopass sanitize-payload ~* &* +@all"],
  ["~a %R~b %W~b %r~c %RW~d", "off sanitize-payload ~a ~b %R~c ~d resetchannels -@all"],
  ["&x &y &x", "off sanitize-payload resetchannels &x &y -@all"],
  ["+get -set +@read +GET", "off sanitize-payload resetchannels -@all -set +@read +get"],
  ["+config|get +config|set -config", "off sanitize-payload resetchannels -@all -config"],
  ["+select|0 +select|1", "off sanitize-payload resetchannels -@all +select|0 +select|1"],
  ["+@all -@admin (+get ~x) reset", "off sanitize-payload resetchannels -@all"],
  ["(+get ~x)", "off sanitize-payload resetchannels -@all (~x resetchannels -@all +get)"],
];

for (const [rules, expected] of described) {
  test(`rules '${rules}' are kept as '${expected}', and make the same user again`, () => {
    const { acl } = new CommandHarness().node;
    assert.equal(acl.setUser("one", rules.split(" ")), undefined);
    const text = acl.find("one")?.describe() ?? "";
    assert.equal(text, expected);
    assert.equal(acl.setUser("two", text.split(" ")), undefined);
    assert.equal(acl.find("two")?.describe(), expected);
  });
}

const refused: readonly (readonly [rules: string, error: RegExp])[] = [
  ["+nosuch", /'\+nosuch': Unknown command or category/],
  ["+@nosuch", /Unknown command or category/],
  ["-select|0", /Unknown command or category/],
  ["+config|get|x", /first-arg of a subcommand/],
  ["+select|", /Syntax error/],
  ["~* ~a", /'allkeys' flag/],
  ["&* &a", /'allchannels' flag/],
  ["%~a", /Syntax error/],
  ["%", /Syntax error/],
  ["#abc", /exactly 64 characters/],
  ["<nopw", /does not exist/],
  ["(+get", /Unmatched parenthesis in acl selector starting at '\(\+get'/],
  ["nonsense", /Syntax error/],
];

for (const [rules, error] of refused) {
  test(`rules '${rules}' are refused, and those in front of them are not taken either`, () => {
    const { acl } = new CommandHarness().node;
    assert.match(acl.setUser("joe", ["on", ...rules.split(" ")]) ?? "", error);
    assert.equal(acl.find("joe"), undefined);
  });
}

test("a restricted user runs what it may, on the keys it may, as it may", () => {
  const harness = asJoe("~k*", "%R~r*", "%W~w*", "+@all", "-@dangerous");
  assert.equal(harness.text("set", "k1", "v"), "+OK\r\n");
  assert.equal(harness.text("get", "r1"), "$-1\r\n");
  assert.equal(harness.text("set", "w1", "v"), "+OK\r\n");
  const noKey = "-NOPERM No permissions to access a key\r\n";
  assert.equal(harness.text("set", "r1", "v"), noKey);
  assert.equal(harness.text("get", "w1"), noKey);
  // What was there before is read, so write access alone is not enough.
  assert.equal(harness.text("set", "w1", "v", "get"), noKey);
  assert.equal(harness.text("mget", "k1", "x"), noKey);
  assert.equal(
    harness.text("keys", "*"),
    "-NOPERM User joe has no permissions to run the 'keys' command\r\n",
  );
});

test("a user with several selectors needs one that allows all of a command", () => {
  const harness = asJoe("+get", "~a", "(+set ~b)");
  assert.equal(harness.text("get", "a"), "$-1\r\n");
  assert.equal(harness.text("set", "b", "v"), "+OK\r\n");
  assert.match(harness.text("set", "a", "v"), /^-NOPERM No permissions to access a key/);
  assert.match(harness.text("del", "a"), /^-NOPERM User joe has no permissions to run the 'del'/);
});

test("EXEC asks again: the rules may have changed since the queueing", () => {
  const harness = asJoe("~*", "+@all");
  harness.run("multi");
  harness.run("set", "a", "1");
  harness.run("get", "a");
  harness.node.acl.setUser("joe", ["-set"]);
  assert.match(
    harness.text("exec"),
    /^\*2\r\n-NOPERM ACLs rules changed .* subcommand\r\n\$-1\r\n$/,
  );
});

test("patterns must be allowed literally, channels by a pattern", () => {
  const harness = asJoe("+@all", "&news*");
  assert.match(harness.text("subscribe", "news.sport"), /^\*3/);
  harness.run("reset");
  harness.run("auth", "joe", "x");
  assert.match(harness.text("psubscribe", "news.*"), /^-NOPERM No permissions to access a channel/);
  assert.match(harness.text("psubscribe", "news*"), /^\*3/);
});

test("a subscriber is disconnected when it may not hear its channel any more", () => {
  const harness = new CommandHarness();
  const { acl } = harness.node;
  const closed: string[] = [];
  acl.setUser("joe", ["on", "nopass", "+@all", "&a", "&b"]);
  const listener = harness.newClient({
    ...harness.client.link,
    closeNow: () => void closed.push("x"),
  });
  assert.equal(acl.logIn(listener, "joe", "x", "AUTH"), true);
  harness.node.pubsub.subscribe(listener, "channel", "a");
  acl.setUser("joe", ["resetchannels", "&a"]);
  assert.deepEqual(closed, []);
  acl.setUser("joe", ["resetchannels", "&b"]);
  assert.deepEqual(closed, ["x"]);
});

test("deleting a user closes its connections, which are nobody's at once", () => {
  const harness = new CommandHarness();
  const closed: Client[] = [];
  harness.node.acl.setUser("joe", ["on", "nopass", "+@all"]);
  const client = harness.newClient({
    ...harness.client.link,
    closeNow: () => void closed.push(client),
  });
  harness.node.acl.logIn(client, "joe", "x", "AUTH");
  assert.equal(harness.text("acl", "deluser", "joe", "nobody"), ":1\r\n");
  assert.deepEqual(closed, [client]);
  assert.equal(client.authenticated, false);
  assert.match(harness.text("acl", "deluser", "default"), /^-ERR The 'default' user/);
});

test("requirepass is the default user's password, and taking it away opens the door again", () => {
  const harness = new CommandHarness({ config: { requirepass: "secret" } });
  const stranger = harness.newClient();
  harness.node.acl.assumeDefault(stranger);
  assert.equal(stranger.authenticated, false);
  harness.run("config", "set", "requirepass", "");
  assert.equal(rulesOf(harness, "default"), "on nopass sanitize-payload ~* &* +@all");
});

test("denials are logged, similar ones once, with their number", () => {
  const harness = asJoe("+get", "+acl");
  for (let i = 0; i < 3; i += 1) harness.run("set", "a", "1");
  harness.run("get", "a");
  harness.run("auth", "joe2", "x");
  const entries = harness.node.acl.log.latest(10);
  assert.deepEqual(
    entries.map(({ id, count, reason, place, object, user }) => [
      id,
      count,
      reason,
      place,
      object,
      user,
    ]),
    [
      [2, 1, "auth", "toplevel", "auth", "joe2"],
      [1, 1, "key", "toplevel", "a", "joe"],
      [0, 3, "command", "toplevel", "set", "joe"],
    ],
  );
  harness.now += 61_000;
  harness.run("set", "a", "1");
  assert.equal(harness.node.acl.log.latest(1)[0]?.count, 1);
});

test("an ACL file replaces all users, or, with an error in it, none", () => {
  const { acl } = new CommandHarness().node;
  acl.setUser("old", ["on"]);
  const before = acl.lines();
  const errors = acl.load("user new on +nosuch\nuser new on\nnonsense\n", "users.acl");
  assert.match(errors ?? "", /users\.acl:1: Error in applying operation '\+nosuch'/);
  assert.match(errors ?? "", /Duplicate user 'new' found on line 2/);
  assert.match(errors ?? "", /users\.acl:3 should start with user keyword/);
  assert.deepEqual(acl.lines(), before);
  assert.equal(acl.load("\n  user new on ~a (+get ~b)  \r\n", "users.acl"), undefined);
  assert.deepEqual(acl.lines(), [
    "user default on nopass sanitize-payload ~* &* +@all",
    "user new on sanitize-payload ~a resetchannels -@all (~b resetchannels -@all +get)",
  ]);
});

test("renamed commands keep their names in rules", () => {
  const harness = asJoe("~*", "+get");
  harness.node.registry.rename("get", "fetch");
  assert.equal(harness.text("fetch", "a"), "$-1\r\n");
});
