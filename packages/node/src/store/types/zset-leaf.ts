/**
 * The nodes of a sorted set's order (see `zset-order.ts`): leaves with members and scores, branches
 * with children and how many members are below each. They know how to find a place in themselves
 * and how to split and join; which node to go to is the tree's business.
 */

import type { Packing } from "./packing.js";

/** What a leaf at rest has instead of elements. */
const NO_MEMBERS: string[] = [];
const NO_SCORES: number[] = [];

/**
 * Elements per node before it splits. A leaf of 64 costs about 3 bytes of overhead per member, and
 * moving half of it for an insertion is as cheap as the descent to it; 20 million members make a
 * tree of five levels.
 */
export const NODE_MAX = 64;
/** Below this many elements a node joins a neighbour or takes some of its elements. */
export const NODE_MIN = 16;

/** True if one element comes before another one: by score, ties by the bytes of the member. */
export function isBefore(
  score: number,
  member: string,
  otherScore: number,
  otherMember: string,
): boolean {
  return score < otherScore || (score === otherScore && member < otherMember);
}

/**
 * A range of scores or of members, as a test: in the order of a sorted set, some elements are
 * before it, then come those inside, then those behind.
 */
export interface ZsetRange {
  /** True for what comes before the range. */
  isBelow(score: number, member: string): boolean;
  /** True for what comes behind the range. */
  isAbove(score: number, member: string): boolean;
}

/** Puts an element into an array at an index: `splice` allocates an array for what it removes. */
function insertInto<T>(array: T[], index: number, element: T): void {
  array.push(element);
  for (let at = array.length - 1; at > index; at--) array[at] = array[at - 1] as T;
  array[index] = element;
}

function removeFrom<T>(array: T[], index: number): void {
  const last = array.length - 1;
  for (let at = index; at < last; at++) array[at] = array[at + 1] as T;
  array.pop();
}

/** Takes the elements from `index` on out of an array. */
function cut<T>(array: T[], index: number): T[] {
  const rest = array.slice(index);
  array.length = index;
  return rest;
}

/**
 * Members and scores in order. Where a set grows at an end, the leaves behind that end rest, packed
 * into one string each (`packing.ts`): half the memory, and nothing for the garbage collector to
 * look through. One that is changed takes its elements out again, and keeps them.
 */
export class Leaf {
  #members: string[] = [];
  #scores: number[] = [];
  #packed: string | undefined = undefined;
  readonly #packing: Packing | undefined;
  previous: Leaf | undefined = undefined;
  next: Leaf | undefined = undefined;

  constructor(packing: Packing | undefined) {
    this.#packing = packing;
  }

  /** In order; `scores[i]` belongs to `members[i]`. To be read until the next change. */
  get members(): readonly string[] {
    const packed = this.#packed;
    return packed === undefined ? this.#members : this.#packer.viewMembers(this, packed);
  }

  get scores(): readonly number[] {
    const packed = this.#packed;
    return packed === undefined ? this.#scores : this.#packer.viewScores(this, packed);
  }

  get total(): number {
    return this.width;
  }

  get width(): number {
    const packed = this.#packed;
    return packed === undefined ? this.#members.length : this.#packer.count(packed);
  }

