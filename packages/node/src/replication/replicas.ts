/**
 * The primary's side of replication: who follows us, and serving them. It accepts PSYNC and SYNC,
 * continues or begins a full synchronisation, sends the stream at the end of each turn, pings, and
 * closes what is too slow or silent. A replica with replicas of its own uses it in the same way; it
 * only never adds to the stream.
 */

import { type Argument, encodeCommand, replyErrors } from "@slotlog/resp";
import type { Clock, Log, Socket, SocketHandlers } from "../ports.js";
import type { ReplicationHistory } from "./core/history.js";
import { FullSync } from "./full-sync.js";
import { ReplicaLink, type ReplicaLinkHost } from "./replica-link.js";
import type { ReplicaPeer } from "./replica-peer.js";
import type { ReplicationHost, ReplicationSettings } from "./settings.js";

const ping = encodeCommand(["PING"]);
const getAck = encodeCommand(["REPLCONF", "GETACK", "*"]);
const lineFeed = Buffer.from("\n", "latin1");

export interface SyncRequest {
  /** PSYNC with its arguments, or SYNC. */
  readonly argv: readonly Argument[];
  readonly peer: ReplicaPeer;
  /** Replies were written to this client that have not left. */
  readonly hasPendingOutput: boolean;
  /** Called if the request is granted: from then on the connection is ours. */
  takeOver(handlers: SocketHandlers): { readonly socket: Socket; readonly rest: Buffer };
}

export interface ReplicasOptions {
  readonly host: ReplicationHost;
  readonly history: ReplicationHistory;
  readonly clock: Clock;
  readonly log: Log;
  /** Forty random hexadecimal digits. */
  readonly newId: () => string;
  /** False while we are a replica ourselves: the stream is then our primary's. */
  readonly ownsStream: () => boolean;
  /** The database that our primary's stream has selected where our history ends; 0 in our own. */
  readonly streamDatabase: () => number;
}

export interface ReplicationCounters {
  fullSyncs: number;
  partialSyncs: number;
  partialSyncsRefused: number;
}

