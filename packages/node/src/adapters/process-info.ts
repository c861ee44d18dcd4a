/** `ProcessInfo` of the process we run in. */
import { arch, release, totalmem, type as systemName } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { ProcessInfo } from "../process-info.js";

export function systemProcessInfo(): ProcessInfo {
  return {
    pid: process.pid,
    os: `${systemName()} ${release()} ${arch() === "x64" ? "x86_64" : arch()}`,
    executable: process.argv[1] ?? process.execPath,
    rss: () => process.memoryUsage.rss(),
    usedMemory: () => {
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    },
    heapTotal: () => process.memoryUsage().heapTotal,
    heapLimit: getHeapStatistics().heap_size_limit,
    totalSystemMemory: totalmem(),
    block: (milliseconds) => {
      const never = new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(never, 0, 0, milliseconds);
    },
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
  };
}
