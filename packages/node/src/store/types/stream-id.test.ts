import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  addLong,
  compareIds,
  idFromBytes,
  idText,
  idToBytes,
  longOf,
  maxId,
  nextId,
  parseId,
  parseOpenId,
  parseRangeId,
  previousId,
  type StreamId,
  zeroId,
} from "./stream-id.js";

const word = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.bigInt(0n, 100n),
  fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n),
);
const ids = fc
  .tuple(word, word)
  .map(([ms, seq]): StreamId => ({ ms: longOf(ms), seq: longOf(seq) }));

function whole({ ms, seq }: StreamId): bigint {
  return (BigInt(ms) << 64n) | BigInt(seq);
}

describe("stream ids", () => {
  it("go to bytes and text and back, and keep their order", () => {
    fc.assert(
      fc.property(ids, ids, (left, right) => {
        assert.deepEqual(idFromBytes(idToBytes(left)), left);
        assert.deepEqual(parseId(idText(left)), left);
        const order = whole(left) < whole(right) ? -1 : Number(whole(left) > whole(right));
        assert.equal(Math.sign(compareIds(left, right)), order);
        const bytes = [idToBytes(left), idToBytes(right)] as const;
        assert.equal(bytes[0] < bytes[1] ? -1 : Number(bytes[0] > bytes[1]), order);
      }),
    );
  });

  it("have neighbours", () => {
    fc.assert(
      fc.property(ids, (id) => {
        const next = nextId(id);
        if (next === undefined) assert.equal(whole(id), 2n ** 128n - 1n);
        else {
          assert.equal(whole(next), whole(id) + 1n);
          assert.deepEqual(previousId(next), id);
        }
      }),
    );
    assert.equal(previousId(zeroId), undefined);
    assert.equal(nextId(maxId), undefined);
  });

  it("are read as Redis reads them", () => {
    const readings: [string, StreamId | undefined][] = [
      ["5", { ms: 5, seq: 9 }],
      ["5-6", { ms: 5, seq: 6 }],
      ["05-+6", { ms: 5, seq: 6 }],
      [" 5-\t6", { ms: 5, seq: 6 }],
      ["5-6\0x", { ms: 5, seq: 6 }],
      ["18446744073709551615-0", { ms: 2n ** 64n - 1n, seq: 0 }],
      ["18446744073709551616-0", undefined],
      ["5--1", undefined],
      ["5--01", { ms: 5, seq: 2n ** 64n - 1n }],
      ["-5", undefined],
      ["5-", undefined],
      ["", undefined],
      ["-", undefined],
      ["5-6-7", undefined],
      ["5 ", undefined],
      ["1".repeat(128), undefined],
    ];
    for (const [text, id] of readings) assert.deepEqual(parseId(text, 9), id, JSON.stringify(text));
    assert.deepEqual(parseRangeId("-", 1), zeroId);
    assert.deepEqual(parseRangeId("+", 1), maxId);
    assert.equal(parseOpenId("7-*"), 7);
    for (const text of ["7", "*", "7-8", "-*", "7-8-*"]) assert.equal(parseOpenId(text), undefined);
  });

  it("count over 2^53 exactly", () => {
    assert.equal(addLong(Number.MAX_SAFE_INTEGER, 1), 2n ** 53n);
    assert.equal(addLong(2n ** 64n - 1n, 2), 1);
  });
});
