import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CHUNK_MASK, CHUNK_SHIFT, isSameBlock, PAGE_WORDS, SlabPages } from "./slab-pages.js";

const CHUNK_BYTES = 1 << 20;

/** Writes a mark over all words of a block. */
function fill(pages: SlabPages, reference: number, words: number, mark: number): void {
  const at = reference & CHUNK_MASK;
  (pages.words[reference >>> CHUNK_SHIFT] as Int32Array).fill(mark, at, at + words);
}

function holds(pages: SlabPages, reference: number, words: number, mark: number): boolean {
  const at = reference & CHUNK_MASK;
  const block = (pages.words[reference >>> CHUNK_SHIFT] as Int32Array).subarray(at, at + words);
  return block.length === words && block.every((word) => word === mark);
}

describe("SlabPages", () => {
  it("never gives a word to two blocks", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: PAGE_WORDS }));
    const operation = fc.record({ words: size, count: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), fc.nat(), (operations, seed) => {
        const pages = new SlabPages();
        const blocks: { reference: number; words: number; mark: number }[] = [];
        let mark = 0;
        for (const { words, count } of operations) {
          for (let index = 0; index < count; index++) {
            const reference = pages.allocate(words);
            fill(pages, reference, words, ++mark);
            blocks.push({ reference, words, mark });
          }
          for (let index = seed % 3; index < blocks.length; index += 2 + (seed % 5)) {
            const [block] = blocks.splice(index, 1);
            if (block === undefined) break;
            assert.ok(holds(pages, block.reference, block.words, block.mark));
            pages.free(block.reference, block.words);
          }
        }
        for (const block of blocks) {
          assert.ok(holds(pages, block.reference, block.words, block.mark));
          pages.free(block.reference, block.words);
        }
        assert.equal(pages.liveWords, 0);
      }),
      { numRuns: 60 },
    );
  });

  it("uses what was freed before it takes more, and gives chunks back", () => {
    const pages = new SlabPages();
    const references: number[] = [];
    for (let index = 0; index < 200_000; index++) references.push(pages.allocate(14));
    const full = pages.capacityBytes;
    assert.ok(full < 200_000 * 56 * 1.02 + 2 * CHUNK_BYTES, `${full}`);
    for (let index = 0; index < references.length; index += 2) {
      pages.free(references[index] as number, 14);
      references[index] = pages.allocate(14);
    }
    assert.equal(pages.capacityBytes, full);
    for (const reference of references) pages.free(reference, 14);
    assert.ok(pages.capacityBytes <= 2 * CHUNK_BYTES);
    // What was given back is taken again.
    for (let index = 0; index < 200_000; index++) pages.allocate(25);
    assert.ok(pages.capacityBytes < 200_000 * 100 * 1.02 + 2 * CHUNK_BYTES);
  });

  it("wastes at most a sixteenth of a block", () => {
    for (let words = 1; words <= PAGE_WORDS / 16; words++) {
      const pages = new SlabPages();
      pages.allocate(words);
      assert.ok(pages.liveWords <= words * (17 / 16) + 1, `${pages.liveWords} for ${words}`);
      assert.ok(isSameBlock(words, pages.liveWords));
    }
  });
});
