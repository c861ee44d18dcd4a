/**
 * Between the walk and a form: takes what the walk hands over and encodes it as time allows, large
 * collections in parts. What waits is a batch of the walk, and is still in the data set: whatever
 * of it changes in place meanwhile is copied first.
 */
import { EntryBatch } from "../store/entry-batch.js";
import { isNeutral, type SnapshotSink, type SnapshotValue } from "../store/snapshot-walk.js";
import { frozenCopy, type Value } from "../store/value.js";
import { CollectionParts } from "./collection-parts.js";
import type { SnapshotForm } from "./snapshot-form.js";

export class SnapshotEncoder implements SnapshotSink {
  readonly #form: SnapshotForm;
  readonly #waiting = new EntryBatch();
  readonly #databases: number[] = [];
  /** Index of the first entry that waits. */
  #head = 0;
  #open: CollectionParts | undefined;

  constructor(form: SnapshotForm) {
    this.#form = form;
  }

  /** Nothing waits: the walk may go on. */
  get idle(): boolean {
    return this.#open === undefined && this.#head === this.#waiting.length;
  }

  entry(database: number, key: string, value: SnapshotValue, expireAt: number, meta: number): void {
    this.#waiting.push(key, value, expireAt, meta);
    this.#databases.push(database);
  }

  changing(value: Value): void {
    this.#open?.freeze(value);
    const { values } = this.#waiting;
    for (let at = this.#head; at < values.length; at += 1) {
      if (values[at] !== value || typeof value !== "object") continue;
      values[at] = value.type === "string" ? value.share() : frozenCopy(value);
    }
  }

  /** Encodes until nothing waits or the time is over; at least one entry or part. */
  encode(outOfTime: () => boolean): void {
    while (!this.idle) {
      if (this.#open === undefined) this.#encodeNext();
      else this.#encodePart(this.#open);
      if (outOfTime()) break;
    }
    if (this.idle) this.clear();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear();
    this.#databases.length = 0;
    this.#head = 0;
    this.#open = undefined;
  }

  #encodeNext(): void {
    const at = this.#head;
    this.#head += 1;
    const { expireAts, keys, metas, values } = this.#waiting;
    const database = this.#databases[at] as number;
    const key = keys[at] as string;
    const value = values[at] as SnapshotValue;
    const expireAt = expireAts[at] as number;
    const meta = metas[at] as number;
    if (typeof value === "object" && !isNeutral(value)) {
      const parts = CollectionParts.of(value);
      if (parts !== undefined) {
        const { count, type } = parts;
        this.#form.beginParts({ database, key, type, count, expireAt, meta });
        this.#open = parts;
        return;
      }
    }
    this.#form.entry(database, key, value, expireAt, meta);
  }

  #encodePart(parts: CollectionParts): void {
    this.#form.part(parts.next());
    if (!parts.done) return;
    this.#form.endParts();
    this.#open = undefined;
  }
}
