/**
 * An ordered sequence of items with distinct keys: blocks of some hundred items, so that neither an
 * insertion nor a removal moves more than a block, wherever it happens, and appending is one push.
 *
 * It serves the nodes, pending entries, groups and consumers of streams. It has one position, which
 * every search sets and `next` and `previous` move.
 */

/** Splitting moves half of them; 4 KiB of pointers. */
const blockItemsMax = 512;

export abstract class OrderedBlocks<Item, Key> {
  #blocks: Item[][] = [];
  #size = 0;
  #block = 0;
  #index = 0;

  /** Negative if the item comes in front of the key, 0 if it has it. */
  protected abstract compare(item: Item, key: Key): number;
  protected abstract keyOf(item: Item): Key;

  get size(): number {
    return this.#size;
  }

  get first(): Item | undefined {
    return this.#blocks[0]?.[0];
  }

  get last(): Item | undefined {
    return this.#blocks.at(-1)?.at(-1);
  }

  /** The item with that key. */
  get(key: Key): Item | undefined {
    const item = this.seek(key);
    return item !== undefined && this.compare(item, key) === 0 ? item : undefined;
  }

  /** The first item, which becomes the position. */
  seekFirst(): Item | undefined {
    this.#block = 0;
    this.#index = 0;
    return this.first;
  }

  /** The last item, which becomes the position. */
  seekLast(): Item | undefined {
    this.#block = Math.max(0, this.#blocks.length - 1);
    this.#index = Math.max(0, (this.#blocks.at(-1)?.length ?? 0) - 1);
    return this.last;
  }

  /** The first item that does not come in front of the key; it becomes the position. */
  seek(key: Key): Item | undefined {
    const blocks = this.#blocks;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = blocks[middle] as Item[];
      if (this.compare(block[block.length - 1] as Item, key) < 0) low = middle + 1;
      else high = middle;
    }
    this.#block = low;
    this.#index = 0;
    const block = blocks[low];
    if (block === undefined) return undefined;
    let from = 0;
    let to = block.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compare(block[middle] as Item, key) < 0) from = middle + 1;
      else to = middle;
    }
    this.#index = from;
    return block[from];
  }

  /** The last item that does not come behind the key; it becomes the position. */
  seekFloor(key: Key): Item | undefined {
    const item = this.seek(key);
    if (item !== undefined && this.compare(item, key) === 0) return item;
    return this.previous();
  }

  /** Moves the position on. */
  next(): Item | undefined {
    const block = this.#blocks[this.#block];
    if (block === undefined) return undefined;
    if (++this.#index < block.length) return block[this.#index];
    this.#block++;
    this.#index = 0;
    return this.#blocks[this.#block]?.[0];
  }

  /** Moves the position back; in front of the first item it stays where it is. */
  previous(): Item | undefined {
    if (this.#index === 0) {
      const block = this.#blocks[this.#block - 1];
      if (block === undefined) return undefined;
      this.#block--;
      this.#index = block.length;
    }
    this.#index--;
    return this.#blocks[this.#block]?.[this.#index];
  }

  /** Appends an item that comes behind all others. */
  append(item: Item): void {
    const block = this.#blocks.at(-1);
    if (block === undefined || block.length >= blockItemsMax) this.#blocks.push([item]);
    else block.push(item);
    this.#size++;
  }

  /** Inserts an item whose key is not there yet. */
  insert(item: Item): void {
    const { last } = this;
    const key = this.keyOf(item);
    if (last === undefined || this.compare(last, key) < 0) {
      this.append(item);
      return;
    }
    this.seek(key);
    const block = this.#blocks[this.#block] as Item[];
    block.splice(this.#index, 0, item);
    this.#size++;
    if (block.length > blockItemsMax) {
      this.#blocks.splice(this.#block + 1, 0, block.splice(blockItemsMax >>> 1));
    }
  }

  /** Removes and returns the item with that key; the position is then at the one behind it. */
  remove(key: Key): Item | undefined {
    const item = this.get(key);
    if (item === undefined) return undefined;
    const block = this.#blocks[this.#block] as Item[];
    this.#size--;
    if (block.length === 1) {
      this.#blocks.splice(this.#block, 1);
      this.#index = 0;
      return item;
    }
    if (this.#index === 0) block.shift();
    else block.splice(this.#index, 1);
    if (this.#index === block.length) {
      this.#block++;
      this.#index = 0;
    }
    return item;
  }
}
