/**
 * How many nodes a radix tree has that holds the ids of a stream's nodes as keys of sixteen bytes,
 * as XINFO STREAM tells it. Ours are kept in another structure; only the number is derived, from
 * how many bytes neighbouring keys have in common.
 */
import type { NodeList } from "./stream.js";
import type { Long, StreamId } from "./stream-id.js";

const KEY_BYTES = 16;
const WORD_BYTES = 8;
/** Values of half a word. */
const WORD_VALUES = 2 ** 32;

/**
 * A leaf for each key, a node for each place where keys part, and a node for each run of bytes in
 * between: what follows the byte by which keys part, and what all keys begin with.
 */
export function radixNodeCount(nodes: NodeList): number {
  let previous: StreamId | undefined = nodes.seekFirst();
  if (previous === undefined) return 1;
  let count = 0;
  /** Depths at which the path to the last key parts from others; each is counted when it ends. */
  const open: number[] = [];
  const closeDownTo = (depth: number): void => {
    // What closes is a subtree that ends: its run of bytes above reaches up to the next parting.
    let below = KEY_BYTES;
    count++;
    for (;;) {
      const parting = open.at(-1);
      if (parting === undefined || parting <= depth) break;
      if (below - parting > 1) count++;
      below = parting;
      open.pop();
      count++;
    }
    const parting = open.at(-1);
    if (depth >= 0 && parting !== depth) open.push(depth);
    if (depth >= 0 ? below - depth > 1 : below > 0) count++;
  };
  for (let node = nodes.next(); node !== undefined; node = nodes.next()) {
    closeDownTo(commonBytes(previous, node));
    previous = node;
  }
  closeDownTo(-1);
  return count;
}

function commonBytes(left: StreamId, right: StreamId): number {
  if (left.ms !== right.ms) return commonWordBytes(left.ms, right.ms);
  return WORD_BYTES + commonWordBytes(left.seq, right.seq);
}

/** Equal bytes at the beginning of two different integers of 64 bits. */
function commonWordBytes(left: Long, right: Long): number {
  if (typeof left === "number" && typeof right === "number") {
    const high = Math.floor(left / WORD_VALUES) ^ Math.floor(right / WORD_VALUES);
    if (high !== 0) return Math.clz32(high) >>> 3;
    return (WORD_BYTES >>> 1) + (Math.clz32((left | 0) ^ (right | 0)) >>> 3);
  }
  let difference = BigInt(left) ^ BigInt(right);
  let bytes = WORD_BYTES;
  for (; difference > 0n; difference >>= 8n) bytes--;
  return bytes;
}
