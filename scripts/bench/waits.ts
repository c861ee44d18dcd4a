// How long others wait for a server that is busy: asked by a process of its own (`prober.ts`), so
// that what keeps the server busy does not keep the question waiting too.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { quantile } from "./machine.js";

export interface Waits {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /**
   * The longest without the time in which the asking process or the server's main thread was ready
   * to run and had no core: with few cores that is most of a wait, and no server's doing.
   */
  readonly longestOnCoreMs: number;
}

export interface Probe {
  readonly ms: number;
  readonly queuedMs: number;
}

export interface ProbeOrder {
  readonly port: number;
  /** The server's. */
  readonly pid: number;
  /** Keys are `prefix` and a number below `keys`, padded with zeros to `digits`. */
  readonly prefix: string;
  readonly digits: number;
  readonly keys: number;
}

export async function waitsDuring(order: ProbeOrder, work: () => Promise<void>): Promise<Waits> {
  const prober = fork(fileURLToPath(new URL("./prober.ts", import.meta.url)));
  const told = once(prober, "exit");
  try {
    prober.send(order);
    // It says when it has its first answer, so that its own start is not measured.
    await once(prober, "message");
    await work();
    const answer = once(prober, "message");
    prober.send("stop");
    const [probes] = (await answer) as [Probe[]];
    const waits = probes.map(({ ms }) => ms);
    const onCore = probes.map(({ ms, queuedMs }) => Math.max(0, ms - queuedMs));
    return {
      count: waits.length,
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      p999Ms: quantile(waits, 0.999),
      longestMs: longest(waits),
      longestOnCoreMs: longest(onCore),
    };
  } finally {
    prober.kill();
    await told;
  }
}

function longest(all: readonly number[]): number {
  return all.reduce((most, each) => Math.max(most, each), 0);
}
