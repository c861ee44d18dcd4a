/**
 * A list's nodes in their order: Redis' quicklist. Where nodes begin, split and merge follows its
 * rules exactly, since they decide when a list may be called `listpack` again.
 *
 * Reaching a position takes a search over nodes (`list-index.ts` in long chains); both ends are
 * O(1). It knows no keys and converts nothing.
 */
import type { Element } from "./element.js";
import { ListIndex } from "./list-index.js";
import { EMPTY_LISTPACK_BYTES, ListNode } from "./list-node.js";
import type { Packing } from "./packing.js";

/** Bytes of a node for `list-max-listpack-size` from -1 to -5. */
const nodeBytesMax = [4096, 8192, 16384, 32768, 65536];
/** Bytes of a node of several elements where the directive counts elements. */
const safeBytesMax = 8192;
/** What Redis adds to an element's length when it asks whether the element fits. */
const entryOverheadBytes = 8;
/** The directive is kept in 16 bits. */
const fillMax = 32767;
const fillMin = -5;

/** Nodes from which on searching them one by one costs more than an index. */
const indexFromNodes = 128;

/** Bytes that a node may have, for a value of `list-max-listpack-size`; infinite if it counts. */
export function nodeBytesLimit(fill: number): number {
  if (fill >= 0) return Number.POSITIVE_INFINITY;
  return nodeBytesMax[Math.min(-fill, nodeBytesMax.length) - 1] as number;
}

/** Elements that a node may have; infinite if the directive limits bytes. */
export function nodeCountLimit(fill: number): number {
  return fill < 0 ? Number.POSITIVE_INFINITY : Math.max(1, fill);
}

/** True if a node of so many bytes and elements is too large. */
export function exceedsLimits(fill: number, bytes: number, count: number): boolean {
  if (fill < 0) return bytes > nodeBytesLimit(fill);
  return bytes > safeBytesMax || count > nodeCountLimit(fill);
}

export class ListChain {
  /** Elements. */
  count = 0;
  nodes = 0;
  head: ListNode | undefined = undefined;
  tail: ListNode | undefined = undefined;
  /** Offset in the node that `seek` returned. */
  offset = 0;
  readonly #fill: number;
  readonly #packing: Packing;
  #index: ListIndex | undefined = undefined;

  /** `fill` is `list-max-listpack-size` when the chain is made; it keeps that value. */
  constructor(fill: number, packing: Packing) {
    this.#packing = packing;
    this.#fill = Math.max(fillMin, Math.min(fillMax, fill));
  }

  /** Takes over a node that is in no chain, behind all others. */
  appendNode(node: ListNode): void {
    const before = this.tail;
    this.#link(node, before, undefined);
    before?.rest();
    this.count += node.count;
  }

  push(element: Element, length: number): void {
    let node = this.tail;
    if (node === undefined || !this.#hasRoom(node, length)) {
      node = this.#newNode(this.tail, undefined);
    }
    node.push(element);
    this.#counted(node, 1);
  }

  unshift(element: Element, length: number): void {
    let node = this.head;
    if (node === undefined || !this.#hasRoom(node, length)) {
      node = this.#newNode(undefined, this.head);
    }
    node.unshift(element);
    this.#counted(node, 1);
  }

  pop(): Element {
    const node = this.tail as ListNode;
    const element = node.pop();
    this.#counted(node, -1);
    if (node.count === 0) this.#unlink(node);
    return element;
  }

  shift(): Element {
    const node = this.head as ListNode;
    const element = node.shift();
    this.#counted(node, -1);
    if (node.count === 0) this.#unlink(node);
    return element;
  }

  /** The node of a position from 0 to `count - 1`; the offset in it is left in `offset`. */
  seek(position: number): ListNode {
    if (position < (this.head as ListNode).count) {
      this.offset = position;
      return this.head as ListNode;
    }
    const fromEnd = this.count - position;
    const tail = this.tail as ListNode;
    if (fromEnd <= tail.count) {
      this.offset = tail.count - fromEnd;
      return tail;
    }
    if (this.#index !== undefined) {
      const found = this.#index.find(position);
      this.offset = position - this.#index.skipped;
      return found;
    }
    let node = this.head as ListNode;
    let left = position;
    while (left >= node.count) {
      left -= node.count;
      node = node.next as ListNode;
    }
    this.offset = left;
    return node;
  }

  /** Removes one element; the node goes with its last one. */
  removeAt(node: ListNode, offset: number): void {
    node.remove(offset, 1);
    this.#counted(node, -1);
    if (node.count === 0) this.#unlink(node);
  }

