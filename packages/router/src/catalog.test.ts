// Over a node's own declarations: that every command goes somewhere, and the ones that matter where
// they should.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRegistry, families, keyPositions } from "@slotlog/node/commands";
import { Catalog, type CommandSource } from "./catalog.js";
import { declarationsOf, withLearned } from "./learned-commands.js";

const registry = new CommandRegistry(families);
const source: CommandSource = {
  commands: registry.declared,
  keyIndexes: ({ fullName }, argv) => {
    const command = registry.findFull(fullName);
    const found = command === undefined ? undefined : keyPositions(command, argv);
    return found?.map(({ index }) => index);
  },
};

test("commands go where their declarations say", () => {
  const catalog = new Catalog(source);
  const planOf = (...argv: string[]): string | undefined => {
    const command = catalog.resolve(argv);
    return command === undefined ? undefined : `${command.plan} ${command.merge}`;
  };
  assert.equal(planOf("GET", "k"), "keys concatenate");
  assert.equal(planOf("mGet", "k"), "split concatenate");
  assert.equal(planOf("DEL", "k"), "split sum");
  assert.equal(planOf("MSET", "k", "v"), "split all-succeeded");
  assert.equal(planOf("MSETNX", "k", "v"), "keys concatenate");
  assert.equal(planOf("DBSIZE"), "shards sum");
  assert.equal(planOf("FLUSHALL"), "shards all-succeeded");
  assert.equal(planOf("CONFIG", "SET", "a", "b"), "nodes all-succeeded");
  assert.equal(planOf("CONFIG", "GET", "a"), "any concatenate");
  assert.equal(planOf("BLPOP", "k", "0"), "blocking concatenate");
  assert.equal(planOf("SSUBSCRIBE", "c"), "subscribe concatenate");
  assert.equal(planOf("CLIENT", "SETNAME", "a"), "local all-succeeded");
  assert.equal(planOf("PUBLISH", "c", "m"), "any concatenate");
  assert.equal(planOf("MONITOR"), "refused concatenate");
  assert.equal(planOf("nosuch"), undefined);
});

test("every command that changes data is either on keys or on every shard", () => {
  const catalog = new Catalog(source);
  const astray = [...catalog.all()].filter(
    ({ declared, plan }) =>
      declared.spec.flags.includes("write") && (plan === "any" || plan === "nodes"),
  );
  assert.deepEqual(
    astray.map(({ fullName }) => fullName),
    [],
  );
});

test("keys are found where commands have them", () => {
  const catalog = new Catalog(source);
  const keysOf = (...argv: string[]): string[] | undefined => {
    const command = catalog.resolve(argv);
    if (command === undefined) return undefined;
    return catalog.keyIndexes(command, argv)?.map((index) => argv[index] ?? "");
  };
  assert.deepEqual(keysOf("SINTERSTORE", "d", "a", "b"), ["d", "a", "b"]);
  assert.deepEqual(keysOf("ZUNION", "2", "a", "b", "WEIGHTS", "1", "2"), ["a", "b"]);
  assert.deepEqual(keysOf("XREAD", "COUNT", "1", "STREAMS", "s", "t", "0", "0"), ["s", "t"]);
  assert.deepEqual(keysOf("SORT", "l", "BY", "w_*", "STORE", "d"), ["l", "d"]);
  assert.deepEqual(keysOf("PING"), []);
});

test("what the cluster alone knows is learned from its COMMAND", () => {
  const catalog = new Catalog(withLearned(source));
  const range = ["begin_search", ["type", "index", "spec", ["index", 2]]];
  const count = ["type", "keynum", "spec", ["keynumidx", 0, "firstkey", 1, "keystep", 1]];
  const specs = [["flags", ["RW"], ...range, "find_keys", count]];
  const reply = [["mod.run", -3, ["write", "movablekeys"], 0, 0, 0, [], [], specs, []]];
  assert.equal(catalog.learn(declarationsOf(reply)), 1);
  const command = catalog.find("MOD.RUN");
  assert.equal(command?.plan, "keys");
  assert.ok(command !== undefined && command.isWrite);
  assert.deepEqual(catalog.keyIndexes(command, ["MOD.RUN", "x", "2", "a", "b", "c"]), [3, 4]);
  const renamed = [["xauth", -2, ["no_auth"], 0, 0, 0, ["@fast", "@connection"], [], [], []]];
  assert.equal(catalog.learn(declarationsOf(renamed)), 1);
  assert.equal(catalog.find("xauth")?.plan, "refused");
  assert.equal(catalog.learn(declarationsOf([["get", 2, [], 0, 0, 0]])), 0);
  assert.deepEqual(declarationsOf("nonsense"), []);
});
