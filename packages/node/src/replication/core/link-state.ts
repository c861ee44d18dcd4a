/**
 * The states of the two kinds of links and the ways between them; anything else is a bug and is
 * caught here. What ROLE and INFO call them is beside them.
 */

import { assert } from "./assert.js";

/** Our link to a primary, in the words of ROLE. */
export type PrimaryLinkState =
  | "connect"
  | "connecting"
  | "handshake"
  | "sync"
  | "connected"
  | "none";

const primaryLinkMoves: Readonly<Record<PrimaryLinkState, readonly PrimaryLinkState[]>> = {
  /** Not a replica; for good, since each primary gets a link of its own. */
  none: [],
  connect: ["connecting", "none"],
  connecting: ["handshake", "connect", "none"],
  handshake: ["sync", "connected", "connect", "none"],
  sync: ["connected", "connect", "none"],
  connected: ["connect", "none"],
};

export function movePrimaryLink(from: PrimaryLinkState, to: PrimaryLinkState): PrimaryLinkState {
  assert(primaryLinkMoves[from].includes(to), `link to the primary: ${from} -> ${to}`);
  return to;
}

/** A link to one of our replicas. */
export type ReplicaLinkState =
  /** Asked for a full synchronisation that has not begun. */
  | "waiting"
  /** Receives the data set. */
  | "receiving"
  /** Has received it, framed by an end mark, and has not confirmed: the stream must wait. */
  | "confirming"
  /** Receives the stream. */
  | "online"
  /** Wanted the data set only, and has it. */
  | "done"
  | "closed";

const replicaLinkMoves: Readonly<Record<ReplicaLinkState, readonly ReplicaLinkState[]>> = {
  waiting: ["receiving", "online", "closed"],
  receiving: ["confirming", "online", "done", "closed"],
  confirming: ["online", "closed"],
  online: ["closed"],
  done: ["closed"],
  closed: [],
};

export function moveReplicaLink(from: ReplicaLinkState, to: ReplicaLinkState): ReplicaLinkState {
  assert(replicaLinkMoves[from].includes(to), `link to a replica: ${from} -> ${to}`);
  return to;
}

/** As `INFO replication` calls it. */
export const replicaStateNames: Readonly<Record<ReplicaLinkState, string>> = {
  waiting: "wait_bgsave",
  receiving: "send_bulk",
  confirming: "online",
  online: "online",
  done: "rdb_transmitted",
  closed: "",
};
