/**
 * What the core asks its driver to do, in order. `persist` always precedes the sends of the same
 * step, because peers may rely on what they are told only if it survives a power loss (one vote
 * per epoch, a new config epoch).
 */

import type { BusMessage, Millis, NodeId } from "../message.js";

export type LinkId = number & { readonly brand: "LinkId" };

export type BusLogLevel = "debug" | "verbose" | "notice" | "warning";

export type BusEffect =
  /** Write `core.nodesConf()`. With `fsync`, it must be durable before the next effect runs. */
  | { readonly kind: "persist"; readonly fsync: boolean }
  | { readonly kind: "send"; readonly links: readonly LinkId[]; readonly message: BusMessage }
  | {
      readonly kind: "connect";
      readonly link: LinkId;
      readonly host: string;
      readonly port: number;
    }
  /** No `link-closed` input follows it. */
  | { readonly kind: "disconnect"; readonly link: LinkId }
  /** Owner or state of these slots changed, as seen from here. */
  | { readonly kind: "slots-changed"; readonly slots: readonly number[] }
  /** These slots went to another node while keys were in them here: delete the keys. */
  | { readonly kind: "delete-slot-keys"; readonly slots: readonly number[] }
  | { readonly kind: "role-changed"; readonly role: LocalRole }
  | { readonly kind: "state-changed"; readonly ok: boolean }
  /** Writes may be taken until then, by the core's clock; see `writableUntil`. */
  | { readonly kind: "lease-changed"; readonly until: Millis }
  /** Not for subscribers here that a local PUBLISH reached already: only ever from a peer. */
  | {
      readonly kind: "publish";
      readonly sharded: boolean;
      readonly channel: Uint8Array;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "pause-writes"; readonly until: Millis }
  | { readonly kind: "unpause-writes" }
  /** CLUSTER RESET of a replica: its data set goes. */
  | { readonly kind: "flush-data" }
  | { readonly kind: "log"; readonly level: BusLogLevel; readonly text: string };

export type LocalRole =
  | { readonly kind: "primary" }
  | {
      readonly kind: "replica";
      readonly primaryId: NodeId;
      readonly host: string;
      readonly port: number;
    };
