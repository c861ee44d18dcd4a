import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TailBuffer } from "./tail-buffer.js";

test("whatever is appended and released, what is held reads back by its position", () => {
  const step = fc.oneof(
    fc.record({ append: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ release: fc.nat(60) }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 16 }),
      (steps, block) => {
        const tail = new TailBuffer(1000, block);
        let all = Buffer.alloc(0);
        let released = 0;
        for (const next of steps) {
          if ("append" in next) {
            all = Buffer.concat([all, next.append]);
            tail.append(next.append);
            next.append.fill(0xee);
          } else {
            released = Math.min(all.length, released + next.release);
            tail.release(1000 + released);
          }
          assert.equal(tail.start, 1000 + released);
          assert.equal(tail.end, 1000 + all.length);
          const held = Buffer.concat(tail.spans(1000 + released, 1000 + all.length));
          assert.deepEqual(held, all.subarray(released));
        }
      },
    ),
  );
});

test("what is released or not there yet cannot be asked for", () => {
  const tail = new TailBuffer();
  tail.append(Buffer.from("abc"));
  tail.release(2);
  assert.throws(() => tail.spans(1, 3));
  assert.throws(() => tail.spans(2, 4));
});

test("a steady load takes no new memory", () => {
  const tail = new TailBuffer(0, 1024);
  const blocks = new Set<unknown>();
  for (let turn = 0; turn < 1000; turn++) {
    const from = tail.end;
    tail.append(Buffer.alloc(700));
    for (const span of tail.spans(from, tail.end)) blocks.add(span.buffer);
    tail.release(from);
  }
  assert.ok(blocks.size <= 6, `${blocks.size} blocks`);
});
