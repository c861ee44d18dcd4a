/**
 * Parallel arrays that scans and walks fill with entries, so that whoever handles them may change
 * the table meanwhile. Meant to be reused: `clear` keeps the memory.
 */
export class EntryBatch {
  /** False if nobody will look at the values: a short string is made anew each time it is read. */
  readonly withValues: boolean;
  readonly keys: string[] = [];
  readonly values: unknown[] = [];
  /** Unix ms, or `NEVER`. */
  readonly expireAts: number[] = [];
  readonly metas: number[] = [];

  constructor(withValues = true) {
    this.withValues = withValues;
  }

  get length(): number {
    return this.keys.length;
  }

  push(key: string, value: unknown, expireAt: number, meta: number): void {
    this.keys.push(key);
    this.values.push(value);
    this.expireAts.push(expireAt);
    this.metas.push(meta);
  }

  /** Copies an entry over another one. */
  move(from: number, to: number): void {
    this.keys[to] = this.keys[from] as string;
    this.values[to] = this.values[from];
    this.expireAts[to] = this.expireAts[from] as number;
    this.metas[to] = this.metas[from] as number;
  }

  /** Keeps the first `length` entries. */
  truncate(length: number): void {
    this.keys.length = length;
    this.values.length = length;
    this.expireAts.length = length;
    this.metas.length = length;
  }

  clear(): void {
    this.truncate(0);
  }
}
