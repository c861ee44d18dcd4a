/**
 * Which replication history this node is in, and how far: the replication id, the id it had before
 * (valid up to an offset), the offset, and the backlog. Everything that changes an id is a method
 * here, because a wrong continuation is silent corruption. It sends nothing.
 */

import { assert } from "./assert.js";
import { Backlog } from "./backlog.js";

/** Forty hexadecimal digits. */
export type ReplicationId = string;

export const noReplicationId: ReplicationId = "0".repeat(40);

/** Where a data set stands in a history, as files record it. */
export interface HistoryPosition {
  readonly id: ReplicationId;
  readonly offset: number;
}

export type Continuation =
  | { readonly possible: true }
  | { readonly possible: false; readonly reason: "unknown-id" | "beyond-second-id" | "no-backlog" };

export class ReplicationHistory {
  readonly #newId: () => ReplicationId;
  #id: ReplicationId;
  #secondId: ReplicationId = noReplicationId;
  /** First offset for which the second id is not valid; -1 without one. */
  #secondOffset = -1;
  #offset = 0;
  #backlog: Backlog | undefined;

  /** `newId` makes forty random hexadecimal digits. */
  constructor(newId: () => ReplicationId) {
    this.#newId = newId;
    this.#id = newId();
  }

  get id(): ReplicationId {
    return this.#id;
  }

  get secondId(): ReplicationId {
    return this.#secondId;
  }

  get secondOffset(): number {
    return this.#secondOffset;
  }

  /** Bytes of the history that are part of our data set. */
  get offset(): number {
    return this.#offset;
  }

  get backlog(): Backlog | undefined {
    return this.#backlog;
  }

  /** Appends to the stream. Without a backlog nobody can ask for it, and nothing is counted. */
  append(bytes: Uint8Array, start: number, end: number): void {
    if (this.#backlog === undefined) return;
    this.#backlog.append(bytes, start, end);
    this.#offset += end - start;
  }

  /**
   * A backlog from here on. Writes before it were not counted, so a history that others may know
   * cannot go on: it gets a new id, unless `keepId` says that nothing was written uncounted.
   */
  openBacklog(bytesMax: number, keepId: boolean): void {
    if (this.#backlog !== undefined) return;
    if (!keepId) this.#forget();
    this.#backlog = new Backlog(this.#offset + 1, bytesMax);
  }

  /** Frees the backlog; writes are not counted any more, so the history ends. */
  closeBacklog(): void {
    this.#forget();
    this.#backlog = undefined;
  }

  /** Whether a replica that has all bytes before `offset` of history `id` can go on with us. */
  continuation(id: string, offset: number): Continuation {
    const asked = id.toLowerCase();
    if (asked !== this.#id) {
      if (asked !== this.#secondId || this.#secondOffset === -1) {
        return { possible: false, reason: "unknown-id" };
      }
      if (offset > this.#secondOffset) return { possible: false, reason: "beyond-second-id" };
    }
    if (this.#backlog === undefined || !this.#backlog.holds(offset)) {
      return { possible: false, reason: "no-backlog" };
    }
    return { possible: true };
  }

  /**
   * We stop following and write a history of our own. The one so far becomes the second, valid up
   * to the next byte: who has all we have may ask for the byte after it.
   */
  branch(): void {
    this.#secondId = this.#id;
    this.#secondOffset = this.#offset + 1;
    this.#id = this.#newId();
  }

  /** DEBUG CHANGE-REPL-ID: a history that nobody can continue. */
  changeId(): void {
    this.#id = this.#newId();
    this.#secondId = noReplicationId;
    this.#secondOffset = -1;
  }

  /**
   * Data loaded from disk stand at `position`, and we start as a primary: a new id always, since
   * what others saw after that offset may differ from what we will write.
   */
  restartAfter(position: HistoryPosition): void {
    this.#id = position.id;
    this.#offset = position.offset;
    this.#backlog = undefined;
    this.branch();
  }

  /** Data loaded from disk stand at `position`, and we start as a replica that wants to go on. */
  resumeAt(position: HistoryPosition): void {
    this.#id = position.id;
    this.#offset = position.offset;
    this.#secondId = noReplicationId;
    this.#secondOffset = -1;
    this.#backlog = undefined;
  }

  /**
   * A full synchronisation is done: the primary's history is ours, and nothing before it counts.
   */
  adopt(position: HistoryPosition, backlogBytes: number): void {
    this.#id = position.id;
    this.#offset = position.offset;
    this.#secondId = noReplicationId;
    this.#secondOffset = -1;
    this.#backlog = new Backlog(position.offset + 1, backlogBytes);
  }

  /** As `adopt`, from a primary that does not name its history: nobody can go on from there. */
  adoptUnnamed(backlogBytes: number): void {
    this.adopt({ id: this.#newId(), offset: 0 }, backlogBytes);
  }

  /** Our primary lets us go on, under the id `id`. True if that is a new one. */
  followUnder(id: ReplicationId, backlogBytes: number): boolean {
    assert(id.length === 40, "a replication id has forty digits");
    this.#backlog ??= new Backlog(this.#offset + 1, backlogBytes);
    if (id === this.#id) return false;
    this.#secondId = this.#id;
    this.#secondOffset = this.#offset + 1;
    this.#id = id;
    return true;
  }

  #forget(): void {
    this.#id = this.#newId();
    this.#secondId = noReplicationId;
    this.#secondOffset = -1;
  }
}
