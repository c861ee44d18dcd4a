/**
 * Facts about the process that a node reports (`INFO`, `maxmemory`) and cannot have through its
 * ports. Handed in at the composition root, so that a simulated node reports simulated ones.
 */
export interface ProcessInfo {
  readonly pid: number;
  /** As `INFO server` prints it: `Linux 6.1.0 x86_64`. */
  readonly os: string;
  readonly executable: string;
  /** Bytes resident. */
  rss(): number;
  /** Bytes of the JavaScript heap and of what it holds outside, in use. */
  usedMemory(): number;
  /**
   * Calls back after each collection of the whole heap with the bytes that were left; what it
   * returns ends that. Absent where nothing is measured (a simulated process).
   */
  readonly onMajorCollection?: (listener: (usedBytes: number) => void) => () => void;
  /** Bytes that V8 has taken for its heap. */
  heapTotal(): number;
  /** Bytes that the heap may grow to. */
  readonly heapLimit: number;
  /** Bytes of the machine. */
  readonly totalSystemMemory: number;
  /** Stops everything for so long (DEBUG SLEEP). */
  block(milliseconds: number): void;
  /** CPU seconds used so far. */
  cpu(): { readonly user: number; readonly system: number };
}
