/**
 * The sorted set: members with scores, in order. A small one is a single sorted leaf, searched from
 * its start, as Redis' listpack, and packed into one string while it rests (`packing.ts`); a large
 * one has a counted B+ tree (`zset-order.ts`) and a hash table from member to score
 * (`byte-table.ts`). The conversion is one way.
 *
 * It does not know keys or replies. A sorted set that has become empty must be deleted by its user.
 */
import type { Bytes, RdbZset } from "../../rdb/values.js";
import type { CollectionValue } from "../value.js";
import type { BlockHolder } from "./block-memory.js";
import { ByteTable } from "./byte-table.js";
import { neutralBytes, textOfBytes } from "./element.js";
import type { CollectionEnvironment } from "./environment.js";
import { averageBytes } from "./memory.js";
import { type Packable, packedBytes } from "./packing.js";
import type { Leaf, ZsetRange } from "./zset-leaf.js";
import { type ZsetCursor, ZsetOrder } from "./zset-order.js";

/** The value itself: V8's header and its fields. */
const objectBytes = 72;
const scoreBytes = 8;

/** What a large one has in blocks, which are all of the table's account. */
class LargeParts implements BlockHolder {
  readonly #table: ByteTable;
  readonly #order: ZsetOrder;

  constructor(table: ByteTable, order: ZsetOrder) {
    this.#table = table;
    this.#order = order;
  }

  get blockBytes(): number {
    return this.#table.blockBytes;
  }

  releasePiece(): boolean {
    return this.#order.releasePiece() || this.#table.releasePiece();
  }
}

export class ZsetValue implements CollectionValue, Packable {
  readonly type = "zset";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  /** `undefined` while packed. */
  #loose: ZsetOrder | undefined = undefined;
  #packed: string | undefined = undefined;
  /** Scores by member; `undefined` while the set is small. */
  #table: ByteTable | undefined = undefined;

  constructor(environment: CollectionEnvironment) {
    this.#environment = environment;
  }

