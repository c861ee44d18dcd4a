/**
 * Where replication meets the clients of a node: WAIT and WAITAOF, FAILOVER, the pauses of
 * failovers, and what a replica may say of its disk. It binds offsets of the log to offsets of the
 * stream, and owns none of what it binds.
 */
import type { NodeConfig } from "./config/config.js";
import type { LateReplies } from "./dispatch/late-replies.js";
import type { ClientPause } from "./dispatch/pause.js";
import { ReplicaWaits } from "./dispatch/replica-waits.js";
import type { NodeStats } from "./dispatch/stats.js";
import type { LogStream } from "./log/stream.js";
import { StreamPositions } from "./log/stream-positions.js";
import type { AppendOnly } from "./persistence/append-only.js";
import type { Ports } from "./ports.js";
import { Failover } from "./replication/failover.js";
import type { PrimaryAddress } from "./replication/primary-link.js";
import type { Replication } from "./replication/replication.js";

export interface ReplicationControlParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly stats: NodeStats;
  readonly stream: LogStream;
  readonly pause: ClientPause;
  readonly replication: Replication;
  readonly appendOnly: AppendOnly;
  readonly late: LateReplies;
  scheduleTurn(): void;
}

export class ReplicationControl {
  readonly waits: ReplicaWaits;
  readonly failover: Failover;
  readonly #parts: ReplicationControlParts;
  readonly #positions = new StreamPositions();

  constructor(parts: ReplicationControlParts) {
    const { appendOnly, late, ports, replication } = parts;
    const { replicas } = replication;
    this.#parts = parts;
    this.waits = new ReplicaWaits({
      clock: ports.clock,
      late,
      scheduleTurn: () => parts.scheduleTurn(),
      replicationOffsetOf: (logOffset) => this.#replicationOffsetOf(logOffset),
      countAcknowledged: (offset) => replicas.countAcknowledged(offset),
      countDurable: (offset) => replicas.countDurable(offset),
      requestAcks: () => {
        // What a paused stream ends with must stay its end.
        if (!this.isPausedForFailover) replicas.requestAcks();
      },
      durableOffset: () => appendOnly.durableOffset,
      get appendOnly() {
        return appendOnly.enabled;
      },
    });
    this.failover = new Failover({
      clock: ports.clock,
      log: ports.log,
      replicas,
      // What was executed and not handed on yet is still to come.
      offset: () => (parts.stream.batchBytes > 0 ? Number.NaN : replication.history.offset),
      pauseWrites: () => {
        replication.failingOver = true;
        this.pauseWrites(Number.POSITIVE_INFINITY);
      },
      unpauseWrites: () => {
        replication.failingOver = false;
        this.unpauseWrites();
      },
      follow: (address) =>
        replication.follow(address, (outcome) => this.failover.onTakeover(outcome)),
      unfollow: () => replication.unfollow(),
    });
  }

  /** Nothing may be added to the stream while a failover compares offsets. */
  pauseWrites(untilUnixMs: number): void {
    this.#parts.pause.pauseClients(untilUnixMs, "write", "failover");
    this.#parts.replication.pingsPaused = true;
  }

  unpauseWrites(): void {
    this.#parts.replication.pingsPaused = false;
    this.#parts.pause.unpauseClients("failover");
  }

  get isPausedForFailover(): boolean {
    return this.#parts.replication.pingsPaused;
  }

  /** The end of a turn, in front of its log: who has what he waits for goes on. */
  endTurn(): void {
    this.waits.serve();
    this.#parts.late.endTurn();
  }

  /** The turn's log was handed to replication, and nothing else yet. */
  onLogWritten(): void {
    const { replication, stream } = this.#parts;
    const { backlog, offset } = replication.history;
    // Without a backlog nobody can confirm anything, and nothing is counted.
    if (backlog !== undefined) this.#positions.note(stream.offset, offset);
  }

  /** Our disk has got further. */
  onDurable(): void {
    this.waits.changed();
    this.#parts.replication.onDurable();
  }

  /** A replica came, confirmed something, or went. */
  onReplicasChanged(): void {
    this.waits.changed();
    if (this.failover.isRunning) this.failover.check();
  }

  /** Offsets are those of another history now. */
  onHistoryChanged(): void {
    const { replication, stream } = this.#parts;
    this.#positions.restart(stream.offset, replication.history.offset);
  }

  onRoleChanged(primary: PrimaryAddress | undefined): void {
    if (primary !== undefined) this.waits.disconnectAll();
    else this.#parts.stats.promotions += 1;
  }

  /** As a replica: the offset up to which our own disk has the stream, if it is known. */
  durableOffset(): number | undefined {
    const durable = this.#parts.appendOnly.durableOffset;
    return durable === undefined ? undefined : this.#positions.coveredBy(durable);
  }

  stop(): void {
    this.failover.stop();
  }

  #replicationOffsetOf(logOffset: number): number | undefined {
    if (logOffset === 0) return 0;
    const { replication, stream } = this.#parts;
    const reached = this.#positions.reachedBy(logOffset);
    if (reached !== undefined) return reached;
    // Noted turns end below it: it was written before there was a backlog, or in this turn.
    const handedOn = stream.offset - stream.batchBytes;
    return logOffset <= handedOn ? replication.history.offset : undefined;
  }
}
