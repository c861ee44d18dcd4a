/** What a node does `hz` times a second whether or not anybody talks to it. */
import { redirectWaiting } from "./dispatch/redirect-waiting.js";
import { closeIdleClients } from "./net/idle-clients.js";
import type { Node } from "./node.js";
import type { NodeRates } from "./observe/node-rates.js";
import type { Timer } from "./ports.js";

/** Share of the loop that active expiry may take per run: Redis' 25% of 1000/hz ms. */
const expireShare = 0.25;

export class Cron {
  readonly #node: Node;
  readonly #rates: NodeRates;
  #timer: Timer | undefined;

  constructor(node: Node, rates: NodeRates) {
    this.#node = node;
    this.#rates = rates;
  }

  /** Runs from now on, at the pace that `hz` says. */
  start(): void {
    this.#timer?.cancel();
    const { ports, config } = this.#node;
    this.#timer = ports.clock.every(1000 / config.hz, () => this.#run());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  #run(): void {
    const node = this.#node;
    const { clock } = node.ports;
    const now = clock.now();
    const began = clock.monotonic();
    node.access.setNow(now);
    if (node.switches.cronPaused) return;
    this.#rates.sample(node.stats, began);
    node.dispatcher.startBatch();
    this.#expire();
    node.persistence.cron();
    redirectWaiting(node);
    closeIdleClients(node.clients, { now, timeoutSeconds: node.config.timeout });
    node.memory.cron();
    const elapsedMs = clock.monotonic() - began;
    node.stats.cronMs += elapsedMs;
    node.stats.countTurn(elapsedMs);
    if (node.stream.batchBytes > 0) node.turn.schedule();
  }

  #expire(): void {
    const { config, databases, hooks, latency, ports, role, stats, switches } = this.#node;
    if (!switches.activeExpire) return;
    const { clock } = ports;
    const began = clock.monotonic();
    const deadline = began + (1000 / config.hz) * expireShare;
    const outOfTime = (): boolean => clock.monotonic() > deadline;
    if (role.isReplica) {
      if (!hooks.replicaWrites.expire(outOfTime)) stats.expireTimeCapReached += 1;
    } else hooks.replicaWrites.forget();
    for (const database of databases.databases) {
      if (database.expireCycle(outOfTime).finished) continue;
      stats.expireTimeCapReached += 1;
      break;
    }
    const elapsedMs = clock.monotonic() - began;
    stats.expireCycles += 1;
    stats.expireCycleMs += elapsedMs;
    latency.add("expire-cycle", elapsedMs, clock.now());
  }
}
