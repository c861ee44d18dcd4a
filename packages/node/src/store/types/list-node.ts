/**
 * A node of a list: a few kilobytes of elements that stand together, with the bytes that Redis'
 * listpack of the same elements would take, since those decide where nodes end.
 *
 * Free places are kept in front, so that pushing and popping at either end is O(1). It decides
 * nothing: when to split, merge or convert is the chain's and the list's business.
 */
import { type Element, listpackEntryBytes } from "./element.js";

/** A listpack without entries: total bytes (4), number of entries (2), end mark (1). */
export const EMPTY_LISTPACK_BYTES = 7;

/** Free places in front beyond which they are given back, if they are more than the elements. */
const FREE_MAX = 32;

/** Nodes that an index keeps together; see `list-index.ts`. */
export interface NodeBlock {
  elements: number;
  nodes: number;
  first: ListNode;
}

export class ListNode {
  next: ListNode | undefined = undefined;
  previous: ListNode | undefined = undefined;
  /** Only while the chain has an index. */
  block: NodeBlock | undefined = undefined;
  /** What Redis' listpack of these elements takes. */
  bytes = EMPTY_LISTPACK_BYTES;
  /** Elements from `#first` on; free places, all 0, in front. */
  #items: Element[] = [];
  #first = 0;

  get count(): number {
    return this.#items.length - this.#first;
  }

  /** The element at an offset from 0 to `count - 1`. */
  at(offset: number): Element {
    return this.#items[this.#first + offset] as Element;
  }

  /** Offset of the first such element from `offset` on, or -1. */
  indexOf(element: Element, offset: number): number {
    const at = this.#items.indexOf(element, this.#first + offset);
    return at < 0 ? -1 : at - this.#first;
  }

  push(element: Element): void {
    this.#items.push(element);
    this.bytes += listpackEntryBytes(element);
  }

  unshift(element: Element): void {
    if (this.#first === 0) this.#makeRoomInFront();
    this.#items[--this.#first] = element;
    this.bytes += listpackEntryBytes(element);
  }

  pop(): Element {
    const element = this.#items.pop() as Element;
    this.bytes -= listpackEntryBytes(element);
    return element;
  }

  shift(): Element {
    const element = this.#items[this.#first] as Element;
    this.#items[this.#first++] = 0;
    this.bytes -= listpackEntryBytes(element);
    if (this.#first > FREE_MAX && this.#first > this.count) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return element;
  }

  insert(offset: number, element: Element): void {
    if (offset === 0) {
      this.unshift(element);
      return;
    }
    this.#items.splice(this.#first + offset, 0, element);
    this.bytes += listpackEntryBytes(element);
  }

  replace(offset: number, element: Element): void {
    this.bytes += listpackEntryBytes(element) - listpackEntryBytes(this.at(offset));
    this.#items[this.#first + offset] = element;
  }

  /** Removes `count` elements from an offset on. */
  remove(offset: number, count: number): void {
    const from = this.#first + offset;
    for (let at = from; at < from + count; at++) {
      this.bytes -= listpackEntryBytes(this.#items[at] as Element);
    }
    this.#items.splice(from, count);
  }

  /** Takes the elements from an offset on out into a node of their own. */
  splitOff(offset: number): ListNode {
    const tail = new ListNode();
    tail.#items = this.#items.splice(this.#first + offset);
    for (const element of tail.#items) tail.bytes += listpackEntryBytes(element);
    this.bytes -= tail.bytes - EMPTY_LISTPACK_BYTES;
    return tail;
  }

  /** Appends all elements of another node, which is not used any more. */
  absorb(other: ListNode): void {
    for (let at = other.#first; at < other.#items.length; at++) {
      this.#items.push(other.#items[at] as Element);
    }
    this.bytes += other.bytes - EMPTY_LISTPACK_BYTES;
  }

  /** A node of the same elements, linked to nothing. */
  copy(): ListNode {
    const copy = new ListNode();
    copy.#items = this.#items.slice(this.#first);
    copy.bytes = this.bytes;
    return copy;
  }

  collect(into: Element[]): void {
    for (let at = this.#first; at < this.#items.length; at++) into.push(this.#items[at] as Element);
  }

  /**
   * Half as many free places as elements, so that pushes in front copy each element twice at most.
   */
  #makeRoomInFront(): void {
    const free = 4 + (this.count >>> 1);
    const items = new Array<Element>(free).fill(0);
    this.#first = free;
    for (const element of this.#items) items.push(element);
    this.#items = items;
  }
}
