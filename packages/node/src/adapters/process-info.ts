/** `ProcessInfo` of the process we run in. */
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { arch, release, totalmem, type as systemName } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { ProcessInfo } from "../process-info.js";

export function systemProcessInfo(): ProcessInfo {
  return {
    pid: process.pid,
    os: `${systemName()} ${release()} ${arch() === "x64" ? "x86_64" : arch()}`,
    executable: process.argv[1] ?? process.execPath,
    rss: () => process.memoryUsage.rss(),
    usedMemory,
    onMajorCollection,
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

/** A third of the time of `process.memoryUsage()`, which asks the kernel as well. */
function usedMemory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function onMajorCollection(listener: (usedBytes: number) => void): () => void {
  const observer = new PerformanceObserver((list) => {
    const isMajor = list
      .getEntries()
      .some((entry) => (entry as GcEntry).detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
    if (isMajor) listener(usedMemory());
  });
  observer.observe({ entryTypes: ["gc"] });
  return () => observer.disconnect();
}

/** What the types of Node leave out. */
interface GcEntry extends PerformanceEntry {
  readonly detail?: { readonly kind: number };
}
