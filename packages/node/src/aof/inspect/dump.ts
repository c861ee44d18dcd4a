/**
 * Lists what an AOF says, record by record, base included, as far as a filter lets it through. Owns
 * the filter; knows no output format.
 */

import type { Argument } from "@slotlog/resp";
import { keySlot } from "@slotlog/cluster-bus";
import type { Disk } from "../../ports.js";
import { type BaseKey, BaseKeyReader } from "./base-keys.js";
import { KeyFinder, nameOf, textOf } from "./keys.js";
import { type AofWalk, walkAof } from "./replay-order.js";
import type { AofSource, AofSourceFile } from "./source.js";
import type { RecordAt } from "./walk.js";

export interface DumpFilter {
  /** Byte strings; a record passes if it names one of them. Empty: all. */
  readonly keys: readonly string[];
  /** A record passes if it names a key of one of these slots. Empty: all. */
  readonly slots: ReadonlySet<number>;
  /** Lower case. Empty: all, and the keys of the base. */
  readonly commands: ReadonlySet<string>;
  /** Unix seconds, both included. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

export interface DumpSink {
  record(record: RecordAt): void;
  baseKey(file: AofSourceFile, key: BaseKey): void;
  /** Given: the base's values as commands, instead of `baseKey`. */
  readonly baseCommand?: (file: AofSourceFile, db: number, argv: readonly Argument[]) => void;
  pause?(): Promise<void> | undefined;
  stopped?(): boolean;
  progress?(bytes: number): void;
}

export interface DumpOptions {
  readonly disk: Disk;
  readonly source: AofSource;
  readonly filter: DumpFilter;
  /** Whether the keys of the base are listed. */
  readonly base: boolean;
  readonly sink: DumpSink;
}

/** Rejects with a `DiskError` or a `MissingFileError`; damage is told by the result. */
export function dumpAof(options: DumpOptions): Promise<AofWalk> {
  const { disk, source, filter, sink } = options;
  const matcher = new Matcher(filter);
  let current: AofSourceFile | undefined;
  let pastEnd = false;
  const { baseCommand } = sink;
  const reader = new BaseKeyReader({
    wants: (_db, key) => matcher.wantsKey(textOf(key)),
    ...(baseCommand === undefined
      ? { key: (key) => current !== undefined && sink.baseKey(current, key) }
      : {
          command: (db, argv) => {
            if (current !== undefined) baseCommand(current, db, argv);
          },
        }),
  });
  const listsBase = options.base && filter.commands.size === 0 && filter.since === undefined;
  return walkAof(disk, source, {
    file: (file) => {
      current = file;
    },
    rdb: (event) => {
      if (listsBase) reader.take(event);
    },
    record: (record) => {
      if (matcher.wants(record)) sink.record(record);
    },
    time: (seconds) => {
      // Clocks step back now and then: only a whole minute beyond the end is the end.
      if (filter.until !== undefined && seconds > filter.until + 60) pastEnd = true;
    },
    pause: () => sink.pause?.(),
    stopped: () => pastEnd || (sink.stopped?.() ?? false),
    progress: (bytes) => sink.progress?.(bytes),
  });
}

class Matcher {
  private readonly filter: DumpFilter;
  private readonly finder = new KeyFinder();

  constructor(filter: DumpFilter) {
    this.filter = filter;
  }

  wants({ argv, time }: RecordAt): boolean {
    const { keys, slots, commands, since, until } = this.filter;
    if (since !== undefined && time < since) return false;
    if (until !== undefined && time > until) return false;
    if (commands.size > 0 && !commands.has(nameOf(argv))) return false;
    if (keys.length > 0 && !keys.some((key) => this.finder.names(argv, key))) return false;
    return slots.size === 0 || this.namesSlot(argv);
  }

  wantsKey(key: string): boolean {
    const { keys, slots } = this.filter;
    if (keys.length > 0 && !keys.includes(key)) return false;
    return slots.size === 0 || slots.has(keySlot(key));
  }

  private namesSlot(argv: readonly Argument[]): boolean {
    const keys = this.finder.keysOf(argv) ?? [];
    return keys.some((key) => this.filter.slots.has(keySlot(key)));
  }
}
