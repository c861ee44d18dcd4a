/**
 * The list: one node of elements while it is small (Redis' listpack), packed into one string while
 * it rests (`packing.ts`), and a chain of nodes beyond that (quicklist). It grows into a chain by
 * the configured limits and shrinks back at half of them, as Redis 7.2 does.
 *
 * It does not know keys or replies. A list that has become empty must be deleted by its user.
 */
import type { RdbList } from "../../rdb/values.js";
import type { CollectionValue } from "../value.js";
import { type Element, elementLength, elementOf, neutralBytes, textOfBytes } from "./element.js";
import type { CollectionEnvironment } from "./environment.js";
import { exceedsLimits, ListChain, nodeBytesLimit, nodeCountLimit } from "./list-chain.js";
import { ListNode } from "./list-node.js";
import { type Packable, packedBytes } from "./packing.js";

export type ListEnd = "head" | "tail";

/** The value itself: V8's header and its fields. */
const objectBytes = 80;
/** A node, with the header of its string. */
const nodeBytes = 120;
/** What a listpack's entry takes beyond ours, at most, and its share of the header. */
const entryOverheadMax = 16;

export class ListValue implements CollectionValue, Packable {
  readonly type = "list";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  /** The elements of a listpack; `undefined` while packed, and while there is a chain. */
  #loose: ListNode | undefined = undefined;
  #packed: string | undefined = undefined;
  #chain: ListChain | undefined = undefined;

  constructor(environment: CollectionEnvironment) {
    this.#environment = environment;
  }

