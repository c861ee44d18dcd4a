/**
 * Keyspace notifications: which events `notify-keyspace-events` lets through, and their channels.
 */
import { KEYSPACE_EVENT_BITS } from "../config/special.js";
import type { EventClass } from "../dispatch/context.js";
import type { Client } from "../net/client.js";
import type { PubSubHub } from "./hub.js";

export interface KeyspaceEvent {
  readonly eventClass: EventClass;
  readonly event: string;
  readonly key: string;
  readonly database: number;
}

/** `flags` is the directive's value: the bits of `KEYSPACE_EVENT_BITS`. */
export function publishKeyspaceEvent(
  hub: PubSubHub,
  flags: number,
  { eventClass, event, key, database }: KeyspaceEvent,
  onDelivery?: (client: Client) => void,
): void {
  if ((flags & KEYSPACE_EVENT_BITS[eventClass]) === 0) return;
  if ((flags & KEYSPACE_EVENT_BITS.K) !== 0) {
    hub.publish(`__keyspace@${database}__:${key}`, event, onDelivery);
  }
  if ((flags & KEYSPACE_EVENT_BITS.E) !== 0) {
    hub.publish(`__keyevent@${database}__:${event}`, key, onDelivery);
  }
}
