import assert from "node:assert/strict";
import { test } from "node:test";
import { type Belonging, obstacle } from "./belonging.js";
import { parseClusterNodes } from "./cluster-nodes.js";

/** `a:0-99` owns slots, `a` none; the first is the node itself. */
function member(label: string, becomesPrimary: boolean, ...nodes: readonly string[]): Belonging {
  const lines = nodes.map((node, index) => {
    const [name = "", slots = ""] = node.split(":");
    const flags = index === 0 ? "myself,master" : "master";
    return `${name.repeat(40)} 127.0.0.1:1@2 ${flags} - 0 0 1 connected ${slots}`;
  });
  return { label, becomesPrimary, known: parseClusterNodes(lines.join("\n")) };
}

test("empty nodes, one cluster, and one that was begun can go on", () => {
  assert.equal(obstacle([member("n1", true, "a"), member("n2", true, "b")]), undefined);
  assert.equal(obstacle([member("n1", true, "a:0-9"), member("n2", true, "b")]), undefined);
  const cluster = [member("n1", true, "a:0-9", "b"), member("n2", true, "b:10-19", "a")];
  assert.equal(obstacle(cluster), undefined);
  // It was told of, but has not answered the MEET yet.
  assert.equal(obstacle([...cluster, member("n3", false, "c")]), undefined);
  const met = [member("n1", true, "a:0-9", "c"), member("n3", true, "c:10-19")];
  assert.equal(obstacle(met), undefined);
  // Cut short between two MEETs: it has the slots that were meant for it, and knows nobody.
  assert.equal(obstacle([...cluster, member("n3", true, "c:20-29")]), undefined);
  const handshake = member("n1", true, "a:0-9", "x");
  const [self, other] = handshake.known;
  assert.ok(self !== undefined && other !== undefined);
  const meeting = { ...handshake, known: [self, { ...other, flags: ["handshake"] }] };
  assert.equal(obstacle([meeting, member("n2", true, "b:10-19", "a:0-9")]), undefined);
});

test("a member of another cluster is named", () => {
  const mixed = [member("n1", true, "a:0-9", "b"), member("n2", true, "c:10-19", "d")];
  assert.equal(obstacle(mixed), "n2 belongs to another cluster than n1");
  const loner = [member("n1", true, "a:0-9", "b"), member("n2", true, "c:0-16383")];
  assert.equal(obstacle(loner), "n2 belongs to another cluster than n1");
});

test("two that claim the same slots are named", () => {
  const claims = [member("n1", true, "a:0-16383"), member("n2", true, "b:5-9")];
  assert.equal(obstacle(claims), "slot 5 is owned by n1 and by n2");
});

test("an empty node does not take slots of a cluster that is there", () => {
  const replaced = [member("n1", true, "e"), member("n2", true, "b:10-19", "a:0-9")];
  assert.equal(obstacle(replaced), "n1 is empty, while n2 is in a cluster already");
});
