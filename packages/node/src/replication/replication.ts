/**
 * Replication of one node: its history, who follows it, and whom it follows. The node gives it the
 * bytes of its log stream and the ends of its turns; REPLICAOF and failovers change its role here
 * and nowhere else.
 */

import type { Argument } from "@slotlog/resp";
import type { Clock, Log, Net, Random, Timer } from "../ports.js";
import { type HistoryPosition, ReplicationHistory } from "./core/history.js";
import { type PrimaryAddress, PrimaryLink, type PrimaryLinkOptions } from "./primary-link.js";
import { answerReplconf, type ReplconfAnswer, type ReplicaPeer } from "./replica-peer.js";
import { Replicas, type SyncRequest } from "./replicas.js";
import type { ReplicationHost } from "./settings.js";

export interface ReplicationOptions {
  readonly host: ReplicationHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  readonly log: Log;
}

export class Replication {
  readonly history: ReplicationHistory;
  readonly replicas: Replicas;
  /** A manual failover compares offsets: no PING may move ours. */
  pingsPaused = false;
  /** FAILOVER hands our role to a replica: nobody may sync with us meanwhile. */
  failingOver = false;
  readonly #options: ReplicationOptions;
  #primary: PrimaryLink | undefined;
  /** True if our data are exactly those of the history at its offset. */
  #dataMatchHistory = true;
  #streamDatabase = 0;
  #timer: Timer | undefined;

  constructor(options: ReplicationOptions) {
    const newId = (): string => Buffer.from(options.random.bytes(20)).toString("hex");
    this.#options = options;
    this.history = new ReplicationHistory(newId);
    this.replicas = new Replicas({
      host: options.host,
      history: this.history,
      clock: options.clock,
      log: options.log,
      newId,
      ownsStream: () => this.#primary === undefined,
      streamDatabase: () => this.#primary?.streamDatabase ?? 0,
    });
  }

  /** Begins the work that is due every second. */
  start(): void {
    this.#timer ??= this.#options.clock.every(1000, () => this.everySecond());
    if (this.#options.host.settings.keepsBacklog) this.countAlways();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#primary?.stop();
    this.replicas.closeAll("the node stops");
  }

  get isReplica(): boolean {
    return this.#primary !== undefined;
  }

  get primary(): PrimaryLink | undefined {
    return this.#primary;
  }

  /** The database that the stream of our primary has selected; 0 as a primary. */
  get streamDatabase(): number {
    return this.#primary?.streamDatabase ?? this.#streamDatabase;
  }

  /** Loaded from disk before any role was taken: as a primary, or to go on as a replica. */
  restore(
    loaded: (HistoryPosition & { readonly streamDatabase: number }) | undefined,
    role: "primary" | "replica",
  ): void {
    if (loaded === undefined) {
      // What was loaded has no place in a history: a replica of it must ask for everything.
      this.#dataMatchHistory = role === "primary";
      return;
    }
    if (role === "primary") this.history.restartAfter(loaded);
    else this.history.resumeAt(loaded);
    this.#streamDatabase = loaded.streamDatabase;
  }

  /**
   * REPLICAOF host port. Following the same primary already changes nothing. `onTakeover` makes it
   * a failover: it is a replica of ours that shall become the primary.
   */
  follow(address: PrimaryAddress, onTakeover?: PrimaryLinkOptions["onTakeover"]): void {
    const now = this.#primary?.address;
    if (now?.host === address.host && now.port === address.port) return;
    const { host, clock, net, log } = this.#options;
    this.#streamDatabase = this.streamDatabase;
    this.#primary?.stop();
    // Writes of ours that were not counted make our offset a lie.
    const counted = this.history.backlog !== undefined || this.history.offset > 0;
    this.#primary = new PrimaryLink({
      address,
      ...(onTakeover === undefined ? {} : { onTakeover }),
      host,
      history: this.history,
      clock,
      net,
      log,
      canContinue: this.#dataMatchHistory && counted,
      streamDatabase: this.#streamDatabase,
      onHistoryReplaced: (reason) => this.replicas.closeAll(reason),
    });
    this.#primary.start();
    host.onRoleChanged(address);
  }

  /** REPLICAOF NO ONE, or won an election: a history of our own begins here. */
  unfollow(): void {
    const primary = this.#primary;
    if (primary === undefined) return;
    this.#streamDatabase = 0;
    this.#primary = undefined;
    primary.stop();
    this.history.branch();
    this.#dataMatchHistory = true;
    this.replicas.closeAll("the replication id has changed");
    this.#options.host.forgetStreamDatabase();
    this.#options.host.onHistoryChanged();
    this.#options.host.onRoleChanged(undefined);
  }

  /** Counts the stream from now on, whether or not somebody follows: an AOF records offsets. */
  openBacklog(): void {
    this.history.openBacklog(this.#options.host.settings.backlogBytes, true);
  }

  /** As `openBacklog`, once data are loaded; what was written so far was not counted. */
  countAlways(): void {
    const { host } = this.#options;
    const isLoading = this.#timer === undefined;
    if (isLoading || this.#primary !== undefined || this.history.backlog !== undefined) return;
    this.history.openBacklog(host.settings.backlogBytes, false);
    host.onHistoryChanged();
  }

  /** A part of our log stream; ignored while the stream is our primary's. */
  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.#primary === undefined) this.replicas.append(bytes, start, end);
  }

  /** The end of a turn, after `append`. */
  endTurn(): void {
    this.replicas.endTurn();
  }

  /** Our disk has got further. */
  onDurable(): void {
    this.#primary?.onDurable();
  }

  everySecond(): void {
    this.#primary?.everySecond();
    this.replicas.everySecond(this.pingsPaused);
  }

  /** REPLCONF from a client that is no replica (yet). */
  replconf(peer: ReplicaPeer, argv: readonly Argument[]): ReplconfAnswer {
    return answerReplconf(peer, argv, {
      acknowledge: () => {},
      sendAck: () => this.#primary?.sendAck(),
    });
  }

  /** PSYNC or SYNC: grants it, or returns the text of the error reply. */
  sync(request: SyncRequest): string | undefined {
    const failover = String(request.argv[3] ?? "").toLowerCase() === "failover";
    if (failover) {
      if (this.#primary === undefined) return "ERR PSYNC FAILOVER can't be sent to a master.";
      if (String(request.argv[1]).toLowerCase() !== this.history.id) {
        return "ERR PSYNC FAILOVER replid must match my replid.";
      }
      this.unfollow();
    }
    if (this.failingOver) return "NOMASTERLINK Can't SYNC while failing over";
    if (this.#primary !== undefined && !this.#primary.isUp) {
      return "NOMASTERLINK Can't SYNC while not connected with my master";
    }
    return this.replicas.sync(request);
  }
}
