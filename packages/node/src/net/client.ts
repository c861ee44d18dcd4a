/**
 * What a node knows of one client: who it is, what it chose, and where in a transaction it stands.
 *
 * It owns no socket. What is behind it (a TCP connection, the link to a primary, the AOF that is
 * being replayed, a script) is its `ClientLink`.
 */
import type { Argument, ReplySink } from "@slotlog/resp";
import type { User } from "../acl/user.js";
import type { Command } from "../commands/registry.js";
import type { Socket, SocketHandlers } from "../ports.js";
import { ReplicaPeer } from "../replication/replica-peer.js";
import type { ClientTracking } from "../tracking/client-tracking.js";
import type { Database } from "../store/database.js";

/** The far side of a client, as far as commands may act on it. */
export interface ClientLink extends ReplySink {
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Bytes of requests held that are not complete yet. */
  readonly queryBufferBytes: number;
  /** Argument bytes of a request that is not complete. Absent where there is no connection. */
  readonly argumentBytes?: number;
  /** Bytes of replies not taken by the kernel yet. */
  readonly outputBufferBytes: number;
  /** Chunks of replies that wait. */
  readonly outputChunks: number;
  /**
   * Sends what nobody asked for (messages, invalidations), behind the replies written so far. The
   * bytes must not change afterwards.
   */
  push(bytes: Buffer): void;
  /** Closes once everything written so far has left. */
  closeAfterReplies(): void;
  /** Closes at once. */
  closeNow(reason: string): void;
  /**
   * The connection stops being a client's: from now on its stream goes to `handlers`. Absent where
   * there is no connection.
   */
  takeOver?(handlers: SocketHandlers): { readonly socket: Socket; readonly rest: Buffer };
  /** Reads again what was held back while the client was blocked. */
  resume(): void;
  /** Processes a request that was deferred, then what came behind it. Absent as above. */
  runDeferred?(argv: readonly Argument[]): void;
}

/** Where the client's commands come from; decides what guards apply. */
export type ClientKind =
  /** A connection of somebody else. */
  | "normal"
  /** A connection that became the stream to a replica. */
  | "replica"
  /** The stream of our primary. */
  | "primary"
  /** The AOF while it is replayed. */
  | "loader";

export interface QueuedCommand {
  readonly command: Command;
  readonly argv: readonly string[];
}

export interface WatchedKey {
  readonly database: number;
  readonly key: string;
  /** It had already expired when it was watched, so its deletion is no change. */
  expired: boolean;
}

/** What `CLIENT REPLY` chose. */
export type ReplyMode = "on" | "off" | "skip-next" | "skip";

export interface BlockedState {
  /** What the client waits for, as `CLIENT LIST` and the metrics tell it. */
  readonly reason: "keys" | "wait" | "waitaof" | "pause" | "shutdown" | "loading" | "module";
  /** Ends the wait for a reason of its own: timeout, `CLIENT UNBLOCK`, the connection's end. */
  cancel(how: "timeout" | "error" | "closed"): void;
}

export class Client {
  readonly id: number;
  readonly kind: ClientKind;
  link: ClientLink;
  readonly createdAt: number;
  lastActiveAt: number;

  name = "";
  libraryName = "";
  libraryVersion = "";
  user = "default";
  /** What the user may do; `undefined` for our own streams, which may everything. */
  account: User | undefined;
  authenticated = false;
  protocol: 2 | 3 = 2;
  database: Database;

  /** Between MULTI and EXEC. */
  inTransaction = false;
  /** A queued command was refused: EXEC must fail. */
  transactionFailed = false;
  /** A watched key changed: EXEC must do nothing. */
  watchBroken = false;
  queue: QueuedCommand[] = [];
  queuedBytes = 0;
  /** Flags of all queued commands together. */
  queuedFlags = 0;
  /** Flags that some queued command lacks. */
  queuedMissingFlags = 0;
  watched: WatchedKey[] = [];

  /** The next command may touch a slot that is being imported. */
  asking = false;
  /** Reads may be served by this node as a replica. */
  readOnly = false;
  replyMode: ReplyMode = "on";
  noEvict = false;
  noTouch = false;
  monitor = false;
  /** The connection carries our stream to a replica. */
  isReplica = false;
  tracking: ClientTracking | undefined;
  closing = false;

  /** Subscriptions of all kinds; above 0 a RESP2 client may only manage them. */
  subscriptions = 0;
  channels: Set<string> | undefined;
  patterns: Set<string> | undefined;
  shardChannels: Set<string> | undefined;

  blocked: BlockedState | undefined;

  #replicaPeer: ReplicaPeer | undefined;

  lastCommand: Command | undefined;
  /** Log offset that must be released before the replies written so far may leave. */
  replyOffset = 0;
  /** Log offset behind the last change that a command of this client made; WAIT waits for it. */
  writeOffset = 0;

  constructor(options: {
    readonly id: number;
    readonly kind: ClientKind;
    readonly link: ClientLink;
    readonly now: number;
    readonly database: Database;
  }) {
    this.id = options.id;
    this.kind = options.kind;
    this.link = options.link;
    this.createdAt = options.now;
    this.lastActiveAt = options.now;
    this.database = options.database;
  }

  /** What it told of itself with REPLCONF. */
  get replicaPeer(): ReplicaPeer {
    this.#replicaPeer ??= new ReplicaPeer();
    return this.#replicaPeer;
  }

  resetTransaction(): void {
    this.inTransaction = false;
    this.transactionFailed = false;
    this.watchBroken = false;
    this.queue = [];
    this.queuedBytes = 0;
    this.queuedFlags = 0;
    this.queuedMissingFlags = 0;
  }
}
