// What the operating system says about a process, and how numbers are shown.

import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** CPU time used so far, in seconds; `undefined` where there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the command name, which may contain anything: fields 14 and 15, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/**
 * How long the main thread was ready to run and waited for a core, so far; 0 where there is no
 * /proc, which leaves waits as they are.
 */
export function queuedMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "latin1");
    return Number(stat.split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

export function residentBytes(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

export function describeMachine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${cpu?.model ?? "unknown CPU"}, ${gib} GiB, Node ${process.version}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The value that `share` of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const index = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return sorted[Math.max(0, index)] ?? Number.NaN;
}
