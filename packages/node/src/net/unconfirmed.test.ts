import assert from "node:assert/strict";
import { it } from "node:test";
import { replaceReplies, unconfirmed } from "./unconfirmed.js";

const replies = [
  "+OK\r\n",
  ":-12\r\n",
  "$-1\r\n",
  "$5\r\na\r\nbc\r\n",
  "*-1\r\n",
  "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n_\r\n+y\r\n",
  "%1\r\n$1\r\nk\r\n*0\r\n",
  "|1\r\n+ttl\r\n:1\r\n$1\r\nv\r\n",
  "=6\r\ntxt:ab\r\n",
  ",inf\r\n",
  "#t\r\n",
  "(123456789012345678901234567890\r\n",
];
/** What confirms nothing, or is no reply. */
const kept = ["-ERR no\r\n", "!6\r\nERR no\r\n"];
const message = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n";

it("replaces every reply by one error and keeps errors and pushes, however it is cut", () => {
  const between = [...kept, message].join("");
  const bytes = Buffer.from(replies.map((reply) => reply + between).join(""), "latin1");
  const expected = replies.map(() => `-MISCONF disk\r\n${between}`).join("");
  for (const size of [1, 2, 7, bytes.length]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const result = unconfirmed(chunks, "MISCONF disk");
    assert.equal(result.bytes.toString("latin1"), expected);
    assert.equal(result.replies, replies.length);
  }
});

it("makes nothing of nothing", () => {
  assert.deepEqual(unconfirmed([], "x"), { bytes: Buffer.alloc(0), replies: 0 });
});

it("replaces the replies to some writes, and knows where the others stand then", () => {
  const texts = ["$1\r\nx\r\n", "+OK\r\n", ":7\r\n", "+OK\r\n"];
  const bytes = Buffer.from(texts.join(""), "latin1");
  const at = (index: number): number => texts.slice(0, index).join("").length;
  const write = (index: number): { start: number; end: number; offset: number; slot: number } => {
    return { start: at(index), end: at(index + 1), offset: index, slot: 0 };
  };
  for (const size of [1, 3, bytes.length]) {
    const chunks: Buffer[] = [];
    for (let from = 0; from < bytes.length; from += size) {
      chunks.push(bytes.subarray(from, from + size));
    }
    const held = { chunks, offset: 9, writes: [write(1), write(2), write(3)] };
    const first = replaceReplies(held, ({ offset }) => (offset === 1 ? "LONGER one" : undefined));
    assert.equal(first.count, 1);
    assert.equal(Buffer.concat(first.replies.chunks).length, bytes.length + first.addedBytes);
    // What is replaced later stands where it was moved to.
    const second = replaceReplies(first.replies, ({ offset }) => (offset === 3 ? "E" : undefined));
    const text = Buffer.concat(second.replies.chunks).toString("latin1");
    assert.equal(text, "$1\r\nx\r\n-LONGER one\r\n:7\r\n-E\r\n");
    assert.deepEqual(
      second.replies.writes.map(({ offset }) => offset),
      [2],
    );
  }
});
