import assert from "node:assert/strict";
import { it } from "node:test";
import { unconfirmed } from "./unconfirmed.js";

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
