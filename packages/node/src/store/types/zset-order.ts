/**
 * The order of a sorted set: its members by score and bytes, with ranks. A B+ tree whose branches
 * count, so that finding a member, a rank or the ends of a range takes one descent, and whose
 * leaves are chained, so that walking a range takes none. Every change touches a bounded number of
 * nodes of bounded size.
 *
 * A small set is a tree of one leaf that never splits (`splitsFrom` says from which size on it
 * does). The tree does not look members up by name and does not check for duplicates.
 */
import {
  Branch,
  cloneBelow,
  Leaf,
  isBefore,
  NODE_MAX,
  NODE_MIN,
  type Node,
  RestingLeaves,
  type ZsetRange,
} from "./zset-leaf.js";
import type { BlockAccount } from "./block-memory.js";
import type { Packing } from "./packing.js";

/**
 * What V8 has for a leaf: an object of 12 words, and two arrays of 6 words each and 16 bytes per
 * element, three quarters full on average.
 */
const LEAF_BYTES = 96;
const LOOSE_LEAF_BYTES = LEAF_BYTES + 96;
const LOOSE_MEMBER_BYTES = 16 / 0.75 + LOOSE_LEAF_BYTES / (0.75 * NODE_MAX);

/** A place in the order, to walk from. Valid until the next change. */
export class ZsetCursor {
  #leaf: Leaf | undefined;
  #index: number;

  constructor(leaf: Leaf | undefined, index: number) {
    this.#leaf = leaf;
    this.#index = index;
  }

  /** False once it has left the set. */
  get valid(): boolean {
    return this.#leaf !== undefined;
  }

