/**
 * A large collection read in parts, while it goes on changing: before its first change it is
 * copied, and the rest is read from the copy. That is cheap, since both share what neither changes;
 * and one that does not change meanwhile is never copied.
 */
import type { RdbCollection } from "../rdb/values.js";
import { type Element, neutralBytes } from "../store/types/element.js";
import { HashValue } from "../store/types/hash.js";
import { ListValue } from "../store/types/list.js";
import { SetValue } from "../store/types/set.js";
import { StreamValue } from "../store/types/stream.js";
import type { StreamId } from "../store/types/stream-id.js";
import { countLiveNodes, streamPart } from "../store/types/stream-neutral.js";
import { ZsetValue } from "../store/types/zset.js";
import { frozenCopy, type Value } from "../store/value.js";

type Readable = HashValue | ListValue | SetValue | StreamValue | ZsetValue;

/** Elements of a part: some 50 microseconds of encoding, a fraction of a slice. */
export const partElements = 512;

/** Collections of fewer elements are written whole: they take no longer than a part or two. */
const partedFrom = 2 * partElements;

export class CollectionParts {
  readonly type: RdbCollection["type"];
  /** Elements; nodes of a stream. */
  readonly count: number;
  #value: Readable;
  #cursor = 0;
  /** Where the next part of a stream goes on: the first id of the last node. */
  #lastNode: StreamId | undefined;
  #done = false;

  private constructor(value: Readable) {
    this.#value = value;
    this.type = value.type;
    this.count = value instanceof StreamValue ? countLiveNodes(value) : value.length;
  }

  /** `undefined` for a value that is small. */
  static of(value: unknown): CollectionParts | undefined {
    const isReadable =
      value instanceof HashValue ||
      value instanceof ListValue ||
      value instanceof SetValue ||
      value instanceof StreamValue ||
      value instanceof ZsetValue;
    return isReadable && value.length >= partedFrom ? new CollectionParts(value) : undefined;
  }

  get done(): boolean {
    return this.#done;
  }

  /** That value is going to change in place. */
  freeze(value: Value): void {
    if (value === this.#value) this.#value = frozenCopy(this.#value) as Readable;
  }

  /** The next elements, at least one. */
  next(): RdbCollection {
    const value = this.#value;
    if (value instanceof StreamValue) {
      const { part, last, done } = streamPart(value, this.#lastNode, partElements);
      this.#lastNode = last;
      this.#done = done;
      return part;
    }
    const elements: Element[] = [];
    if (value instanceof ListValue) {
      const count = Math.min(partElements, this.count - this.#cursor);
      value.range(this.#cursor, count, elements);
      this.#moveTo(this.#cursor + count, this.#cursor + count === this.count);
      return { type: "list", items: elements.map(neutralBytes) };
    }
    if (value instanceof ZsetValue) {
      const members: string[] = [];
      const scores: number[] = [];
      const next = value.scan(this.#cursor, partElements, members, scores);
      this.#moveTo(next, next === 0);
      return { type: "zset", members: members.map(neutralBytes), scores };
    }
    const next = value.scan(this.#cursor, partElements, elements);
    this.#moveTo(next, next === 0);
    const bytes = elements.map(neutralBytes);
    return value instanceof HashValue
      ? { type: "hash", pairs: bytes }
      : { type: "set", members: bytes };
  }

  #moveTo(cursor: number, done: boolean): void {
    this.#cursor = cursor;
    this.#done = done;
  }
}
