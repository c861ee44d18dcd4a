import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1String, writeLatin1 } from "./byte-string.js";

test("a string of every short length is that of its bytes", () => {
  // No two neighbours alike, so that a byte from a wrong place shows.
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => (index * 37 + 128) & 0xff));
  for (let length = 0; length <= 64; length++) {
    for (const start of [0, 1, 100]) {
      const expected = bytes.toString("latin1", start, start + length);
      assert.equal(latin1String(bytes, start, length), expected, `${length} bytes from ${start}`);
    }
  }
});

test("the chars of a string are written as bytes, and nothing beside them", () => {
  const target = Buffer.alloc(8);
  writeLatin1(target, 2, "a\xff\x00b");
  assert.deepEqual([...target], [0, 0, 97, 255, 0, 98, 0, 0]);
});
