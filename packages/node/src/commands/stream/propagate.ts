/**
 * What readers of groups leave in the log: not their own words, whose effect depends on the time
 * and on what there was to read, but what came of them.
 */
import type { CommandContext } from "../../dispatch/context.js";
import type { PendingEntry, StreamGroup } from "../../store/types/stream-group.js";
import { idText } from "../../store/types/stream-id.js";

/** The entry is pending as it is now. Forced, and without the entry, so that it can be repeated. */
export function logClaim(
  context: CommandContext,
  key: string,
  { group, entry }: { readonly group: StreamGroup; readonly entry: PendingEntry },
  id: string = idText(entry),
): void {
  if (!context.node.stream.active) return;
  context.propagateAlso([
    "XCLAIM",
    key,
    group.name,
    entry.consumer.name,
    "0",
    id,
    "TIME",
    String(entry.deliveredAt),
    "RETRYCOUNT",
    String(entry.deliveryCount),
    "FORCE",
    "JUSTID",
    "LASTID",
    idText(group.lastId),
  ]);
}

/** Where a group has read to, if no claim tells it. */
export function logGroupId(context: CommandContext, key: string, group: StreamGroup): void {
  if (!context.node.stream.active) return;
  context.propagateAlso([
    "XGROUP",
    "SETID",
    key,
    group.name,
    idText(group.lastId),
    "ENTRIESREAD",
    String(group.entriesRead),
  ]);
}

/**
 * A consumer that came to be and has nothing pending, so that no claim tells of it. Redis logs it
 * only for NOACK: there a replica, and the node itself after a restart, lack the others.
 */
export function logConsumer(
  context: CommandContext,
  key: string,
  { group, consumer }: { readonly group: string; readonly consumer: string },
): void {
  if (!context.node.stream.active) return;
  context.propagateAlso(["XGROUP", "CREATECONSUMER", key, group, consumer]);
}
