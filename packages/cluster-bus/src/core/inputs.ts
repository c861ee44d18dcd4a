/**
 * What reaches the core: time, links, messages, and the operator's commands; and the few questions
 * the core asks its node. The core reads no clock and rolls no dice of its own.
 */

import type { BusMessage, Millis } from "../message.js";
import type { LinkId } from "./effects.js";

export type BusInput =
  /** Every 100 ms. */
  | { readonly kind: "tick"; readonly now: Millis }
  /** A peer dialled us; `link` is from `core.nextLinkId()`. */
  | {
      readonly kind: "link-accepted";
      readonly now: Millis;
      readonly link: LinkId;
      readonly localAddress: string;
      readonly remoteAddress: string;
    }
  /** A dial that a `connect` effect asked for has succeeded. */
  | {
      readonly kind: "link-connected";
      readonly now: Millis;
      readonly link: LinkId;
      readonly localAddress: string;
      readonly remoteAddress: string;
    }
  /** The link is gone, or the dial failed. */
  | { readonly kind: "link-closed"; readonly now: Millis; readonly link: LinkId }
  | {
      readonly kind: "message";
      readonly now: Millis;
      readonly link: LinkId;
      readonly message: BusMessage;
    }
  /** A local client published; `sharded` goes to this shard only. */
  | {
      readonly kind: "publish";
      readonly now: Millis;
      readonly sharded: boolean;
      readonly channel: Uint8Array;
      readonly payload: Uint8Array;
    }
  /**
   * Something the core asks its host about may have changed (replication caught up, config set).
   */
  | { readonly kind: "host-changed"; readonly now: Millis };

/** Commands that change the cluster's configuration; each is answered at once. */
export type BusCommand =
  | { readonly kind: "meet"; readonly ip: string; readonly port: number; readonly busPort: number }
  /** Looks whether a node that we know is at this address now; no other is taken in. */
  | { readonly kind: "find"; readonly ip: string; readonly port: number; readonly busPort: number }
  /** Slots as the client gave them, in order: doubles are an error with the slot's number. */
  | { readonly kind: "add-slots"; readonly slots: readonly number[] }
  | { readonly kind: "delete-slots"; readonly slots: readonly number[] }
  | { readonly kind: "flush-slots" }
  | {
      readonly kind: "set-slot";
      readonly slot: number;
      readonly action: "migrating" | "importing" | "node";
      readonly node: string;
    }
  | { readonly kind: "set-slot-stable"; readonly slot: number }
  | { readonly kind: "replicate"; readonly node: string }
  | { readonly kind: "forget"; readonly node: string }
  | { readonly kind: "reset"; readonly hard: boolean }
  | { readonly kind: "failover"; readonly mode: "default" | "force" | "takeover" }
  | { readonly kind: "bump-epoch" }
  | { readonly kind: "set-config-epoch"; readonly epoch: number }
  | { readonly kind: "save-config" }
  | { readonly kind: "count-failure-reports"; readonly node: string };

export type CommandReply =
  | { readonly kind: "ok" }
  /** A simple string other than OK. */
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "integer"; readonly value: number }
  /** With its prefix, as it goes on the wire: `ERR …`. */
  | { readonly kind: "error"; readonly text: string };

/** What the core may ask about the node it belongs to. Answers are instantaneous. */
export interface BusHost {
  /** As primary: the end of our stream; as replica: how far we have processed our primary's. */
  replicationOffset(): number;
  /**
   * Milliseconds since we last heard from our primary, or, if the link to it is down, since it went
   * down. Only asked of replicas.
   */
  replicationDataAgeMs(): number;
  countKeysInSlot(slot: number): number;
  /** No key in any database. */
  isEmpty(): boolean;
}

export interface BusRandom {
  /** 0 to 2^32 - 1, uniformly. */
  uint32(): number;
  bytes(length: number): Uint8Array;
}
