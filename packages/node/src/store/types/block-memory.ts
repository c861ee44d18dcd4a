/**
 * Where large hashes, sets and sorted sets keep their bytes: in blocks of slabs (`slab-pages.ts`),
 * outside of V8's heap.
 *
 * Memory of their own per piece was garbage as soon as a piece grew or split, five times as much as
 * was added, and V8 collected for every 64 MB of it: once a second while a sorted set grew to 20
 * million members, with hundreds of thousands of buffers to look through, and clients waited for
 * each. In slabs nothing is left behind, what is freed serves at once, and V8 sees a thousand
 * buffers.
 *
 * In return somebody has to free. A value is an object that V8 may find to be garbage at any time
 * (a snapshot, a client's reply and a transaction may hold one whose key is long gone), so it is V8
 * that tells: what a dead value held is freed some pieces at a time.
 */
import { blockWords, SlabPages } from "../slab-pages.js";

/** A slab with more than this takes no new pieces: room for those in it to grow, up to 16 GiB. */
const SLAB_BYTES_MAX = 8 * 2 ** 30;
/** Pieces freed for each new one: a piece that splits makes two. */
const PIECES_PER_PIECE = 4;
/** Pieces freed per run of the cron: less than a millisecond. */
const PIECES_PER_RUN = 2000;

/** What has blocks and can free them. It must not know the value whose they are. */
export interface BlockHolder {
  /** Frees one piece; false if there is none left. */
  releasePiece(): boolean;
  /** Bytes of its blocks. */
  readonly blockBytes: number;
}

export class BlockMemory {
  readonly #slabs = [new SlabPages()];
  readonly #slabBytesMax: number;
  /** Those whose owner is dead. */
  readonly #condemned: BlockHolder[] = [];
  #condemnedBytes = 0;
  readonly #owners = new FinalizationRegistry<BlockHolder>((holder) => {
    this.#condemned.push(holder);
    this.#condemnedBytes += holder.blockBytes;
  });

  /** Tests have slabs that are full sooner. */
  constructor(slabBytesMax = SLAB_BYTES_MAX) {
    this.#slabBytesMax = slabBytesMax;
  }

  /** For a new piece, all of whose blocks come from there. */
  openSlab(): SlabPages {
    if (this.#condemned.length > 0) this.#release(PIECES_PER_PIECE);
    const last = this.#slabs.at(-1) as SlabPages;
    return last.capacityBytes <= this.#slabBytesMax ? last : this.#otherSlab();
  }

  /** Frees what `holder` has once nobody knows its owner any more. */
  releaseAfter(owner: object, holder: BlockHolder): void {
    this.#owners.register(owner, holder);
  }

  /** Goes on freeing; to be called now and then. */
  cron(): void {
    if (this.#condemned.length > 0) this.#release(PIECES_PER_RUN);
  }

  /** Bytes that V8 counts, and that no living collection has. */
  get idleBytes(): number {
    let bytes = this.#condemnedBytes;
    for (const slab of this.#slabs) bytes += slab.capacityBytes - 4 * slab.liveWords;
    return bytes;
  }

  #release(pieces: number): void {
    for (let left = pieces; left > 0; left--) {
      const holder = this.#condemned.at(-1);
      if (holder === undefined) break;
      const before = holder.blockBytes;
      const isMore = holder.releasePiece();
      this.#condemnedBytes -= before - (isMore ? holder.blockBytes : 0);
      if (!isMore) this.#condemned.pop();
    }
    // What two of them shared was counted with one, and freed with the other.
    if (this.#condemned.length === 0) this.#condemnedBytes = 0;
  }

  /** The one with the most room, if there is one with room. */
  #otherSlab(): SlabPages {
    const slabs = this.#slabs;
    slabs.sort((left, right) => right.liveWords - left.liveWords);
    if (4 * (slabs.at(-1) as SlabPages).liveWords > this.#slabBytesMax / 2) {
      slabs.push(new SlabPages());
    }
    return slabs.at(-1) as SlabPages;
  }
}

/** The blocks of one collection, counted. */
export class BlockAccount {
  readonly memory: BlockMemory;
  /** Of all its blocks, and what else its pieces add. */
  bytes = 0;

  constructor(memory: BlockMemory) {
    this.memory = memory;
  }

  /** A block of at least so many words; what is in it is undefined. */
  allocate(slab: SlabPages, words: number): number {
    this.bytes += 4 * blockWords(words);
    return slab.allocate(words);
  }

  /** Frees a block, which was asked for with so many words. */
  free(slab: SlabPages, block: number, words: number): void {
    this.bytes -= 4 * blockWords(words);
    slab.free(block, words);
  }
}
