/**
 * The latency monitor: for each kind of event that took long, the worst of each second. Owns the
 * data of the LATENCY command; its reports are in `latency-report.ts`. It reads no clock.
 */

/** Redis keeps so many samples of each event, at most one per second. */
const SAMPLES_MAX = 160;

export interface LatencySample {
  readonly unixSeconds: number;
  readonly ms: number;
}

export interface LatestLatency extends LatencySample {
  readonly event: string;
  /** The worst since the event was reset. */
  readonly maxMs: number;
}

class Series {
  /** Oldest first. */
  samples: LatencySample[] = [];
  maxMs = 0;

  add(unixSeconds: number, ms: number): void {
    this.maxMs = Math.max(this.maxMs, ms);
    const last = this.samples.at(-1);
    if (last?.unixSeconds === unixSeconds) {
      if (ms > last.ms) this.samples[this.samples.length - 1] = { unixSeconds, ms };
      return;
    }
    this.samples.push({ unixSeconds, ms });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }
}

export class LatencyMonitor {
  /** Events of at least so many milliseconds are kept; 0 turns the monitor off. */
  thresholdMs = 0;
  readonly #series = new Map<string, Series>();

  /** Cheap enough to be called for every event: one comparison if it was short. */
  add(event: string, ms: number, unixMs: number): void {
    if (this.thresholdMs === 0 || ms < this.thresholdMs) return;
    const known = this.#series.get(event) ?? new Series();
    this.#series.set(event, known);
    known.add(Math.floor(unixMs / 1000), Math.floor(ms));
  }

  get events(): readonly string[] {
    return [...this.#series.keys()];
  }

  latest(): LatestLatency[] {
    return [...this.#series].map(([event, series]) => ({
      ...series.samples.at(-1)!,
      event,
      maxMs: series.maxMs,
    }));
  }

  /** Oldest first; empty for an event that has not happened. */
  history(event: string): readonly LatencySample[] {
    return this.#series.get(event)?.samples ?? [];
  }

  maxMs(event: string): number {
    return this.#series.get(event)?.maxMs ?? 0;
  }

  /** Forgets these events, or all if none is named; returns how many it knew. */
  reset(events: readonly string[]): number {
    const names = events.length === 0 ? this.events : events.flatMap((each) => this.#named(each));
    return names.filter((name) => this.#series.delete(name)).length;
  }

  #named(event: string): readonly string[] {
    return this.events.filter((name) => name.toLowerCase() === event.toLowerCase());
  }
}
