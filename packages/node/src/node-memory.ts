/**
 * A node's memory: binds gauge, tally and evictor to the node. It decides when room is made and
 * when not, and tells the log, the replicas and the watchers what that took.
 */
import { clientLine } from "./commands/connection/client/line.js";
import { clientBytes, clientsBytesMax, clientsToEvict } from "./net/client-memory.js";
import type { Node } from "./node.js";
import type { BufferBytes } from "./memory-gauge.js";
import { MemoryGauge } from "./memory-gauge.js";
import { Evictor } from "./store/eviction.js";
import type { Database } from "./store/database.js";
import type { MemoryTally } from "./store/memory-tally.js";

export class NodeMemory {
  readonly gauge: MemoryGauge;
  readonly tally: MemoryTally;
  readonly #node: Node;
  readonly #evictor: Evictor;
  /** A run is due at the end of this turn, because the last one ran out of time. */
  #continues = false;
  #toldOfCeiling = false;
  /** Monotonic time. */
  #nextLook = 0;
  /** Since when memory is above the limit; -1 if it is not. */
  #exceededSince = -1;
  #exceededMs = 0;

  constructor(node: Node) {
    this.#node = node;
    this.tally = node.databases.parts.tally;
    this.gauge = new MemoryGauge({
      process: node.process,
      tally: this.tally,
      maxmemory: () => node.config.maxmemory,
      buffers: () => this.#buffers(),
      idleBytes: () => node.databases.parts.collections.blocks.idleBytes,
    });
    this.#evictor = new Evictor({
      config: node.config,
      clock: node.ports.clock,
      databases: node.databases.databases,
      access: node.access,
      tally: this.tally,
      evicted: (database, key) => this.#evicted(database, key),
    });
  }

  start(): void {
    this.gauge.start();
  }

  stop(): void {
    this.gauge.stop();
  }

  /** Whether commands that need memory may run; keys were evicted for that if need be. */
  makeRoom(): boolean {
    const { tally } = this;
    if (tally.bytes <= tally.fullAt) return true;
    if (!this.#mayEvict || this.#fitsByNow()) return true;
    const { latency, ports } = this.#node;
    const began = ports.clock.monotonic();
    const result = this.#evictor.run();
    const ended = ports.clock.monotonic();
    latency.add("eviction-cycle", ended - began, ports.clock.now());
    this.#countExceeded(result === "fits", ended);
    if (result === "continues") this.#continueLater();
    if (this.#node.stream.batchBytes > 0) this.#node.turn.schedule();
    if (result === "full" && this.gauge.heapLimits) this.#tellOfCeiling();
    return result !== "full";
  }

  /**
   * Clients may have taken their replies since the cron looked: no key should go for that. To look
   * takes time in proportion to the clients, of which a tenth of all time is given to it.
   */
  #fitsByNow(): boolean {
    const now = this.#node.ports.clock.monotonic();
    if (now < this.#nextLook) return false;
    this.#look();
    return this.tally.bytes <= this.tally.fullAt;
  }

  #look(): void {
    const { clock } = this.#node.ports;
    const began = clock.monotonic();
    this.gauge.refresh();
    if (this.gauge.buffers.normalClients >= clientsBytesMax(this.#node.config)) {
      this.#evictClients();
      this.gauge.refresh();
    }
    const ended = clock.monotonic();
    this.#nextLook = ended + 10 * (ended - began);
  }

  /** Looks at the heap and the buffers again; the cron calls it. */
  cron(): void {
    const { gauge, tally } = this;
    const { databases, stats } = this.#node;
    databases.parts.collections.blocks.cron();
    this.#look();
    stats.peakMemory = Math.max(stats.peakMemory, gauge.usedBytes);
    if (this.#exceededSince >= 0 && tally.bytes <= tally.fullAt) {
      this.#countExceeded(true, this.#node.ports.clock.monotonic());
    }
  }

  /** `maxmemory` was changed: what is too much goes now, and not when the next client comes. */
  limitChanged(): void {
    const { gauge, tally } = this;
    gauge.refresh();
    if (tally.bytes <= tally.fullAt || this.#node.config.maxmemory === 0) return;
    this.#node.ports.log.warning(
      `WARNING: the new maxmemory value set via CONFIG SET (${this.#node.config.maxmemory}) is ` +
        `smaller than the current memory usage (${gauge.usedBytes}). This will result in key ` +
        "eviction and/or the inability to accept new write commands depending on the " +
        "maxmemory-policy.",
    );
    this.#continueLater();
  }

  /** Milliseconds above the limit, in total and since the present excess began. */
  get exceededMs(): number {
    return this.#exceededMs + this.currentlyExceededMs;
  }

  get currentlyExceededMs(): number {
    if (this.#exceededSince < 0) return 0;
    return this.#node.ports.clock.monotonic() - this.#exceededSince;
  }

  resetStatistics(): void {
    this.#exceededMs = 0;
    this.#exceededSince = -1;
  }

  /**
   * A replica follows its primary, which evicts for both; while clients are paused nothing may
   * change; what is being loaded has no rival yet.
   */
  get #mayEvict(): boolean {
    const { config, loading, pause, role } = this.#node;
    if (loading || pause.mode !== undefined) return false;
    return !(role.isReplica && config.replicaIgnoreMaxmemory);
  }

  #continueLater(): void {
    if (this.#continues) return;
    this.#continues = true;
    this.#node.ports.clock.defer(() => {
      this.#continues = false;
      this.makeRoom();
    });
  }

  #evictClients(): void {
    const { clients, config, ports, stats } = this.#node;
    for (const client of clientsToEvict(clients.all(), clientsBytesMax(config))) {
      ports.log.notice(`Evicting client: ${clientLine(client, ports.clock.now())}`);
      client.link.closeNow("maxmemory-clients");
      stats.evictedClients += 1;
    }
  }

  #countExceeded(fits: boolean, now: number): void {
    if (!fits) {
      if (this.#exceededSince < 0) this.#exceededSince = now;
    } else if (this.#exceededSince >= 0) {
      this.#exceededMs += now - this.#exceededSince;
      this.#exceededSince = -1;
    }
  }

  #evicted(database: Database, key: string): void {
    const node = this.#node;
    node.stats.evictedKeys += 1;
    node.propagate(database.index, [node.config.lazyfreeLazyEviction ? "UNLINK" : "DEL", key]);
    node.notifyKeyspaceEvent("e", "evicted", key, database.index);
    database.signalModified(key);
  }

  #buffers(): BufferBytes {
    const { clients, persistence, replication } = this.#node;
    const { backlog } = replication.history;
    let normalClients = 0;
    // The backlog keeps what the slowest replica has not taken, however much it should hold.
    const kept = backlog?.memoryBytes ?? 0;
    const slow = replication.replicas.count > 0;
    const backlogBytes = slow ? Math.min(kept, backlog?.bytesMax ?? 0) : kept;
    let replicaClients = kept - backlogBytes;
    for (const client of clients.all()) {
      if (client.closing) continue;
      if (client.isReplica) replicaClients += clientBytes(client);
      else normalClients += clientBytes(client);
    }
    const aof = persistence.writer?.bufferedBytes ?? 0;
    return { normalClients, backlog: backlogBytes, replicaClients, aof };
  }

  #tellOfCeiling(): void {
    if (this.#toldOfCeiling) return;
    this.#toldOfCeiling = true;
    const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`;
    const { heapLimit } = this.#node.process;
    this.#node.ports.log.warning(
      `Memory is full: the data may take ${mebibytes(this.gauge.ceiling)} of the heap of this ` +
        `process, which ends at ${mebibytes(heapLimit)}. Writes that need memory are refused. ` +
        "To have more, start with NODE_OPTIONS=--max-old-space-size=<MiB>; to have old keys make " +
        "room for new ones, set maxmemory-policy.",
    );
  }
}