  get member(): string {
    return (this.#leaf as Leaf).members[this.#index] as string;
  }

  get score(): number {
    return (this.#leaf as Leaf).scores[this.#index] as number;
  }

  next(): void {
    const leaf = this.#leaf;
    if (leaf === undefined || ++this.#index < leaf.width) return;
    this.#leaf = leaf.next;
    this.#index = 0;
  }

  previous(): void {
    if (this.#leaf === undefined || --this.#index >= 0) return;
    this.#leaf = this.#leaf.previous;
    this.#index = this.#leaf === undefined ? 0 : this.#leaf.width - 1;
  }

  /** The next place in one of the two directions. */
  step(reverse: boolean): void {
    if (reverse) this.previous();
    else this.next();
  }
}

export class ZsetOrder {
  #root: Node = new Leaf(undefined);
  /** Infinite for a set that is to stay in one leaf. */
  #splitsFrom = Number.POSITIVE_INFINITY;
  /** Only of a large set that is kept. */
  #resting: RestingLeaves | undefined = undefined;
  /** The next one to free, once that has begun. */
  #condemned: Leaf | undefined = undefined;
  #isCondemned = false;

  /** Members. */
  get size(): number {
    return this.#root.total;
  }

  /** The only leaf of a small set. */
  get only(): Leaf | undefined {
    return this.#root instanceof Leaf ? this.#root : undefined;
  }

  /**
   * From here on nodes are of bounded size: to be called once, on a set of one leaf. Without
   * `packing` and where to rest, none of its leaves will.
   */
  grow(packing?: Packing, account?: BlockAccount): void {
    const whole = this.#root as Leaf;
    this.#splitsFrom = NODE_MAX;
    if (packing !== undefined && account !== undefined) {
      this.#resting = new RestingLeaves(packing, account);
    }
    this.#root = new Leaf(this.#resting);
    for (let index = 0; index < whole.members.length; index++) {
      this.insert(whole.scores[index] as number, whole.members[index] as string);
    }
  }

  insert(score: number, member: string): void {
    const right = this.#insertBelow(this.#root, score, member);
    if (right !== undefined) this.#addRoot(right);
  }

  /** False if there is no such element. */
  remove(score: number, member: string): boolean {
    if (!this.#removeBelow(this.#root, score, member)) return false;
    while (this.#root instanceof Branch && this.#root.width === 1) {
      this.#root = this.#root.children[0] as Node;
    }
    return true;
  }

  /** Gives an element another score, in its place if its neighbours allow it. */
  move(score: number, member: string, newScore: number): void {
    const leaf = this.#leafOf(score, member);
    const index = leaf.find(score, member);
    const { members, scores } = leaf;
    const last = members.length - 1;
    const staysBehind =
      index > 0
        ? isBefore(scores[index - 1] as number, members[index - 1] as string, newScore, member)
        : leaf.previous === undefined;
    const staysBefore =
      index < last
        ? isBefore(newScore, member, scores[index + 1] as number, members[index + 1] as string)
        : leaf.next === undefined;
    if (staysBehind && staysBefore) {
      leaf.setScore(index, newScore);
      return;
    }
    this.remove(score, member);
    this.insert(newScore, member);
  }

  /** How many elements come before the given one. */
  rank(score: number, member: string): number {
    let node = this.#root;
    let rank = 0;
    while (node instanceof Branch) {
      const index = node.find(score, member);
      rank += node.before(index);
      node = node.children[index] as Node;
    }
    return rank + node.find(score, member);
  }

  /** How many elements are before a range, or, with `whole`, before it or in it. */
  countBefore(range: ZsetRange, whole: boolean): number {
    let node = this.#root;
    let count = 0;
    while (node instanceof Branch) {
      const index = node.findEnd(range, whole);
      count += node.before(index);
      node = node.children[index] as Node;
    }
    return count + node.countBefore(range, whole);
  }

  /** The place of an element by its rank, from 0; an invalid one if there is none. */
  at(rank: number): ZsetCursor {
    if (rank < 0 || rank >= this.size) return new ZsetCursor(undefined, 0);
    let node = this.#root;
    let left = rank;
    while (node instanceof Branch) {
      const { counts } = node;
      let index = 0;
      while (left >= (counts[index] as number)) left -= counts[index++] as number;
      node = node.children[index] as Node;
    }
    return new ZsetCursor(node, left);
  }

  /** An independent order of the same elements; what rests does so in blocks of `account`. */
  copy(account?: BlockAccount): ZsetOrder {
    const copy = new ZsetOrder();
    copy.#splitsFrom = this.#splitsFrom;
    if (this.#resting !== undefined && account !== undefined) {
      copy.#resting = new RestingLeaves(this.#resting.packing, account);
    }
    copy.#root = cloneBelow(this.#root, { resting: copy.#resting, leaf: undefined });
    return copy;
  }

  /** Bytes of the nodes and of the members, if those take so many on average; not of blocks. */
  bytes(memberBytes: number): number {
    const { resting } = this;
    const loose = this.size - (this.#resting?.members ?? 0);
    return Math.ceil(40 + resting * LEAF_BYTES + loose * (LOOSE_MEMBER_BYTES + memberBytes));
  }

  /** Leaves at rest. */
  get resting(): number {
    return this.#resting?.leaves ?? 0;
  }

  /** Frees the block of one leaf; false if there is no further one. Then the order is lost. */
  releasePiece(): boolean {
    if (!this.#isCondemned) {
      this.#isCondemned = true;
      this.#condemned = this.#leftmost;
    }
    const leaf = this.#condemned;
    if (leaf === undefined) return false;
    leaf.release();
    this.#condemned = leaf.next;
    return true;
  }

  get #leftmost(): Leaf | undefined {
    let node = this.#root;
    while (node instanceof Branch) node = node.children[0] as Node;
    return node;
  }

  /** The leaf in which an element is or would be. */
  #leafOf(score: number, member: string): Leaf {
    let node = this.#root;
    while (node instanceof Branch) node = node.children[node.find(score, member)] as Node;
    return node;
  }

  /**
   * Inserts; returns the node that came into being behind `node`, which is to be added above it.
   */
  #insertBelow(node: Node, score: number, member: string): Node | undefined {
    if (node instanceof Leaf) return this.#insertIntoLeaf(node, score, member);
    const index = node.find(score, member);
    const child = node.children[index] as Node;
    const added = this.#insertBelow(child, score, member);
    node.total++;
    node.counts[index] = child.total;
    if (added === undefined) return undefined;
    node.insert(index + 1, added, added.scores[0] as number, added.members[0] as string);
    if (node.width <= NODE_MAX) return undefined;
    // A set that grows at its end keeps full branches. No branch has a single child: so whoever
    // becomes too small has a neighbour to join, and no leaf is ever empty.
    return node.split(index + 2 === node.width ? node.width - 2 : node.width >>> 1);
  }

  #insertIntoLeaf(leaf: Leaf, score: number, member: string): Leaf | undefined {
    const index = leaf.find(score, member);
    const { width } = leaf;
    if (width < this.#splitsFrom) {
      leaf.insert(index, score, member);
      return undefined;
    }
    let cutAt = width >>> 1;
    if (index === width && leaf.next === undefined) cutAt = width;
    else if (index === 0 && leaf.previous === undefined) cutAt = 0;
    const right = leaf.split(cutAt);
    // Who grows at an end does not come back soon. The last full leaf still takes late comers.
    if (cutAt === width) leaf.previous?.rest();
    else if (cutAt === 0) right.next?.rest();
    if (index > cutAt || cutAt === width) right.insert(index - cutAt, score, member);
    else leaf.insert(index, score, member);
    return right;
  }

  #addRoot(right: Node): void {
    const left = this.#root;
    const root = new Branch();
    root.insert(0, left, Number.NEGATIVE_INFINITY, "");
    root.insert(1, right, right.scores[0] as number, right.members[0] as string);
    root.total = left.total + right.total;
    this.#root = root;
  }

  #removeBelow(node: Node, score: number, member: string): boolean {
    if (node instanceof Leaf) {
      const index = node.find(score, member);
      if (node.members[index] !== member || node.scores[index] !== score) return false;
      node.remove(index);
      return true;
    }
    const index = node.find(score, member);
    const child = node.children[index] as Node;
    if (!this.#removeBelow(child, score, member)) return false;
    node.total--;
    node.counts[index] = child.total;
    if (child.width < NODE_MIN) balance(node, index === 0 ? 0 : index - 1);
    return true;
  }
}

/** Joins child `index` with the one behind it, or shares their elements evenly. */
function balance(parent: Branch, index: number): void {
  const left = parent.children[index] as Node;
  const right = parent.children[index + 1] as Node;
  const score = parent.scores[index + 1] as number;
  const member = parent.members[index + 1] as string;
  if (left instanceof Leaf) left.join(right as Leaf);
  else left.join(right as Branch, score, member);
  parent.remove(index + 1);
  // Some room is left, so that the next insertion does not split again what was just joined.
  if (left.width > NODE_MAX - NODE_MIN) {
    const half = left.split(left.width >>> 1);
    parent.insert(index + 1, half, half.scores[0] as number, half.members[0] as string);
  }
  parent.counts[index] = left.total;
}
