import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RdbError } from "./format.js";
import { LzfCompressor, lzfDecompress } from "./lzf.js";

/** Bytes with repetitions near and far, so that copies of every length and distance occur. */
const compressible = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 40 })),
    {
      maxLength: 12,
    },
  )
  .map((parts) => {
    const unit = parts.map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes));
    return Buffer.concat([...unit, ...unit]);
  });

test("what is compressed comes back, by one compressor over many strings", () => {
  const compressor = new LzfCompressor();
  let compressed = 0;
  fc.assert(
    fc.property(compressible, (bytes) => {
      const packed = compressor.compress(bytes, bytes.length - 4);
      if (packed === undefined) return;
      compressed++;
      assert.ok(packed.length <= bytes.length - 4);
      assert.deepEqual(lzfDecompress(packed, bytes.length), bytes);
    }),
    { numRuns: 500 },
  );
  assert.ok(compressed > 200, `only ${compressed} strings were compressible`);
});

test("long runs, all byte values, and what does not shrink", () => {
  const compressor = new LzfCompressor();
  const run = Buffer.alloc(100_000, 0x61);
  const packed = compressor.compress(run, run.length - 4);
  assert.ok(packed !== undefined && packed.length < 1300);
  assert.deepEqual(lzfDecompress(packed, run.length), run);
  const distinct = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  assert.equal(compressor.compress(distinct, 252), undefined);
  assert.equal(compressor.compress(Buffer.from("abc"), 3), undefined);
});

test("damage is refused, never read or written outside", () => {
  const compressor = new LzfCompressor();
  const good = Buffer.from("abcabcabcabcabcabcabcabcabcabcabcabcabcabc-abcabcabcabcabcabc");
  const packed = Buffer.from(compressor.compress(good, good.length) as Buffer);
  assert.throws(() => lzfDecompress(packed, good.length + 1), RdbError);
  assert.throws(() => lzfDecompress(packed, good.length - 1), RdbError);
  assert.throws(() => lzfDecompress(packed.subarray(0, packed.length - 1), good.length), RdbError);
  assert.throws(() => lzfDecompress(Buffer.from([0x20, 0x00]), 3), RdbError);
  assert.throws(() => lzfDecompress(Buffer.from([0, 1]), 1 << 30), /claims 1073741824/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(2000), (bytes, length) => {
      try {
        assert.equal(lzfDecompress(bytes, length).length, length);
      } catch (error) {
        assert.ok(error instanceof RdbError);
      }
    }),
    { numRuns: 2000 },
  );
});
