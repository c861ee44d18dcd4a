/**
 * One append-only directory on a simulated disk, with the records that were appended and what of
 * them was acknowledged: the model that the AOF tests compare a reloaded directory with.
 */

import { AofDirectory } from "../aof/directory.js";
import type { FsyncPolicy } from "../aof/log-core.js";
import { type AofLoadProgress, type AofLoadResult, loadAppendOnly } from "../aof/loader.js";
import { type OpenedAof, openForAppend } from "../aof/open.js";
import { enableAppendOnly, rewriteAppendOnly } from "../aof/rewrite.js";
import { AofWriter } from "../aof/writer.js";
import type { Log } from "../ports.js";
import { SimClock } from "./sim-clock.js";
import type { SimDisk } from "./sim-disk.js";

/** A log that remembers its lines, each with its level in front. */
export class LogLines implements Log {
  readonly lines: string[] = [];
  /** Those that notices gave. */
  readonly reasons: string[] = [];

  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }

  verbose(message: string): void {
    this.lines.push(`verbose ${message}`);
  }

  notice(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push(`notice ${message}`);
    const reason = fields?.["reason"];
    if (typeof reason === "string") this.reasons.push(reason);
  }

  warning(message: string): void {
    this.lines.push(`warning ${message}`);
  }
}

export function encodeRecord(...argv: readonly string[]): Buffer {
  const parts = argv.map((word) => `$${Buffer.byteLength(word, "latin1")}\r\n${word}\r\n`);
  return Buffer.from(`*${argv.length}\r\n${parts.join("")}`, "latin1");
}

const snapshotMark = "REDIS0010VALUES ";

export class AofWorld {
  clock = new SimClock();
  readonly log = new LogLines();
  readonly disk: SimDisk;
  /** `offset:` of each record appended, in order; its value is its number. */
  readonly ends: number[] = [];
  /** Every value that `onReleased` or `releasedOffset` announced. */
  releasedOffset = 0;
  readonly progress: AofLoadProgress[] = [];
  failures = 0;
  recoveries = 0;
  private streamOffset = 0;
  private db = 0;
  private selectNext = true;
  private openDirectory: AofDirectory | undefined;

  constructor(disk: SimDisk) {
    this.disk = disk;
    disk.makeDirectorySync("/data");
  }

  directory(): AofDirectory {
    return new AofDirectory({
      disk: this.disk.forProcess(),
      log: this.log,
      dataDirectory: "/data",
      directoryName: "appendonlydir",
      appendFilename: "appendonly.aof",
    });
  }

  /** Loads the directory: the values of all its records, in order. */
  async load(
    loadTruncated = true,
  ): Promise<{ result: AofLoadResult; values: string[]; directory: AofDirectory }> {
    const directory = this.directory();
    const values: string[] = [];
    const result = await loadAppendOnly({
      directory,
      loadTruncated,
      monotonic: () => this.clock.monotonic(),
      onProgress: (progress) => this.progress.push(progress),
      execute: (argv, db) => {
        if (argv[0] === "NOSUCH") return false;
        values.push(db === 0 ? String(argv[1]) : `${String(argv[1])}@${db}`);
        return true;
      },
      loadRdb: async (file) => {
        const text = (await file.read(0, file.size())).toString("latin1");
        if (text.includes("BROKEN")) throw new Error("short read");
        // An empty base, or one that `snapshot` made.
        if (text.startsWith(snapshotMark)) {
          values.push(...text.slice(snapshotMark.length).split(" ").filter(Boolean));
        }
        return text.length;
      },
    });
    return { result, values, directory };
  }

  /** The values so far, as a base file in two chunks. */
  snapshot(): Buffer[] {
    const values = this.expected.map((value) => `${value} `).join("");
    return [Buffer.from(snapshotMark), Buffer.from(values)];
  }

  async rewrite(writer: AofWriter): Promise<void> {
    const directory = this.openDirectory;
    if (directory === undefined) throw new Error("nothing is open");
    await rewriteAppendOnly({
      directory,
      writer,
      flushLog: () => undefined,
      snapshot: () => this.snapshot(),
    });
  }

  async open(policy: FsyncPolicy, bufferBytesMax = 64 * 1024 * 1024): Promise<AofWriter> {
    const { directory } = await this.load();
    this.openDirectory = directory;
    const opened = await openForAppend({
      directory,
      useRdbPreamble: true,
      now: this.clock.now(),
      usedMemoryBytes: 1_000_000,
    });
    return this.writerOn(directory, opened, policy, bufferBytesMax);
  }

  /** The AOF of a node that ran without: what was appended before is in the snapshot only. */
  async enable(policy: FsyncPolicy): Promise<AofWriter> {
    const directory = this.directory();
    this.openDirectory = directory;
    return enableAppendOnly({
      directory,
      openWriter: (file) =>
        this.writerOn(directory, { file, baseBytes: 0, olderBytes: 0 }, policy, 64 * 1024 * 1024),
      snapshot: () => this.snapshot(),
    });
  }

  private writerOn(
    directory: AofDirectory,
    opened: OpenedAof,
    policy: FsyncPolicy,
    bufferBytesMax: number,
  ): AofWriter {
    this.selectNext = true;
    return new AofWriter({
      clock: this.clock,
      log: this.log,
      directory,
      ...opened,
      policy,
      bufferBytesMax,
      startOffset: this.streamOffset,
      hooks: {
        onReleased: (offset) => {
          this.releasedOffset = offset;
        },
        onFailure: () => {
          this.failures++;
        },
        onRecovered: () => {
          this.recoveries++;
        },
        onNewIncrement: () => {
          this.selectNext = true;
        },
      },
    });
  }

  /** Appends a turn of `count` records, the values counting up from 0 over the world's life. */
  append(writer: AofWriter, count = 1, db = 0): void {
    // A turn comes after others, in which a writer may have waited for this one.
    this.clock.runDeferred();
    const chunks: Buffer[] = [];
    if (this.selectNext || db !== this.db) chunks.push(encodeRecord("SELECT", String(db)));
    this.selectNext = false;
    this.db = db;
    const first = this.ends.length;
    for (let number = first; number < first + count; number++) {
      chunks.push(encodeRecord("PUSH", String(number)));
    }
    const batch = Buffer.concat(chunks);
    this.streamOffset += batch.length;
    for (let index = 0; index < count; index++) this.ends.push(this.streamOffset);
    writer.append([batch], this.streamOffset, db);
    // The writer must have copied it.
    batch.fill(0xee);
    this.releasedOffset = Math.max(this.releasedOffset, writer.releasedOffset);
  }

  /** How many records, from the first on, replies may have been sent for. */
  get acknowledged(): number {
    return this.ends.filter((end) => end <= this.releasedOffset).length;
  }

  /**
   * After a crash: `count` records are left, and they are what there is now. The clock is a new
   * one, because timers of the dead process must not fire.
   */
  continueFrom(count: number): void {
    this.clock = new SimClock(this.clock.now());
    this.ends.length = count;
    this.releasedOffset = this.ends.at(-1) ?? 0;
  }

  get expected(): string[] {
    return this.ends.map((_, number) => String(number));
  }
}
