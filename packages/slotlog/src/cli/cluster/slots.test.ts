import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { balancingMoves, movesTo, type Owner, rangesText, slotCount, slotsOf } from "./slots.js";

/** Owners that divide all slots among themselves at random. */
const owners = fc
  .array(fc.record({ cut: fc.nat(slotCount), weight: fc.nat(5) }), { minLength: 2, maxLength: 8 })
  .map((drawn) => {
    const cuts = [0, ...drawn.slice(1).map(({ cut }) => cut), slotCount].sort((a, b) => a - b);
    return drawn.map(({ weight }, index): Owner => {
      const first = cuts[index] ?? 0;
      const length = (cuts[index + 1] ?? 0) - first;
      const slots = Array.from({ length }, (_, offset) => first + offset);
      return { id: `n${index}`, slots, weight };
    });
  });

/** Who has what after the moves; a move of what is not there fails. */
function after(before: readonly Owner[], moves: ReturnType<typeof movesTo>): Map<string, number> {
  const owned = new Map(before.map(({ id, slots }) => [id, new Set(slots)]));
  for (const { slot, from, to } of moves) {
    assert.ok(owned.get(from)?.delete(slot), `${from} has no slot ${slot}`);
    owned.get(to)?.add(slot);
  }
  return new Map([...owned].map(([id, slots]) => [id, slots.size]));
}

describe("slots", () => {
  it("are printed as ranges and read back", () => {
    assert.equal(rangesText([5, 3, 4, 9, 0]), "0 3-5 9");
    assert.deepEqual(slotsOf(["0", "3-5", "9"]), [0, 3, 4, 5, 9]);
    assert.equal(rangesText([]), "");
  });

  it("are balanced by weight, in as few moves as there can be", () => {
    fc.assert(
      fc.property(owners, (before) => {
        const weights = before.reduce((sum, { weight }) => sum + weight, 0);
        fc.pre(weights > 0);
        const moves = balancingMoves(before);
        const sizes = after(before, moves);
        let surplus = 0;
        for (const { id, slots, weight } of before) {
          const exact = (slotCount * weight) / weights;
          assert.ok(Math.abs((sizes.get(id) ?? 0) - exact) <= before.length);
          surplus += Math.max(0, slots.length - (sizes.get(id) ?? 0));
        }
        assert.equal(moves.length, surplus);
      }),
    );
  });

  it("are moved to one node from the others in proportion", () => {
    fc.assert(
      fc.property(owners, fc.nat(2000), (before, count) => {
        const [target] = before;
        assert.ok(target !== undefined);
        const available = slotCount - target.slots.length;
        fc.pre(count <= available);
        const sizes = after(before, movesTo(target.id, count, before));
        assert.equal(sizes.get(target.id), target.slots.length + count);
      }),
    );
  });

  it("are not moved where there are none, nor away from all", () => {
    const empty = { id: "a", slots: [], weight: 1 };
    const one = { id: "b", slots: [1, 2], weight: 0 };
    assert.throws(() => movesTo("a", 3, [empty, one]), /only 2 slots/);
    assert.throws(() => balancingMoves([one]), /must keep/);
    assert.deepEqual(
      balancingMoves([empty, one]).map(({ slot, to }) => [slot, to]),
      [
        [1, "a"],
        [2, "a"],
      ],
    );
  });
});