  /** Only ever asked for where something is packed. */
  get #packer(): Packing {
    return this.#packing as Packing;
  }

  /** 0 unless it rests. */
  get packedBytes(): number {
    return this.#packed?.length ?? 0;
  }

  /** Packs the elements, unless they are too long. */
  rest(): void {
    if (this.#packed !== undefined || this.#packing === undefined) return;
    this.#packed = this.#packing.packScored(this.#members, this.#scores);
    if (this.#packed === undefined) return;
    this.#members = NO_MEMBERS;
    this.#scores = NO_SCORES;
  }

  #wake(): void {
    if (this.#packed === undefined) return;
    const { members, scores } = this.#packer.takeScored(this, this.#packed);
    this.#packed = undefined;
    this.#members = members;
    this.#scores = scores;
  }

  /** All of what was packed elsewhere, into an empty leaf. */
  fill(packed: string): void {
    this.#packer.unpackScored(packed, this.#members, this.#scores);
  }

  setScore(index: number, score: number): void {
    this.#wake();
    this.#scores[index] = score;
  }

  /** A leaf of the same elements, in no chain. */
  copy(): Leaf {
    const copy = new Leaf(this.#packing);
    copy.#packed = this.#packed;
    if (this.#packed === undefined) {
      copy.#members = this.#members.slice();
      copy.#scores = this.#scores.slice();
    }
    return copy;
  }

  /** Index of the first element not before the given one. */
  find(score: number, member: string): number {
    const { scores, members } = this;
    let low = 0;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(scores[middle] as number, members[middle] as string, score, member)) {
        low = middle + 1;
      } else high = middle;
    }
    return low;
  }

  /** How many elements are before a range, or, with `whole`, before it or in it. */
  countBefore(range: ZsetRange, whole: boolean): number {
    const { scores, members } = this;
    let low = 0;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isCounted(range, whole, scores[middle] as number, members[middle] as string)) {
        low = middle + 1;
      } else high = middle;
    }
    return low;
  }

  insert(index: number, score: number, member: string): void {
    this.#wake();
    insertInto(this.#members, index, member);
    insertInto(this.#scores, index, score);
  }

  remove(index: number): void {
    this.#wake();
    removeFrom(this.#members, index);
    removeFrom(this.#scores, index);
  }

  /**
   * Moves the elements from `index` on into a new leaf behind this one. Sets that grow at one end
   * keep full leaves, since nothing or everything moves there.
   */
  split(index: number): Leaf {
    this.#wake();
    const right = new Leaf(this.#packing);
    if (index === 0) {
      right.#members = this.#members;
      right.#scores = this.#scores;
      this.#members = [];
      this.#scores = [];
    } else {
      right.#members = cut(this.#members, index);
      right.#scores = cut(this.#scores, index);
    }
    right.previous = this;
    right.next = this.next;
    if (this.next !== undefined) this.next.previous = right;
    this.next = right;
    return right;
  }

  /** Takes over all elements of the leaf behind it, which leaves the chain. */
  join(right: Leaf): void {
    this.#wake();
    for (const member of right.members) this.#members.push(member);
    for (const score of right.scores) this.#scores.push(score);
    this.next = right.next;
    if (right.next !== undefined) right.next.previous = this;
  }
}

export class Branch {
  children: Node[] = [];
  /** Members below each child. */
  counts: number[] = [];
  /**
   * Lower bounds: nothing below child `i` comes before `members[i]` with `scores[i]`, and
   * everything below child `i - 1` does. A bound stays when the element it was taken from goes. The
   * first one is not looked at, but right all the same unless this is the leftmost branch.
   */
  members: string[] = [];
  scores: number[] = [];
  total = 0;

  get width(): number {
    return this.children.length;
  }

  /** The child below which an element belongs. */
  find(score: number, member: string): number {
    const { scores, members } = this;
    let low = 1;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(score, member, scores[middle] as number, members[middle] as string)) {
        high = middle;
      } else low = middle + 1;
    }
    return low - 1;
  }

  /** The child in which what `Leaf.countBefore` counts ends. */
  findEnd(range: ZsetRange, whole: boolean): number {
    const { scores, members } = this;
    let low = 1;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isCounted(range, whole, scores[middle] as number, members[middle] as string)) {
        low = middle + 1;
      } else high = middle;
    }
    return low - 1;
  }

  /** Members below the children in front of child `index`. */
  before(index: number): number {
    const { counts } = this;
    let sum = 0;
    for (let at = 0; at < index; at++) sum += counts[at] as number;
    return sum;
  }

  /** Puts a child whose lower bound is given at an index. Does not change `total`. */
  insert(index: number, child: Node, score: number, member: string): void {
    insertInto(this.children, index, child);
    insertInto(this.counts, index, child.total);
    insertInto(this.members, index, member);
    insertInto(this.scores, index, score);
  }

  remove(index: number): void {
    removeFrom(this.children, index);
    removeFrom(this.counts, index);
    removeFrom(this.members, index);
    removeFrom(this.scores, index);
  }

  split(index: number): Branch {
    const right = new Branch();
    right.children = cut(this.children, index);
    right.counts = cut(this.counts, index);
    right.members = cut(this.members, index);
    right.scores = cut(this.scores, index);
    right.total = right.before(right.width);
    this.total -= right.total;
    return right;
  }

  /** Takes over all children of the branch behind it, whose lower bound is given. */
  join(right: Branch, score: number, member: string): void {
    right.scores[0] = score;
    right.members[0] = member;
    for (const child of right.children) this.children.push(child);
    for (const count of right.counts) this.counts.push(count);
    for (const bound of right.members) this.members.push(bound);
    for (const bound of right.scores) this.scores.push(bound);
    this.total += right.total;
  }
}

export type Node = Leaf | Branch;

/** Copies a node and all below it; new leaves are chained behind `last`, which moves to the end. */
export function cloneBelow(node: Node, last: { leaf: Leaf | undefined }): Node {
  if (node instanceof Leaf) {
    const leaf = node.copy();
    leaf.previous = last.leaf;
    if (last.leaf !== undefined) last.leaf.next = leaf;
    last.leaf = leaf;
    return leaf;
  }
  const branch = new Branch();
  branch.counts = node.counts.slice();
  branch.members = node.members.slice();
  branch.scores = node.scores.slice();
  branch.total = node.total;
  for (const child of node.children) branch.children.push(cloneBelow(child, last));
  return branch;
}

function isCounted(range: ZsetRange, whole: boolean, score: number, member: string): boolean {
  return whole ? !range.isAbove(score, member) : range.isBelow(score, member);
}