  /** Removes `count` elements from a position on, all of them present. */
  removeRange(position: number, count: number): void {
    if (count <= 0) return;
    let node: ListNode | undefined = this.seek(position);
    let { offset } = this;
    let left = count;
    while (left > 0 && node !== undefined) {
      const { next }: ListNode = node;
      const here = Math.min(left, node.count - offset);
      left -= here;
      if (here === node.count) {
        this.count -= here;
        this.#unlink(node);
      } else {
        node.remove(offset, here);
        this.#counted(node, -here);
      }
      node = next;
      offset = 0;
    }
  }

  /** Inserts beside an element, splitting and merging nodes as Redis does. */
  insert(
    place: { readonly node: ListNode; readonly offset: number; readonly after: boolean },
    element: Element,
    length: number,
  ): void {
    const { node, offset, after } = place;
    const at = after ? offset + 1 : offset;
    if (this.#hasRoom(node, length)) {
      node.insert(at, element);
      this.#counted(node, 1);
      return;
    }
    const isAtEdge = after ? at === node.count : at === 0;
    if (isAtEdge) {
      this.#insertBeside(node, after, element, length);
      return;
    }
    // The part that the new element touches leaves, and takes it.
    const tail = node.splitOff(at);
    this.#counted(node, -tail.count);
    this.#link(tail, node, node.next);
    this.count += tail.count;
    const receiver = after ? tail : node;
    if (after) receiver.unshift(element);
    else receiver.push(element);
    this.#counted(receiver, 1);
    tail.admit();
    this.#mergeAround(after ? node : tail);
  }

  copy(): ListChain {
    const copy = new ListChain(this.#fill, this.#packing);
    for (let node = this.head; node !== undefined; node = node.next) copy.appendNode(node.copy());
    return copy;
  }

  /** Between a full node and its neighbour: into the neighbour if it has room, else on its own. */
  #insertBeside(node: ListNode, after: boolean, element: Element, length: number): void {
    let neighbour = after ? node.next : node.previous;
    if (neighbour === undefined || !this.#hasRoom(neighbour, length)) {
      neighbour = after ? this.#newNode(node, node.next) : this.#newNode(node.previous, node);
    }
    if (after) neighbour.unshift(element);
    else neighbour.push(element);
    this.#counted(neighbour, 1);
  }

  #hasRoom(node: ListNode, length: number): boolean {
    return !exceedsLimits(this.#fill, node.bytes + length + entryOverheadBytes, node.count + 1);
  }

  /**
   * Joins small neighbours around a node: the two before it, the two behind it, then it with both.
   */
  #mergeAround(center: ListNode): void {
    const { previous, next } = center;
    this.#merge(previous?.previous, previous);
    this.#merge(next, next?.next);
    const target = this.#merge(center.previous, center) ?? center;
    this.#merge(target, target.next);
  }

  /** The left node with both nodes' elements, or `undefined` if they stay apart. */
  #merge(left: ListNode | undefined, right: ListNode | undefined): ListNode | undefined {
    if (left === undefined || right === undefined) return undefined;
    const bytes = left.bytes + right.bytes - EMPTY_LISTPACK_BYTES;
    if (exceedsLimits(this.#fill, bytes, left.count + right.count)) return undefined;
    const moved = right.count;
    this.count -= moved;
    this.#unlink(right);
    left.absorb(right);
    this.#counted(left, moved);
    return left;
  }

  /** A node has got so many elements more, or fewer. */
  #counted(node: ListNode, change: number): void {
    this.count += change;
    if (node.block !== undefined) node.block.elements += change;
  }

  #newNode(previous: ListNode | undefined, next: ListNode | undefined): ListNode {
    const node = new ListNode(this.#packing);
    this.#link(node, previous, next);
    previous?.rest();
    next?.rest();
    return node;
  }

  #link(node: ListNode, previous: ListNode | undefined, next: ListNode | undefined): void {
    node.previous = previous;
    node.next = next;
    if (previous === undefined) this.head = node;
    else previous.next = node;
    if (next === undefined) this.tail = node;
    else next.previous = node;
    this.nodes++;
    if (this.#index !== undefined) this.#index.added(node);
    else if (this.nodes > indexFromNodes) this.#index = new ListIndex(this.head as ListNode);
  }

  #unlink(node: ListNode): void {
    this.#index?.removed(node);
    const { previous, next } = node;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    this.nodes--;
    if (this.nodes === 0) this.#index = undefined;
  }
}