export class Replicas implements ReplicaLinkHost {
  readonly counters: ReplicationCounters = {
    fullSyncs: 0,
    partialSyncs: 0,
    partialSyncsRefused: 0,
  };
  readonly #options: ReplicasOptions;
  readonly #history: ReplicationHistory;
  readonly #links = new Set<ReplicaLink>();
  #fullSync: FullSync | undefined;
  /** When the replicas that wait may be served: they wait for each other. */
  #fullSyncAt = 0;
  #acksWanted = false;
  #pingDue = false;
  #seconds = 0;
  #noReplicasSince: number;
  /** The log tells once of replicas that keep silent about their disks. */
  #saidSilent = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#history = options.history;
    this.#noReplicasSince = options.clock.monotonic();
  }

  get settings(): ReplicationSettings {
    return this.#options.host.settings;
  }

  now(): number {
    return this.#options.clock.monotonic();
  }

  /** In the order they came. */
  get links(): Iterable<ReplicaLink> {
    return this.#links;
  }

  get count(): number {
    return this.#links.size;
  }

  /** Grants PSYNC or SYNC, or returns the text of the error reply. */
  sync(request: SyncRequest): string | undefined {
    const { argv, peer } = request;
    const isOld = String(argv[0]).toLowerCase() === "sync";
    if (request.hasPendingOutput) return "ERR SYNC and PSYNC are invalid with pending output";
    if ((!peer.wantsKeys || !peer.wantsFunctions) && !peer.canReadMark) {
      return "ERR Filtered replica requires EOF capability";
    }
    const id = String(argv[1]);
    const offset = Number(argv[2]);
    if (!isOld && !Number.isSafeInteger(offset)) return replyErrors.notAnInteger;
    const link = new ReplicaLink(this, peer, { isOld });
    this.#links.add(link);
    const taken = request.takeOver(link);
    link.start(taken.socket, taken.rest);
    this.#options.log.notice("replica asks for synchronization", { replica: link.name });
    if (!isOld && this.#continue(link, id, offset)) return undefined;
    this.#waitForFullSync(link);
    return undefined;
  }

  #continue(link: ReplicaLink, id: string, offset: number): boolean {
    const backlog = this.#history.backlog;
    const continuation = this.#history.continuation(id, offset);
    if (!continuation.possible || backlog === undefined) {
      if (id !== "?") {
        this.counters.partialSyncsRefused++;
        const reason = continuation.possible ? "no-backlog" : continuation.reason;
        this.#options.log.notice("partial resynchronization refused", {
          replica: link.name,
          reason,
          asked: `${id} ${offset}`,
        });
      }
      return false;
    }
    this.counters.partialSyncs++;
    link.positionAt(offset);
    link.become("online");
    link.sendText(link.peer.canChangeId ? `+CONTINUE ${this.#history.id}\r\n` : "+CONTINUE\r\n");
    this.#options.log.notice("partial resynchronization accepted", {
      replica: link.name,
      bytes: backlog.nextOffset - offset,
    });
    link.flush(backlog);
    this.#options.host.onReplicasChanged();
    return true;
  }

  #waitForFullSync(link: ReplicaLink): void {
    this.counters.fullSyncs++;
    if (this.#history.backlog === undefined) {
      this.#history.openBacklog(this.settings.backlogBytes, false);
      this.#options.host.onHistoryChanged();
    }
    const first = [...this.#links].every((other) => other === link || other.state !== "waiting");
    const delayMs = link.peer.canReadMark ? this.settings.fullSyncDelaySeconds * 1000 : 0;
    if (first) this.#fullSyncAt = this.now() + delayMs;
    this.#options.host.scheduleTurn();
  }

  /** A record's bytes for everybody who follows; a primary's log stream, turn by turn. */
  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#history.append(bytes, start, end);
  }

  /** The end of a turn: all that was executed has been appended. */
  endTurn(): void {
    if (this.#options.ownsStream()) {
      if (this.#pingDue) this.append(ping);
      if (this.#acksWanted) this.append(getAck);
    }
    this.#pingDue = false;
    this.#acksWanted = false;
    this.#startFullSync();
    this.#flushAll();
  }

  /** Asks all replicas for their offsets at the end of this turn: somebody waits for them. */
  requestAcks(): void {
    if (!this.#options.ownsStream() || this.#links.size === 0) return;
    this.#acksWanted = true;
    this.#options.host.scheduleTurn();
  }

  /** How many replicas have confirmed `offset`. */
  countAcknowledged(offset: number): number {
    let count = 0;
    for (const link of this.#links) {
      if (link.state === "online" && link.acknowledgedOffset >= offset) count++;
    }
    return count;
  }

  /** How many replicas have `offset` on disk. */
  countDurable(offset: number): number {
    let count = 0;
    for (const link of this.#links) {
      if (link.state === "online" && link.durableOffset >= offset) count++;
    }
    return count;
  }

  /** The offset that so many replicas have, or have on disk; -1 if there are not so many. */
  offsetOf(count: number, durably: boolean): number {
    const offsets: number[] = [];
    for (const link of this.#links) {
      if (link.state !== "online") continue;
      const offset = durably ? link.durableOffset : link.acknowledgedOffset;
      // Nobody has what was not written: such an offset says nothing.
      if (offset <= this.#history.offset) offsets.push(offset);
    }
    if (offsets.length < count) return -1;
    return offsets.sort((left, right) => right - left)[count - 1] as number;
  }

  /** Replicas that are online and confirmed something within `lagSeconds`. */
  countGood(lagSeconds: number): number {
    let count = 0;
    for (const link of this.#links) {
      const lagMs = this.now() - link.acknowledgedAt;
      if (link.state === "online" && lagMs <= lagSeconds * 1000) count++;
    }
    return count;
  }

  /** They will come back and learn of what has changed, most of them without a full one. */
  closeAll(reason: string): void {
    for (const link of this.#links) link.close(reason);
  }

  /** Once a second. `pingsPaused`: a manual failover compares offsets, which a PING would move. */
  everySecond(pingsPaused: boolean): void {
    const period = Math.max(1, this.settings.pingPeriodSeconds);
    const online = this.#links.size > 0 && this.#options.ownsStream();
    if (this.#seconds % period === 0 && online && !pingsPaused) this.#pingDue = true;
    this.#seconds++;
    this.#fullSync?.everySecond();
    const endOffset = this.#history.backlog?.nextOffset ?? 0;
    for (const link of this.#links) {
      if (link.state === "waiting") link.send(lineFeed);
      const reason = link.overdue(endOffset);
      if (reason !== undefined) link.close(reason);
    }
    this.#expireBacklog();
    // Whatever is due is done between turns, where offset and data set agree.
    if (this.#links.size > 0) this.#options.host.scheduleTurn();
  }

  onAcknowledged(link: ReplicaLink): void {
    if (this.settings.wantsDurable && !link.tellsDurable && !this.#saidSilent) {
      this.#saidSilent = true;
      this.#options.log.warning(
        `Replica ${link.name} does not say what it has on disk: it counts for nothing while ` +
          "replica-acks-fsync is on. Redis 7.0 never says so; later ones and slotlog do, with " +
          "appendonly yes.",
      );
    }
    this.#options.host.onReplicasChanged();
  }

  onConfirmed(link: ReplicaLink): void {
    this.#flush(link);
  }

  onDrain(link: ReplicaLink): void {
    this.#fullSync?.wake();
    this.#flush(link);
  }

  onClosed(link: ReplicaLink, reason: string): void {
    this.#links.delete(link);
    if (this.#links.size === 0) this.#noReplicasSince = this.now();
    this.#fullSync?.wake();
    // What was kept for it alone goes now.
    this.#flushAll();
    this.#options.log.notice("replica link closed", { replica: link.name, reason });
    this.#options.host.onReplicasChanged();
  }

  #flush(link: ReplicaLink): void {
    const backlog = this.#history.backlog;
    if (backlog !== undefined) link.flush(backlog);
  }

  #flushAll(): void {
    const backlog = this.#history.backlog;
    if (backlog === undefined) return;
    let neededFrom = Number.POSITIVE_INFINITY;
    for (const link of this.#links) {
      link.flush(backlog);
      neededFrom = Math.min(neededFrom, link.neededFrom);
    }
    backlog.resize(this.settings.backlogBytes);
    backlog.trim(neededFrom);
  }

  #startFullSync(): void {
    if (this.#fullSync !== undefined || this.now() < this.#fullSyncAt) return;
    const waiting = [...this.#links].filter((link) => link.state === "waiting");
    const first = waiting[0];
    if (first === undefined || this.#options.host.snapshots.busy) return;
    // Those that want the same parts of the data set share one snapshot.
    const group = waiting.filter(
      (link) =>
        link.peer.wantsKeys === first.peer.wantsKeys &&
        link.peer.wantsFunctions === first.peer.wantsFunctions,
    );
    const position = { id: this.#history.id, offset: this.#history.offset };
    for (const link of group) {
      if (!link.isOld) link.sendText(`+FULLRESYNC ${position.id} ${position.offset}\r\n`);
      link.positionAt(position.offset + 1);
      link.become("receiving");
    }
    this.#options.host.forgetStreamDatabase();
    const sync = new FullSync(
      {
        clock: this.#options.clock,
        position,
        mark: this.#options.newId(),
        timeoutMs: () => this.settings.timeoutSeconds * 1000,
        diskless: this.settings.diskless,
        spool: this.#options.host.spool(),
        onSent: (link, marked) => this.#onSent(link, marked),
      },
      group,
    );
    this.#fullSync = sync;
    const snapshot = this.#options.host.snapshots.begin({
      position,
      streamDatabase: this.#options.streamDatabase(),
      includeData: first.peer.wantsKeys,
      includeFunctions: first.peer.wantsFunctions,
    });
    const finish = (error?: unknown): void => {
      this.#fullSync = undefined;
      if (error !== undefined) {
        this.#options.log.warning("full synchronization failed", {
          error: error instanceof Error ? error.message : "unknown",
        });
        for (const link of group) if (link.state === "receiving") link.close("no snapshot");
      }
      this.#options.host.scheduleTurn();
    };
    sync.run(snapshot).then(() => finish(), finish);
  }

  #onSent(link: ReplicaLink, marked: boolean): void {
    this.#options.log.notice("the replica has the data set", { replica: link.name });
    if (link.peer.dataOnly) {
      link.become("done");
      link.end();
      return;
    }
    // Behind an end mark the stream must wait: a replica that stores the data set to disk looks for
    // the mark at the end of what it has received so far.
    link.become(marked ? "confirming" : "online");
    this.#flush(link);
    this.#options.host.onReplicasChanged();
  }

  /** Without replicas for `repl-backlog-ttl`, a primary frees the backlog and ends its history. */
  #expireBacklog(): void {
    if (this.settings.keepsBacklog) return;
    const ttlMs = this.settings.backlogTtlSeconds * 1000;
    if (ttlMs === 0 || this.#links.size > 0 || this.#history.backlog === undefined) return;
    if (!this.#options.ownsStream()) {
      this.#noReplicasSince = this.now();
      return;
    }
    if (this.now() - this.#noReplicasSince <= ttlMs) return;
    this.#history.closeBacklog();
    this.#options.host.onHistoryChanged();
  }
}
