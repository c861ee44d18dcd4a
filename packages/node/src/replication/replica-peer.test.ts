import assert from "node:assert/strict";
import { test } from "node:test";
import { answerReplconf, ReplicaPeer } from "./replica-peer.js";

function answer(peer: ReplicaPeer, ...argv: string[]): string {
  const calls: string[] = [];
  const result = answerReplconf(peer, ["REPLCONF", ...argv], {
    acknowledge: (offset, durable) => void calls.push(`ack ${offset} ${durable}`),
    sendAck: () => void calls.push("send"),
  });
  return [...calls, result.kind === "error" ? `-${result.text}` : result.kind].join(", ");
}

test("what a replica tells about itself", () => {
  const peer = new ReplicaPeer();
  assert.equal(answer(peer, "listening-port", "7001", "ip-address", "10.0.0.1"), "ok");
  assert.equal(answer(peer, "capa", "eof", "CAPA", "PSYNC2", "capa", "unheard-of"), "ok");
  assert.equal(answer(peer, "rdb-only", "1"), "ok");
  assert.equal(answer(peer, "rdb-filter-only", "functions"), "ok");
  assert.deepEqual(Object.fromEntries(Object.entries(peer)), {
    listeningPort: 7001,
    address: "10.0.0.1",
    canReadMark: true,
    canChangeId: true,
    dataOnly: true,
    wantsKeys: false,
    wantsFunctions: true,
  });
});

test("acknowledgements are not answered", () => {
  const peer = new ReplicaPeer();
  assert.equal(answer(peer, "ACK", "12345"), "ack 12345 undefined, none");
  assert.equal(answer(peer, "ack", "12345", "fack", "12000"), "ack 12345 12000, none");
  assert.equal(answer(peer, "ack", "x"), "none");
  assert.equal(answer(peer, "getack", "*"), "send, none");
});

test("mistakes are answered in Redis' words", () => {
  const peer = new ReplicaPeer();
  assert.equal(answer(peer, "capa"), "-ERR syntax error");
  assert.equal(answer(peer, "color", "red"), "-ERR Unrecognized REPLCONF option: color");
  assert.match(answer(peer, "listening-port", "x"), /^-ERR value is not an integer/);
  assert.match(answer(peer, "ip-address", "x".repeat(300)), /is too long: 300 bytes$/);
  assert.match(answer(peer, "rdb-only", "2"), /^-ERR value is out of range/);
  assert.match(
    answer(peer, "rdb-filter-only", "keys"),
    /Unsupported rdb-filter-only option: keys$/,
  );
});