  pack(): void {
    const leaf = this.#loose?.only;
    if (leaf === undefined || this.#table !== undefined) return;
    this.#packed = this.#environment.packing.packScored(leaf.members, leaf.scores);
    if (this.#packed !== undefined) this.#loose = undefined;
  }

  /** A set that is going to have so many members, the first of them so long (ZADD). */
  static expecting(
    environment: CollectionEnvironment,
    members: number,
    memberLength: number,
  ): ZsetValue {
    const zset = new ZsetValue(environment);
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = environment.limits;
    if (members > zsetMaxListpackEntries || memberLength > zsetMaxListpackValue) zset.#convert();
    return zset;
  }

  static fromNeutral(neutral: RdbZset, environment: CollectionEnvironment): ZsetValue {
    const { members, scores } = neutral;
    const zset = ZsetValue.expecting(environment, members.length, 0);
    for (let index = 0; index < members.length; index++) {
      // A forged DUMP may name a member twice; then the last score counts.
      zset.set(textOfBytes(members[index] as Bytes), scores[index] as number);
    }
    return zset;
  }

  get encoding(): string {
    return this.#table === undefined ? "listpack" : "skiplist";
  }

  get isSmall(): boolean {
    return this.#table === undefined;
  }

  get length(): number {
    if (this.#table !== undefined) return this.#table.size;
    if (this.#packed !== undefined) return this.#environment.packing.count(this.#packed);
    return this.#order.size;
  }

  /** The score, or `undefined` if there is no such member. */
  score(member: string): number | undefined {
    const table = this.#table;
    if (table !== undefined) {
      return table.number(member, this.#environment.hasher.hashOf(member));
    }
    if (this.#packed !== undefined) {
      return this.#environment.packing.scoreOf(this.#packed, member);
    }
    const { members, scores } = this.#leaf;
    const index = members.indexOf(member);
    return index < 0 ? undefined : scores[index];
  }

  /** Converts if so many members are going to be added, new or not. */
  prepare(members: number): void {
    if (this.#table === undefined && members > this.#environment.limits.zsetMaxListpackEntries) {
      this.#convert();
    }
  }

  /** Adds a member that is not there. */
  add(member: string, score: number): void {
    const { limits, hasher, packing } = this.#environment;
    if (
      this.#table === undefined &&
      (this.length + 1 > limits.zsetMaxListpackEntries ||
        member.length > limits.zsetMaxListpackValue)
    ) {
      this.#convert();
    }
    const table = this.#table;
    const packed = this.#packed;
    if (packing.isEdited(packed, member.length)) {
      this.#packed = packing.withScored(packed, compactScore(score), member);
    } else if (table === undefined) {
      this.#order.insert(compactScore(score), member);
    } else {
      table.set(member, hasher.hashOf(member), score);
      this.#order.insert(score, member);
    }
  }

  /** Gives a member that is there another score. */
  change(member: string, from: number, to: number): void {
    const { packing } = this.#environment;
    const table = this.#table;
    const packed = this.#packed;
    if (packing.isEdited(packed, member.length)) {
      const without = packing.withoutScored(packed, member);
      this.#packed = packing.withScored(without, compactScore(to), member);
    } else if (table === undefined) {
      this.#order.move(from, member, compactScore(to));
    } else {
      table.set(member, this.#environment.hasher.hashOf(member), to);
      this.#order.move(from, member, to);
    }
  }

  /** Adds a member or changes its score. */
  set(member: string, score: number): void {
    const before = this.score(member);
    if (before === undefined) this.add(member, score);
    else if (before !== score) this.change(member, before, score);
  }

  /** True if the member was there. */
  remove(member: string): boolean {
    const { packing } = this.#environment;
    const packed = this.#packed;
    if (packing.isEdited(packed, member.length)) {
      this.#packed = packing.withoutScored(packed, member);
      return packing.found;
    }
    const score = this.score(member);
    if (score === undefined) return false;
    this.#order.remove(score, member);
    this.#table?.delete(member, this.#environment.hasher.hashOf(member));
    return true;
  }

  /** Removes what `count` ranks from `start` on hold. */
  removeRanks(start: number, count: number): void {
    const { hasher } = this.#environment;
    for (let left = count; left > 0; left--) {
      const { member, score } = this.#order.at(start);
      this.#order.remove(score, member);
      this.#table?.delete(member, hasher.hashOf(member));
    }
  }

  /** The rank of a member whose score is known. */
  rank(member: string, score: number): number {
    if (this.#table === undefined) return this.#leaf.members.indexOf(member);
    return this.#order.rank(score, member);
  }

  /** The place of a rank, from 0; an invalid one if there is none. */
  at(rank: number): ZsetCursor {
    return this.#order.at(rank);
  }

  /** How many elements come before a range, or, with `whole`, before it or in it. */
  countBefore(range: ZsetRange, whole: boolean): number {
    return this.#order.countBefore(range, whole);
  }

  /** Leaves that rest, for tests. */
  get resting(): number {
    return this.#loose?.resting ?? 0;
  }

  /** Ranks of random members, each equally likely; they may come again. */
  randomRank(): number {
    return this.#environment.random.below(this.length);
  }

  /**
   * One step of a scan: appends members and scores to the arrays and returns the next cursor, 0 at
   * the end. A small set is returned whole, as Redis does.
   */
  scan(cursor: number, count: number, members: string[], scores: number[]): number {
    if (this.#table === undefined) {
      for (const member of this.#leaf.members) members.push(member);
      for (const score of this.#leaf.scores) scores.push(score);
      return 0;
    }
    const next = this.#table.collect(cursor, count, members, scores);
    return next < 0 ? 0 : next;
  }

  /** Takes the form for large sets, as SORT makes Redis do. */
  enlarge(): void {
    if (this.#table === undefined) this.#convert();
  }

  copy(): ZsetValue {
    const copy = new ZsetValue(this.#environment);
    copy.#packed = this.#packed;
    if (this.#table !== undefined) {
      const table = this.#table.copy();
      copy.#hold(table, this.#order.copy(table.account));
    } else if (this.#loose !== undefined) copy.#loosen(this.#loose.copy());
    return copy;
  }

  /** One that can be scanned and written, and has no order. */
  frozen(): ZsetValue {
    if (this.#table === undefined) return this.copy();
    const frozen = new ZsetValue(this.#environment);
    frozen.#table = this.#table.copy();
    this.#environment.blocks.releaseAfter(frozen, frozen.#table);
    return frozen;
  }

  toNeutral(): RdbZset {
    if (this.#table !== undefined && this.#loose === undefined) return this.#unordered(this.#table);
    if (this.#packed !== undefined) {
      const texts: string[] = [];
      const ordered: number[] = [];
      this.#environment.packing.unpackScored(this.#packed, texts, ordered);
      return { type: "zset", members: texts.map(neutralBytes), scores: ordered };
    }
    const members: Bytes[] = [];
    const scores: number[] = [];
    for (const cursor = this.#order.at(0); cursor.valid; cursor.next()) {
      members.push(neutralBytes(cursor.member));
      scores.push(cursor.score);
    }
    return { type: "zset", members, scores };
  }

  /** Of one that was frozen: RDB wants no order. */
  #unordered(table: ByteTable): RdbZset {
    const members: string[] = [];
    const scores: number[] = [];
    table.collect(0, table.size, members, scores);
    return { type: "zset", members: members.map(neutralBytes), scores };
  }

  memoryUsage(samples: number): number {
    if (this.#packed !== undefined) return objectBytes + packedBytes(0, this.#packed.length);
    const sample: string[] = [];
    const wanted = samples === 0 ? this.length : Math.min(samples, this.length);
    const cursor = this.#order.at(0);
    for (let left = wanted; left > 0; left--, cursor.next()) sample.push(cursor.member);
    if (this.#table === undefined) {
      const bytes = sample.reduce((sum, member) => sum + member.length, 0);
      const average = wanted === 0 ? 0 : bytes / wanted;
      return objectBytes + packedBytes(this.length, this.length * (average + scoreBytes));
    }
    return objectBytes + this.#table.memoryBytes + this.#order.bytes(averageBytes(sample, 1));
  }

  get #order(): ZsetOrder {
    if (this.#loose !== undefined) return this.#loose;
    const order = new ZsetOrder();
    if (this.#packed !== undefined) {
      (order.only as Leaf).fill(this.#packed, this.#environment.packing);
    }
    return this.#loosen(order);
  }

  #loosen(order: ZsetOrder): ZsetOrder {
    this.#loose = order;
    this.#packed = undefined;
    this.#environment.packing.admit(this);
    return order;
  }

  get #leaf(): Leaf {
    return this.#order.only as Leaf;
  }

  #convert(): void {
    const { blocks, hasher, packing } = this.#environment;
    const order = this.#order;
    packing.forget(this);
    const table = new ByteTable(true, blocks);
    for (const cursor = order.at(0); cursor.valid; cursor.next()) {
      table.set(cursor.member, hasher.hashOf(cursor.member), cursor.score);
    }
    order.grow(packing, table.account);
    this.#hold(table, order);
  }

  /** Their memory is to be freed when nobody has this sorted set any more. */
  #hold(table: ByteTable, order: ZsetOrder): void {
    const { blocks } = this.#environment;
    this.#table = table;
    this.#loose = order;
    blocks.releaseAfter(this, new LargeParts(table, order));
  }
}

/** Redis' listpack keeps integral scores as integers, and so knows no negative zero. */
function compactScore(score: number): number {
  return score === 0 ? 0 : score;
}