  pack(): void {
    const node = this.#loose;
    if (node === undefined) return;
    const elements: Element[] = [];
    node.collect(elements);
    this.#packed = this.#environment.packing.pack(elements);
    if (this.#packed !== undefined) this.#loose = undefined;
  }

  static fromNeutral(neutral: RdbList, environment: CollectionEnvironment): ListValue {
    const list = new ListValue(environment);
    const chain = new ListChain(environment.limits.listMaxListpackSize, environment.packing);
    for (const item of neutral.items) {
      const element = elementOf(textOfBytes(item));
      chain.push(element, elementLength(element));
    }
    list.#chain = chain;
    list.#tryListpack(1);
    return list;
  }

  get encoding(): string {
    return this.#chain === undefined ? "listpack" : "quicklist";
  }

  get length(): number {
    if (this.#chain !== undefined) return this.#chain.count;
    if (this.#packed !== undefined) return this.#environment.packing.count(this.#packed);
    return this.#node.count;
  }

  /** Converts to a chain if the words `from` to before `to` of `argv` would make it too large. */
  prepare(argv: readonly string[], from: number, to: number): void {
    if (this.#chain !== undefined) return;
    let bytes = 0;
    for (let index = from; index < to; index++) bytes += (argv[index] as string).length;
    const count = this.length + to - from;
    const { listMaxListpackSize } = this.#environment.limits;
    // Far below the limits it need not be known exactly, nor unpacked.
    const most = (this.#packed?.length ?? Number.POSITIVE_INFINITY) + count * entryOverheadMax;
    if (!exceedsLimits(listMaxListpackSize, bytes + most, count)) return;
    if (exceedsLimits(listMaxListpackSize, bytes + this.#node.bytes, count)) this.#toChain();
  }

  /** After elements have gone: becomes a listpack if it is small enough for that again. */
  shrink(): void {
    this.#tryListpack(2);
  }

  /** Settles the encoding of a list that was just built. */
  settle(): void {
    if (this.#chain !== undefined) this.#tryListpack(1);
    else this.prepare([], 0, 0);
  }

  push(text: string, end: ListEnd): void {
    const element = elementOf(text);
    const { packing } = this.#environment;
    const packed = this.#packed;
    const chain = this.#chain;
    if (chain !== undefined) {
      if (end === "head") chain.unshift(element, text.length);
      else chain.push(element, text.length);
    } else if (packing.isEdited(packed, text.length)) {
      this.#packed = packing.withPushed(packed, text, end === "tail");
    } else if (end === "head") {
      this.#node.unshift(element);
    } else {
      this.#node.push(element);
    }
  }

  /** Removes and returns the element at an end of a list that is not empty. */
  pop(end: ListEnd): Element {
    const packed = this.#packed;
    const { packing } = this.#environment;
    if (packing.isEdited(packed, 0)) {
      this.#packed = end === "head" ? packing.withoutFirst(packed) : packing.withoutLast(packed);
      return packing.popped;
    }
    const holder = this.#chain ?? this.#node;
    return end === "head" ? holder.shift() : holder.pop();
  }

  /** The element of an index, negative from the end; `undefined` if there is none. */
  at(index: number): Element | undefined {
    const position = this.#position(index);
    if (position < 0) return undefined;
    const chain = this.#chain;
    if (chain === undefined) return this.#node.at(position);
    const node = chain.seek(position);
    return node.at(chain.offset);
  }

  /** False if there is no such index. */
  replaceAt(index: number, text: string): boolean {
    const position = this.#position(index);
    if (position < 0) return false;
    const chain = this.#chain;
    const node = chain === undefined ? this.#node : chain.seek(position);
    node.replace(chain === undefined ? position : chain.offset, elementOf(text));
    return true;
  }

  /** Appends `count` elements from a position on to `into`, all of them present. */
  range(position: number, count: number, into: Element[]): void {
    if (count <= 0) return;
    let node: ListNode | undefined = this.#seek(position);
    let offset = this.#offset;
    for (let left = count; left > 0 && node !== undefined; node = node.next) {
      const end = Math.min(node.count, offset + left);
      left -= end - offset;
      node.collectRange(offset, end, into);
      offset = 0;
    }
  }

  /** Inserts beside the first element that equals `pivot`; false if there is none. */
  insert(pivot: string, text: string, after: boolean): boolean {
    const wanted = elementOf(pivot);
    const chain = this.#chain;
    const first = chain === undefined ? this.#node : chain.head;
    for (let node = first; node !== undefined; node = node.next) {
      const offset = node.indexOf(wanted, 0);
      if (offset < 0) continue;
      if (chain === undefined) node.insert(after ? offset + 1 : offset, elementOf(text));
      else chain.insert({ node, offset, after }, elementOf(text), text.length);
      return true;
    }
    return false;
  }

  /** Removes `count` elements from a position on, all of them present. */
  removeRange(position: number, count: number): void {
    if (count <= 0) return;
    if (this.#chain === undefined) this.#node.remove(position, count);
    else this.#chain.removeRange(position, count);
  }

  /** Removes up to `max` elements that equal `text`, beginning at an end; returns how many. */
  remove(text: string, max: number, from: ListEnd): number {
    const wanted = elementOf(text);
    const chain = this.#chain;
    let removed = 0;
    let node = chain === undefined ? this.#node : from === "head" ? chain.head : chain.tail;
    while (node !== undefined && removed < max) {
      const next = from === "head" ? node.next : node.previous;
      removed += this.#removeFrom(node, { wanted, max: max - removed, from });
      node = next;
    }
    return removed;
  }

  /**
   * Visits elements from an end until `visit` returns false. `index` counts from that end.
   */
  visit(from: ListEnd, visit: (element: Element, index: number) => boolean): void {
    const chain = this.#chain;
    let index = 0;
    let node = chain === undefined ? this.#node : from === "head" ? chain.head : chain.tail;
    while (node !== undefined) {
      const last = node.count - 1;
      for (let offset = 0; offset <= last; offset++) {
        const element = node.at(from === "head" ? offset : last - offset);
        if (!visit(element, index++)) return;
      }
      node = from === "head" ? node.next : node.previous;
    }
  }

  copy(): ListValue {
    const copy = new ListValue(this.#environment);
    copy.#chain = this.#chain?.copy();
    copy.#packed = this.#packed;
    if (this.#loose !== undefined) copy.#loosen(this.#loose.copy());
    return copy;
  }

  toNeutral(): RdbList {
    const packed = this.#packed;
    const all: Element[] = packed === undefined ? [] : this.#environment.packing.unpack(packed);
    if (packed === undefined) this.range(0, this.length, all);
    return { type: "list", items: all.map(neutralBytes) };
  }

  memoryUsage(samples: number): number {
    const chain = this.#chain;
    if (chain === undefined) {
      return objectBytes + packedBytes(0, this.#packed?.length ?? this.#node.bytes);
    }
    const sample: Element[] = [];
    this.range(0, samples === 0 ? this.length : Math.min(samples, this.length), sample);
    let bytes = 0;
    for (const element of sample) bytes += elementLength(element);
    // All but those of the first and the last node are packed.
    const average = 1 + bytes / sample.length;
    return objectBytes + chain.nodes * nodeBytes + this.length * average;
  }

  get #node(): ListNode {
    if (this.#loose !== undefined) return this.#loose;
    const node = new ListNode(this.#environment.packing);
    if (this.#packed !== undefined) {
      for (const element of this.#environment.packing.unpack(this.#packed)) node.push(element);
    }
    return this.#loosen(node);
  }

  #loosen(node: ListNode): ListNode {
    this.#loose = node;
    this.#packed = undefined;
    this.#environment.packing.admit(this);
    return node;
  }

  /** Offset in the node that `#seek` returned. */
  #offset = 0;

  #seek(position: number): ListNode {
    const chain = this.#chain;
    if (chain === undefined) {
      this.#offset = position;
      return this.#node;
    }
    const node = chain.seek(position);
    this.#offset = chain.offset;
    return node;
  }

  /** An index as a position from 0 on, or -1 if there is none. */
  #position(index: number): number {
    const { length } = this;
    const position = index < 0 ? length + index : index;
    return position >= 0 && position < length ? position : -1;
  }

  #removeFrom(
    node: ListNode,
    what: { readonly wanted: Element; readonly max: number; readonly from: ListEnd },
  ): number {
    const { wanted, max, from } = what;
    let removed = 0;
    if (from === "head") {
      let offset = node.indexOf(wanted, 0);
      while (offset >= 0 && removed < max) {
        this.#removeOne(node, offset);
        removed++;
        offset = node.count === 0 ? -1 : node.indexOf(wanted, offset);
      }
      return removed;
    }
    for (let offset = node.count - 1; offset >= 0 && removed < max; offset--) {
      if (node.at(offset) !== wanted) continue;
      this.#removeOne(node, offset);
      removed++;
    }
    return removed;
  }

  #removeOne(node: ListNode, offset: number): void {
    if (this.#chain === undefined) node.remove(offset, 1);
    else this.#chain.removeAt(node, offset);
  }

  #toChain(): void {
    const { limits, packing } = this.#environment;
    const chain = new ListChain(limits.listMaxListpackSize, packing);
    const node = this.#node;
    packing.forget(this);
    this.#loose = undefined;
    if (node.count > 0) chain.appendNode(node);
    this.#chain = chain;
  }

  /** A chain of one node that is within the limits, divided by `divisor`, becomes a listpack. */
  #tryListpack(divisor: number): void {
    const chain = this.#chain;
    if (chain === undefined || chain.nodes !== 1) return;
    const node = chain.head as ListNode;
    const { listMaxListpackSize } = this.#environment.limits;
    if (node.bytes > Math.floor(nodeBytesLimit(listMaxListpackSize) / divisor)) return;
    if (node.count > Math.floor(nodeCountLimit(listMaxListpackSize) / divisor)) return;
    node.block = undefined;
    this.#chain = undefined;
    this.#loosen(node);
  }
}
