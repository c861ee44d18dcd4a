/**
 * Consumer groups: how far a group has read, its consumers, and the entries that were delivered and
 * not acknowledged. A pending entry stands in its group's list and in that of the consumer that
 * owns it; whoever changes the one changes the other.
 */
import { OrderedBlocks } from "./ordered-blocks.js";
import { compareIds, type Long, type StreamId } from "./stream-id.js";

/** Entries read are not known: the group was set to an id in the middle of the stream. */
export const entriesReadUnknown = -1;

export class PendingEntry implements StreamId {
  readonly ms: Long;
  readonly seq: Long;
  /** Unix ms. */
  deliveredAt: number;
  deliveryCount: Long = 1;
  consumer: StreamConsumer;

  constructor(id: StreamId, consumer: StreamConsumer, deliveredAt: number) {
    this.ms = id.ms;
    this.seq = id.seq;
    this.consumer = consumer;
    this.deliveredAt = deliveredAt;
  }
}

export class PendingList extends OrderedBlocks<PendingEntry, StreamId> {
  protected compare(item: PendingEntry, key: StreamId): number {
    return compareIds(item, key);
  }

  protected keyOf(item: PendingEntry): StreamId {
    return item;
  }
}

/** In the order of their names' bytes, as Redis lists groups and consumers. */
export class NamedList<Item extends { readonly name: string }> extends OrderedBlocks<Item, string> {
  protected compare(item: Item, key: string): number {
    if (item.name === key) return 0;
    return item.name < key ? -1 : 1;
  }

  protected keyOf(item: Item): string {
    return item.name;
  }
}

export class StreamConsumer {
  readonly name: string;
  /** Unix ms of the last attempt to read or claim. */
  seenAt: number;
  /** Unix ms of the last one that got something, -1 if none did. */
  activeAt = -1;
  readonly pending = new PendingList();

  constructor(name: string, seenAt: number) {
    this.name = name;
    this.seenAt = seenAt;
  }
}

export class StreamGroup {
  readonly name: string;
  /** The last entry delivered. */
  lastId: StreamId;
  /** How many entries of the stream's history it read, or `entriesReadUnknown`. */
  entriesRead: Long;
  readonly pending = new PendingList();
  readonly consumers = new NamedList<StreamConsumer>();

  constructor(name: string, lastId: StreamId, entriesRead: Long) {
    this.name = name;
    this.lastId = lastId;
    this.entriesRead = entriesRead;
  }

  createConsumer(name: string, now: number): StreamConsumer {
    const consumer = new StreamConsumer(name, now);
    this.consumers.insert(consumer);
    return consumer;
  }

  /** Removes a consumer and all that it owns. */
  deleteConsumer(consumer: StreamConsumer): void {
    const { pending } = consumer;
    for (let entry = pending.seekFirst(); entry !== undefined; entry = pending.next()) {
      this.pending.remove(entry);
    }
    this.consumers.remove(consumer.name);
  }

  addPending(entry: PendingEntry): void {
    this.pending.insert(entry);
    entry.consumer.pending.insert(entry);
  }

  /** Acknowledges: false if nothing with that id is pending. */
  removePending(id: StreamId): boolean {
    const entry = this.pending.remove(id);
    entry?.consumer.pending.remove(entry);
    return entry !== undefined;
  }

  /** Gives a pending entry to another consumer of the group. */
  reassign(entry: PendingEntry, consumer: StreamConsumer): void {
    if (entry.consumer === consumer) return;
    entry.consumer.pending.remove(entry);
    entry.consumer = consumer;
    consumer.pending.insert(entry);
  }

  copy(): StreamGroup {
    const copy = new StreamGroup(this.name, this.lastId, this.entriesRead);
    for (let each = this.consumers.seekFirst(); each !== undefined; each = this.consumers.next()) {
      copy.createConsumer(each.name, each.seenAt).activeAt = each.activeAt;
    }
    for (let each = this.pending.seekFirst(); each !== undefined; each = this.pending.next()) {
      const consumer = copy.consumers.get(each.consumer.name) as StreamConsumer;
      const entry = new PendingEntry(each, consumer, each.deliveredAt);
      entry.deliveryCount = each.deliveryCount;
      copy.addPending(entry);
    }
    return copy;
  }
}
