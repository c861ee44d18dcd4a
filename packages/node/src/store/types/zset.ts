/**
 * The sorted set: members with scores, in order. A small one is a single sorted leaf, searched from
 * its start, as Redis' listpack; a large one has a counted B+ tree (`zset-order.ts`) and a hash
 * table from member to score (`key-table.ts`). The conversion is one way.
 *
 * It does not know keys or replies. A sorted set that has become empty must be deleted by its user.
 */
import type { Bytes, RdbZset } from "../../rdb/values.js";
import { EntryBatch } from "../entry-batch.js";
import { KeyTable } from "../key-table.js";
import type { CollectionValue } from "../value.js";
import { neutralBytes, textOfBytes } from "./element.js";
import type { CollectionEnvironment } from "./environment.js";
import { averageBytes } from "./memory.js";
import type { Leaf, ZsetRange } from "./zset-leaf.js";
import { type ZsetCursor, ZsetOrder } from "./zset-order.js";

export class ZsetValue implements CollectionValue {
  readonly type = "zset";
  memoryCharged = 0;
  readonly #environment: CollectionEnvironment;
  #order = new ZsetOrder();
  /** Scores by member; `undefined` while the set is small. */
  #table: KeyTable | undefined = undefined;

  constructor(environment: CollectionEnvironment) {
    this.#environment = environment;
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
    return this.#order.size;
  }

  /** The score, or `undefined` if there is no such member. */
  score(member: string): number | undefined {
    const table = this.#table;
    if (table !== undefined) {
      return table.get(member, this.#environment.hasher.hashOf(member)) as number | undefined;
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
    const { limits, hasher } = this.#environment;
    if (
      this.#table === undefined &&
      (this.length + 1 > limits.zsetMaxListpackEntries ||
        member.length > limits.zsetMaxListpackValue)
    ) {
      this.#convert();
    }
    const table = this.#table;
    if (table === undefined) {
      this.#order.insert(compactScore(score), member);
    } else {
      table.insert(member, hasher.hashOf(member), score, 0);
      this.#order.insert(score, member);
    }
  }

  /** Gives a member that is there another score. */
  change(member: string, from: number, to: number): void {
    const table = this.#table;
    if (table === undefined) {
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
    const batch = new EntryBatch();
    const next = this.#table.collect(cursor, count, batch);
    for (let index = 0; index < batch.length; index++) {
      members.push(batch.keys[index] as string);
      scores.push(batch.values[index] as number);
    }
    return next < 0 ? 0 : next;
  }

  /** Takes the form for large sets, as SORT makes Redis do. */
  enlarge(): void {
    if (this.#table === undefined) this.#convert();
  }

  copy(): ZsetValue {
    const copy = new ZsetValue(this.#environment);
    copy.#order = this.#order.copy();
    copy.#table = this.#table?.copy();
    return copy;
  }

  toNeutral(): RdbZset {
    const members: Bytes[] = [];
    const scores: number[] = [];
    for (const cursor = this.#order.at(0); cursor.valid; cursor.next()) {
      members.push(neutralBytes(cursor.member));
      scores.push(cursor.score);
    }
    return { type: "zset", members, scores };
  }

  memoryUsage(samples: number): number {
    const sample: string[] = [];
    const wanted = samples === 0 ? this.length : Math.min(samples, this.length);
    const cursor = this.#order.at(0);
    for (let left = wanted; left > 0; left--, cursor.next()) sample.push(cursor.member);
    const table = this.#table?.overheadBytes ?? 0;
    return 48 + table + this.#order.overheadBytes + averageBytes(sample, 1) * this.length;
  }

  get #leaf(): Leaf {
    return this.#order.only as Leaf;
  }

  #convert(): void {
    const { hasher, random } = this.#environment;
    // Any number does: tables with different ones split at different fills.
    const table = new KeyTable(random.below(16384));
    for (const cursor = this.#order.at(0); cursor.valid; cursor.next()) {
      table.insert(cursor.member, hasher.hashOf(cursor.member), cursor.score, 0);
    }
    this.#table = table;
    this.#order.grow();
  }
}

/** Redis' listpack keeps integral scores as integers, and so knows no negative zero. */
function compactScore(score: number): number {
  return score === 0 ? 0 : score;
}
