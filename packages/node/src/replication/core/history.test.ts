import assert from "node:assert/strict";
import { test } from "node:test";
import { noReplicationId, ReplicationHistory } from "./history.js";

function history(): ReplicationHistory {
  let count = 0;
  return new ReplicationHistory(() => (++count).toString(16).padStart(40, "a"));
}

function append(target: ReplicationHistory, bytes: number): void {
  target.append(Buffer.alloc(bytes), 0, bytes);
}

test("without a backlog nothing is counted, and opening one begins a new history", () => {
  const own = history();
  const { id } = own;
  append(own, 100);
  assert.equal(own.offset, 0);
  own.openBacklog(1 << 20, false);
  assert.notEqual(own.id, id);
  append(own, 100);
  assert.equal(own.offset, 100);
});

test("who has everything up to any byte held may go on behind it", () => {
  const own = history();
  own.openBacklog(1 << 20, true);
  append(own, 50);
  assert.deepEqual(own.continuation(own.id, 1), { possible: true });
  assert.deepEqual(own.continuation(own.id.toUpperCase(), 51), { possible: true });
  assert.deepEqual(own.continuation(own.id, 52), { possible: false, reason: "no-backlog" });
  assert.deepEqual(own.continuation(own.id, 0), { possible: false, reason: "no-backlog" });
  assert.deepEqual(own.continuation("?", -1), { possible: false, reason: "unknown-id" });
  assert.deepEqual(own.continuation(noReplicationId, 1), { possible: false, reason: "unknown-id" });
});

test("after a branch the old id is good up to the branch, and no further", () => {
  const own = history();
  own.openBacklog(1 << 20, true);
  append(own, 50);
  const old = own.id;
  own.branch();
  append(own, 10);
  assert.equal(own.secondId, old);
  assert.equal(own.secondOffset, 51);
  assert.deepEqual(own.continuation(old, 51), { possible: true });
  assert.deepEqual(own.continuation(old, 52), { possible: false, reason: "beyond-second-id" });
  assert.deepEqual(own.continuation(own.id, 61), { possible: true });
});

test("a restart as primary never goes on under the id it had", () => {
  const own = history();
  const position = { id: "b".repeat(40), offset: 1000 };
  own.restartAfter(position);
  assert.notEqual(own.id, position.id);
  assert.equal(own.secondId, position.id);
  assert.equal(own.secondOffset, 1001);
  assert.equal(own.offset, 1000);
  own.openBacklog(1 << 20, true);
  assert.deepEqual(own.continuation(position.id, 1001), { possible: true });
});

test("adopting and following keep ids and offsets in step", () => {
  const own = history();
  const position = { id: "c".repeat(40), offset: 77 };
  own.adopt(position, 1 << 20);
  assert.deepEqual([own.id, own.offset, own.secondOffset], [position.id, 77, -1]);
  assert.equal(own.followUnder(position.id, 1 << 20), false);
  append(own, 3);
  assert.equal(own.followUnder("d".repeat(40), 1 << 20), true);
  assert.deepEqual([own.secondId, own.secondOffset, own.offset], [position.id, 81, 80]);
  own.closeBacklog();
  assert.equal(own.secondOffset, -1);
  assert.notEqual(own.id, "d".repeat(40));
});
