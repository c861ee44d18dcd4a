/**
 * A node of a list: a few kilobytes of elements that stand together, with the bytes that Redis'
 * listpack of the same elements would take, since those decide where nodes end.
 *
 * Free places are kept in front, so that pushing and popping at either end is O(1). Between other
 * nodes it rests, packed into one string (`packing.ts`): what is pushed at an end of a long list is
 * packed before the garbage collector has seen it. It decides nothing: when to split, merge or
 * convert is the chain's and the list's business.
 */
import { type Element, listpackEntryBytes } from "./element.js";
import type { Packable, Packing } from "./packing.js";

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

export class ListNode implements Packable {
  next: ListNode | undefined = undefined;
  previous: ListNode | undefined = undefined;
  /** Only while the chain has an index. */
  block: NodeBlock | undefined = undefined;
  /** What Redis' listpack of these elements takes. */
  bytes = EMPTY_LISTPACK_BYTES;
  /** Elements from `#first` on; free places, all 0, in front. */
  #items: Element[] = [];
  #first = 0;
  /** All elements, while it rests; then there are no others. */
  #packed: string | undefined = undefined;
  readonly #packing: Packing;
  /** It is among the loose, who must not be there twice. */
  #isAdmitted = false;

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  get count(): number {
    if (this.#packed !== undefined) return this.#packing.count(this.#packed);
    return this.#items.length - this.#first;
  }

  pack(): void {
    this.#isAdmitted = false;
    this.rest();
  }

  /** Takes the resting form, which a node at an end of its list never does. */
  rest(): void {
    if (!this.#isBetween || this.#packed !== undefined) return;
    const items = this.#first === 0 ? this.#items : this.#items.slice(this.#first);
    this.#packed = this.#packing.pack(items);
    if (this.#packed === undefined) return;
    this.#items = [];
    this.#first = 0;
  }

  /** Between others it will rest again when it has not been for long. */
  admit(): void {
    if (this.#isAdmitted || !this.#isBetween) return;
    this.#isAdmitted = true;
    this.#packing.admit(this);
  }

  /** The element at an offset from 0 to `count - 1`. */
  at(offset: number): Element {
    if (this.#packed !== undefined) return this.#view(this.#packed)[offset] as Element;
    return this.#items[this.#first + offset] as Element;
  }

  /** Offset of the first such element from `offset` on, or -1. */
  indexOf(element: Element, offset: number): number {
    if (this.#packed !== undefined) return this.#view(this.#packed).indexOf(element, offset);
    const at = this.#items.indexOf(element, this.#first + offset);
    return at < 0 ? -1 : at - this.#first;
  }

  push(element: Element): void {
    this.#wake();
    this.#items.push(element);
    this.bytes += listpackEntryBytes(element);
  }

  unshift(element: Element): void {
    this.#wake();
    if (this.#first === 0) this.#makeRoomInFront();
    this.#items[--this.#first] = element;
    this.bytes += listpackEntryBytes(element);
  }

  pop(): Element {
    this.#wake();
    const element = this.#items.pop() as Element;
    this.bytes -= listpackEntryBytes(element);
    return element;
  }

  shift(): Element {
    this.#wake();
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
    this.#wake();
    this.#items.splice(this.#first + offset, 0, element);
    this.bytes += listpackEntryBytes(element);
  }

  replace(offset: number, element: Element): void {
    this.#wake();
    this.bytes += listpackEntryBytes(element) - listpackEntryBytes(this.at(offset));
    this.#items[this.#first + offset] = element;
  }

  /** Removes `count` elements from an offset on. */
  remove(offset: number, count: number): void {
    this.#wake();
    const from = this.#first + offset;
    for (let at = from; at < from + count; at++) {
      this.bytes -= listpackEntryBytes(this.#items[at] as Element);
    }
    this.#items.splice(from, count);
  }

  /** Takes the elements from an offset on out into a node of their own. */
  splitOff(offset: number): ListNode {
    this.#wake();
    const tail = new ListNode(this.#packing);
    tail.#items = this.#items.splice(this.#first + offset);
    for (const element of tail.#items) tail.bytes += listpackEntryBytes(element);
    this.bytes -= tail.bytes - EMPTY_LISTPACK_BYTES;
    return tail;
  }

  /** Appends all elements of another node, which is not used any more. */
  absorb(other: ListNode): void {
    this.#wake();
    other.collect(this.#items);
    this.bytes += other.bytes - EMPTY_LISTPACK_BYTES;
  }

  /** A node of the same elements, linked to nothing. */
  copy(): ListNode {
    const copy = new ListNode(this.#packing);
    copy.#items = this.#items.slice(this.#first);
    copy.#packed = this.#packed;
    copy.bytes = this.bytes;
    return copy;
  }

  collect(into: Element[]): void {
    this.collectRange(0, this.count, into);
  }

  /** Appends the elements at the offsets from `from` to before `to`. */
  collectRange(from: number, to: number, into: Element[]): void {
    const packed = this.#packed;
    const items = packed === undefined ? this.#items : this.#view(packed);
    const first = packed === undefined ? this.#first : 0;
    for (let at = first + from; at < first + to; at++) into.push(items[at] as Element);
  }

  get #isBetween(): boolean {
    return this.next !== undefined && this.previous !== undefined;
  }

  #view(packed: string): readonly Element[] {
    return this.#packing.view(this, packed);
  }

  /** It is going to be changed. */
  #wake(): void {
    const packed = this.#packed;
    if (packed === undefined) return;
    this.#packed = undefined;
    this.#packing.forgetView(this);
    this.#items = this.#packing.unpack(packed);
    this.admit();
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
