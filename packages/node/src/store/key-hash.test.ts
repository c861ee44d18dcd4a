import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { it } from "node:test";
import clusterKeySlot from "cluster-key-slot";
import fc from "fast-check";
import { HASH_MAX, KeyHasher } from "./key-hash.js";

const hasher = new KeyHasher(12345);

/**
 * The package hashes `foo{}{bar}` by a tag that ends at the second `}`; Redis' rule looks at the
 * first one only, finds nothing between, and hashes the whole key (8363, as CLUSTER KEYSLOT says).
 */
function hasEmptyTag(key: string): boolean {
  const open = key.indexOf("{");
  return open >= 0 && key[open + 1] === "}";
}

it("computes the slots that cluster-key-slot computes, for any bytes", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const tagged = fc
    .array(
      fc.oneof(
        fc.constantFrom("{", "}", "{}", "a"),
        bytes.map((b) => b.toString("latin1")),
      ),
    )
    .map((parts) => Buffer.from(parts.join(""), "latin1"));
  fc.assert(
    fc.property(fc.oneof(bytes, tagged), (key) => {
      const text = key.toString("latin1");
      fc.pre(!hasEmptyTag(text));
      assert.equal(hasher.slotOf(text), clusterKeySlot(key));
    }),
    { numRuns: 3000 },
  );
});

it("knows the published slots", () => {
  assert.equal(hasher.slotOf("123456789"), 0x31c3);
  assert.equal(hasher.slotOf("foo"), 12182);
  assert.equal(hasher.slotOf("{user1000}.following"), hasher.slotOf("user1000"));
  assert.equal(hasher.slotOf("foo{}{bar}"), 8363);
  assert.equal(hasher.slotOf("foo{{bar}}zap"), hasher.slotOf("{bar"));
  assert.equal(hasher.slotOf("foo{bar}{zap}"), hasher.slotOf("bar"));
  assert.equal(hasher.slotOf(""), 0);
});

it("depends on the seed and on every char, also of long keys of one length", () => {
  const other = new KeyHasher(54321);
  const long = "x".repeat(20_000);
  assert.notEqual(hasher.hashOf(long), other.hashOf(long));
  const hashes = new Set<number>();
  for (let index = 0; index < 2000; index++) {
    hashes.add(hasher.hashOf(`${long.slice(0, index * 10)}y${long.slice(index * 10 + 1)}`));
  }
  assert.ok(hashes.size >= 1999);
});

it("spreads similar keys evenly over prefixes and suffixes of the hash", () => {
  const count = 1 << 16;
  for (const shift of [23, 12, 0]) {
    const hits = new Int32Array(256);
    for (let index = 0; index < count; index++) {
      const hash = hasher.hashOf(`key:${index}`);
      assert.ok(hash >= 0 && hash <= HASH_MAX);
      const bucket = (hash >>> shift) & 255;
      hits[bucket] = (hits[bucket] as number) + 1;
    }
    let chiSquare = 0;
    for (const hit of hits) chiSquare += (hit - 256) ** 2 / 256;
    assert.ok(chiSquare < 255 + 6 * Math.sqrt(510), `chi² ${chiSquare} at shift ${shift}`);
  }
});

it("remembers the last key, not a wrong one", () => {
  const hash = hasher.hashOf("a");
  const slot = hasher.slot;
  assert.notEqual(hasher.hashOf("b"), hash);
  assert.equal(hasher.hashOf("a"), hash);
  assert.equal(hasher.slot, slot);
  hasher.forget();
  assert.equal(hasher.hashOf("a"), hash);
});
