// Slot numbers as ranges, and who should move how many where. Pure.

export const slotCount = 16_384;

/** `0-5460` and `7`, as CLUSTER NODES prints them, as numbers. */
export function slotsOf(ranges: readonly string[]): number[] {
  return ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** `0-5460 7 9-10`. */
export function rangesText(slots: readonly number[]): string {
  const sorted = [...slots].sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let index = 0; index < sorted.length; ) {
    let end = index;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    ranges.push(end === index ? String(sorted[index]) : `${sorted[index]}-${sorted[end]}`);
    index = end + 1;
  }
  return ranges.join(" ");
}

export interface Owner {
  readonly id: string;
  readonly slots: readonly number[];
  /** Share of the slots it should have, in relation to the others'; 0 empties it. */
  readonly weight: number;
}

export interface Move {
  readonly slot: number;
  readonly from: string;
  readonly to: string;
}

/**
 * Moves after which every owner has its share: as few as there can be, each slot at most once. What
 * cannot be divided goes to the first owners.
 */
export function balancingMoves(owners: readonly Owner[]): Move[] {
  const total = owners.reduce((sum, { slots }) => sum + slots.length, 0);
  const weights = owners.reduce((sum, { weight }) => sum + weight, 0);
  if (weights === 0) throw new RangeError("somebody must keep the slots");
  const shares = owners.map(({ weight }) => Math.floor((total * weight) / weights));
  let left = total - shares.reduce((sum, share) => sum + share, 0);
  for (const [index, owner] of owners.entries()) {
    if (left > 0 && owner.weight > 0) {
      shares[index] = (shares[index] ?? 0) + 1;
      left--;
    }
  }
  const surplus = owners.flatMap(({ id, slots }, index) =>
    slots.slice(shares[index] ?? 0).map((slot) => ({ slot, from: id })),
  );
  const moves: Move[] = [];
  for (const [index, { id, slots }] of owners.entries()) {
    const wanted = (shares[index] ?? 0) - slots.length;
    for (const { slot, from } of surplus.splice(0, Math.max(0, wanted))) {
      moves.push({ slot, from, to: id });
    }
  }
  return moves;
}

/** `count` slots to one owner, from the others in proportion to what they have. */
export function movesTo(target: string, count: number, sources: readonly Owner[]): Move[] {
  const given = sources.filter(({ id }) => id !== target);
  const available = given.reduce((sum, { slots }) => sum + slots.length, 0);
  if (count > available) throw new RangeError(`the sources have only ${available} slots`);
  const bySize = [...given].sort((a, b) => b.slots.length - a.slots.length);
  const moves: Move[] = [];
  for (const { id, slots } of bySize) {
    // Rounded up for the first and down for what is left at the end, so that the sum is right.
    const share = Math.min(Math.ceil((count * slots.length) / available), count - moves.length);
    for (const slot of slots.slice(0, share)) moves.push({ slot, from: id, to: target });
  }
  return moves;
}
