/**
 * Finds the node of a position in a long chain: blocks of neighbouring nodes with the sum of their
 * elements. A search passes over blocks, then over the nodes of one block. It stores no elements.
 *
 * Blocks are split before they grow long, so an insertion touches a few hundred nodes at most. With
 * 20 million elements in nodes of one element each there are some 40 thousand blocks.
 */
import type { ListNode, NodeBlock } from "./list-node.js";

const BLOCK_NODES_MAX = 512;

export class ListIndex {
  readonly #blocks: NodeBlock[] = [];

  /** Indexes a chain from its first node on. */
  constructor(head: ListNode) {
    for (let node: ListNode | undefined = head; node !== undefined; node = node.next) {
      const last = this.#blocks.at(-1);
      if (last === undefined || last.nodes >= BLOCK_NODES_MAX / 2) {
        node.block = { elements: node.count, nodes: 1, first: node };
        this.#blocks.push(node.block);
      } else {
        node.block = last;
        last.nodes++;
        last.elements += node.count;
      }
    }
  }

  /** A node was linked into the chain. */
  added(node: ListNode): void {
    const before = node.previous?.block;
    const after = node.next?.block;
    const block = (before ?? after) as NodeBlock;
    const isAtEnd = before === undefined || after === undefined;
    if (isAtEnd && block.nodes >= BLOCK_NODES_MAX) {
      node.block = { elements: node.count, nodes: 1, first: node };
      if (before === undefined) this.#blocks.unshift(node.block);
      else this.#blocks.push(node.block);
      return;
    }
    node.block = block;
    if (before === undefined) block.first = node;
    block.nodes++;
    block.elements += node.count;
    if (block.nodes > BLOCK_NODES_MAX) this.#split(block);
  }

  /** A node is about to be unlinked. */
  removed(node: ListNode): void {
    const block = node.block as NodeBlock;
    block.nodes--;
    block.elements -= node.count;
    if (block.first === node && block.nodes > 0) block.first = node.next as ListNode;
    if (block.nodes === 0) this.#blocks.splice(this.#indexOf(block), 1);
    node.block = undefined;
  }

  /** The node before which less than `position + 1` elements stand; see `skipped`. */
  find(position: number): ListNode {
    let skipped = 0;
    for (const block of this.#blocks) {
      if (skipped + block.elements > position) {
        let node = block.first;
        while (skipped + node.count <= position) {
          skipped += node.count;
          node = node.next as ListNode;
        }
        this.skipped = skipped;
        return node;
      }
      skipped += block.elements;
    }
    throw new RangeError(`a list has no position ${position}`);
  }

  /** Elements in front of the node that `find` returned. */
  skipped = 0;

  #indexOf(block: NodeBlock): number {
    if (this.#blocks.at(-1) === block) return this.#blocks.length - 1;
    return this.#blocks.indexOf(block);
  }

  #split(block: NodeBlock): void {
    const kept = block.nodes >>> 1;
    let node = block.first;
    let elements = 0;
    for (let passed = 0; passed < kept; passed++) {
      elements += node.count;
      node = node.next as ListNode;
    }
    const second: NodeBlock = {
      elements: block.elements - elements,
      nodes: block.nodes - kept,
      first: node,
    };
    block.elements = elements;
    block.nodes = kept;
    for (let left = second.nodes; left > 0; left--) {
      node.block = second;
      if (left > 1) node = node.next as ListNode;
    }
    this.#blocks.splice(this.#indexOf(block) + 1, 0, second);
  }
}
