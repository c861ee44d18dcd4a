/** The counters of a node whose recent speed `INFO stats` tells. */
import type { NodeStats } from "../dispatch/stats.js";
import { Rate, RATE_SAMPLE_INTERVAL_MS } from "./rate.js";

export class NodeRates {
  readonly commands = new Rate();
  readonly input = new Rate();
  readonly output = new Rate();
  readonly replicationInput = new Rate();
  readonly replicationOutput = new Rate();
  readonly turns = new Rate();
  readonly turnMs = new Rate();
  #lastAt = Number.NEGATIVE_INFINITY;

  /** Called by the cron, whose pace may be faster than that of the samples. */
  sample(stats: NodeStats, monotonicMs: number): void {
    // A tenth earlier still counts: a cron of just this pace must not miss every other sample.
    if (monotonicMs - this.#lastAt < RATE_SAMPLE_INTERVAL_MS * 0.9) return;
    this.#lastAt = monotonicMs;
    this.commands.sample(stats.commandsProcessed, monotonicMs);
    this.input.sample(stats.netInputBytes, monotonicMs);
    this.output.sample(stats.netOutputBytes, monotonicMs);
    this.replicationInput.sample(stats.netReplInputBytes, monotonicMs);
    this.replicationOutput.sample(stats.netReplOutputBytes, monotonicMs);
    this.turns.sample(stats.turns, monotonicMs);
    this.turnMs.sample(stats.turnMs, monotonicMs);
  }
}
