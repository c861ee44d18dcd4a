/**
 * The nodes of a sorted set's order (see `zset-order.ts`): leaves with members and scores, branches
 * with children and how many members are below each. They know how to find a place in themselves
 * and how to split and join; which node to go to is the tree's business.
 */
import type { Buffer } from "node:buffer";
import { CHUNK_MASK, CHUNK_SHIFT, type SlabPages } from "../slab-pages.js";
import type { BlockAccount } from "./block-memory.js";
import type { Packing, RestingBytes } from "./packing.js";

/** Where the leaves of one sorted set rest, and how many do. */
export class RestingLeaves {
  readonly packing: Packing;
  readonly account: BlockAccount;
  leaves = 0;
  members = 0;

  constructor(packing: Packing, account: BlockAccount) {
    this.packing = packing;
    this.account = account;
  }
}

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
 * into one block each (`packing.ts`, `block-memory.ts`): a third of the memory, and nothing for the
 * garbage collector to look through. One that is changed takes its elements out again, and keeps
 * them.
 */
export class Leaf implements RestingBytes {
  #members: string[] = [];
  #scores: number[] = [];
  /** Where it rests; `undefined` while it does not. */
  #slab: SlabPages | undefined = undefined;
  #block = 0;
  #bytes = 0;
  #restingWidth = 0;
  readonly #resting: RestingLeaves | undefined;
  previous: Leaf | undefined = undefined;
  next: Leaf | undefined = undefined;

  /** Without `resting` for one that never rests. */
  constructor(resting: RestingLeaves | undefined) {
    this.#resting = resting;
  }

  /** In order; `scores[i]` belongs to `members[i]`. To be read until the next change. */
  get members(): readonly string[] {
    return this.#slab === undefined ? this.#members : this.#packing.viewMembers(this);
  }

  get scores(): readonly number[] {
    return this.#slab === undefined ? this.#scores : this.#packing.viewScores(this);
  }

  get total(): number {
    return this.width;
  }

  get width(): number {
    return this.#slab === undefined ? this.#members.length : this.#restingWidth;
  }

  /** Only ever asked for where something is packed. */
  get #packing(): Packing {
    return (this.#resting as RestingLeaves).packing;
  }

  /** Packs the elements, unless they are too long. */
  rest(): void {
    const resting = this.#resting;
    if (this.#slab !== undefined || resting === undefined) return;
    const bytes = resting.packing.measureScored(this.#members, this.#scores);
    if (bytes === 0) return;
    const { place, chunk } = this.#takeBlock(bytes, this.#members.length, resting);
    resting.packing.takePacked(chunk, place);
    this.#members = NO_MEMBERS;
    this.#scores = NO_SCORES;
  }

  #takeBlock(
    bytes: number,
    width: number,
    resting: RestingLeaves,
  ): { readonly chunk: Buffer; readonly place: number } {
    const slab = resting.account.memory.openSlab();
    const block = resting.account.allocate(slab, (bytes + 3) >>> 2);
    this.#slab = slab;
    this.#block = block;
    this.#bytes = bytes;
    this.#restingWidth = width;
    resting.leaves++;
    resting.members += width;
    const chunk = slab.bytes[block >>> CHUNK_SHIFT] as Buffer;
    return { chunk, place: (block & CHUNK_MASK) << 2 };
  }

  readPacked(into: Buffer): void {
    const chunk = (this.#slab as SlabPages).bytes[this.#block >>> CHUNK_SHIFT] as Buffer;
    const place = (this.#block & CHUNK_MASK) << 2;
    chunk.copy(into, 0, place, place + this.#bytes);
  }

  #wake(): void {
    if (this.#slab === undefined) return;
    const { members, scores } = this.#packing.takeScored(this);
    this.release();
    this.#members = members;
    this.#scores = scores;
  }

  /** Frees the block of one that rests. Then its elements are lost. */
  release(): void {
    if (this.#slab === undefined) return;
    const resting = this.#resting as RestingLeaves;
    resting.account.free(this.#slab, this.#block, (this.#bytes + 3) >>> 2);
    resting.leaves--;
    resting.members -= this.#restingWidth;
    this.#slab = undefined;
  }

  /** All of what was packed elsewhere, into an empty leaf. */
  fill(packed: string, packing: Packing): void {
    packing.unpackScored(packed, this.#members, this.#scores);
  }

  setScore(index: number, score: number): void {
    this.#wake();
    this.#scores[index] = score;
  }

  /** A leaf of the same elements, in no chain; `resting` is that of the set that it is for. */
  copy(resting: RestingLeaves | undefined): Leaf {
    const copy = new Leaf(resting);
    if (this.#slab === undefined || resting === undefined) {
      copy.#members = this.members.slice();
      copy.#scores = this.scores.slice();
      return copy;
    }
    const { place, chunk } = copy.#takeBlock(this.#bytes, this.#restingWidth, resting);
    const from = (this.#block & CHUNK_MASK) << 2;
    const source = this.#slab.bytes[this.#block >>> CHUNK_SHIFT] as Buffer;
    source.copy(chunk, place, from, from + this.#bytes);
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
    const right = new Leaf(this.#resting);
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
    right.release();
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

/** What a copy of a tree is made for, and the leaf that was copied last. */
export interface Cloning {
  readonly resting: RestingLeaves | undefined;
  leaf: Leaf | undefined;
}

/** Copies a node and all below it; new leaves are chained behind `last`, which moves to the end. */
export function cloneBelow(node: Node, last: Cloning): Node {
  if (node instanceof Leaf) {
    const leaf = node.copy(last.resting);
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
