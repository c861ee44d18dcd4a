/**
 * Finds where a log is cut to have the data set of an earlier moment: at a time, in front of a
 * record, or in front of the last record of a kind. Owns that a cut never divides a record or a
 * transaction, and that no moment before the base can be had.
 */

import type { Disk } from "../../ports.js";
import { KeyFinder, nameOf } from "./keys.js";
import { type AofWalk, walkAof } from "./replay-order.js";
import type { AofSource, AofSourceFile } from "./source.js";
import type { RecordAt } from "./walk.js";

export type Moment =
  /** Unix seconds: with everything that was written up to the end of this second. */
  | { readonly kind: "until"; readonly seconds: number }
  /** Without the record that holds this byte, and all behind it. `file` may be left out if only
   * one file has records. */
  | { readonly kind: "offset"; readonly file: string | undefined; readonly offset: number }
  /** Without the last record of that name (lower case), naming that key if one is given. */
  | { readonly kind: "command"; readonly name: string; readonly key: string | undefined };

export interface CutPoint {
  /** The last file that is kept, and how much of it. */
  readonly file: AofSourceFile;
  readonly bytes: number;
  /** A batch is divided there, and must be closed. */
  readonly dividesBatch: boolean;
  /** `#TS:` time that held there, -1 if unknown. */
  readonly time: number;
  /** What the first record cut off is; undefined: nothing is cut off. */
  readonly dropped: string | undefined;
  /** What is uncertain about it, in words. */
  readonly notes: readonly string[];
}

/** There is no such moment in this log. */
export class MomentError extends Error {
  readonly code = "SLOTLOG_AOF_MOMENT";

  constructor(message: string) {
    super(message);
    this.name = "MomentError";
  }
}

export interface CutOptions {
  readonly disk: Disk;
  readonly source: AofSource;
  readonly moment: Moment;
  readonly progress?: (bytes: number) => void;
}

/** Throws a `MomentError`, also if the log is damaged before that moment. */
export async function findCut(options: CutOptions): Promise<CutPoint> {
  const { disk, source } = options;
  if (source.kind === "part") {
    throw new MomentError("this is one file of an AOF: name the directory, all files are needed");
  }
  const moment = resolveFile(options.moment, source);
  const search = new CutSearch(moment);
  const walk = await walkAof(disk, source, {
    file: (file) => search.begin(file),
    rdb: (event) => {
      if (event.kind === "aux" && event.name === "ctime") search.baseMade(Number(event.value));
    },
    record: (record) => search.take(record),
    time: (seconds, ...cut) => search.tick(seconds, ...cut),
    stopped: () => search.stopped,
    progress: (bytes) => options.progress?.(bytes),
  });
  return search.result(walk);
}

function resolveFile(moment: Moment, source: AofSource): Moment {
  if (moment.kind !== "offset") return moment;
  const withRecords = source.files.filter((file) => file.role !== "base");
  const [only] = withRecords;
  const names = withRecords.map((file) => file.name).join(", ");
  const file =
    moment.file === undefined && withRecords.length === 1
      ? only
      : withRecords.find((each) => each.name === moment.file);
  if (file === undefined && moment.file === undefined) {
    throw new MomentError(`say in which file the offset is, as FILE:OFFSET: ${names}`);
  }
  if (file === undefined) {
    throw new MomentError(`${moment.file} is no file that can be cut; these can: ${names}`);
  }
  if (moment.offset > file.size) {
    throw new MomentError(`${file.name} has ${file.size} bytes, and no offset ${moment.offset}`);
  }
  return { ...moment, file: file.name };
}

interface Found {
  readonly file: AofSourceFile;
  readonly bytes: number;
  readonly dividesBatch: boolean;
  readonly time: number;
  readonly dropped: string;
}

class CutSearch {
  stopped = false;
  private readonly moment: Moment;
  private readonly finder = new KeyFinder();
  private file: AofSourceFile | undefined;
  private found: Found | undefined;
  private time = -1;
  private recordsWithoutTime = 0;

  constructor(moment: Moment) {
    this.moment = moment;
  }

  begin(file: AofSourceFile): void {
    // The offset is the end of the file before: nothing of this one is wanted.
    if (this.moment.kind === "offset" && this.file?.name === this.moment.file) this.stopped = true;
    this.file = file;
  }

  baseMade(seconds: number): void {
    const { moment } = this;
    if (moment.kind !== "until" || seconds <= moment.seconds) return;
    throw new MomentError(
      `the base file was made at ${isoTime(seconds)}, after the moment that was asked for: ` +
        `this AOF reaches no further back`,
    );
  }

  tick(seconds: number, boundary: number, dividesBatch: boolean): void {
    const { moment, file } = this;
    const before = this.time;
    this.time = seconds;
    if (this.stopped || file === undefined || moment.kind !== "until") return;
    if (seconds <= moment.seconds) return;
    // A base without RDB part is made of records, and useless when it is not whole.
    if (file.role === "base") this.baseMade(seconds);
    this.found = {
      file,
      bytes: boundary,
      dividesBatch,
      time: before,
      dropped: `what is from ${isoTime(seconds)}`,
    };
    this.stopped = true;
  }

  take(record: RecordAt): void {
    if (this.stopped || record.file.role === "base") return;
    if (record.time < 0) this.recordsWithoutTime++;
    const { moment } = this;
    switch (moment.kind) {
      case "until":
        return;
      case "offset":
        if (record.file.name !== moment.file || record.end <= moment.offset) return;
        this.keep(record);
        this.stopped = true;
        return;
      case "command":
        if (nameOf(record.argv) !== moment.name) return;
        if (moment.key !== undefined && !this.finder.names(record.argv, moment.key)) return;
        this.keep(record);
        return;
      default:
        moment satisfies never;
    }
  }

  private keep(record: RecordAt): void {
    const { file, boundary: bytes, dividesBatch, time } = record;
    const name = nameOf(record.argv).toUpperCase();
    const where = record.inTransaction ? ", with its transaction" : "";
    const dropped = `${name} at ${file.name}:${record.offset}${where}`;
    this.found = { file, bytes, dividesBatch, time, dropped };
  }

  result({ broken, walks, hasTimes }: AofWalk): CutPoint {
    const { moment, found } = this;
    // What is damaged behind the cut does no harm; a damaged file before it was never passed.
    if (broken !== undefined && !this.stopped) {
      const cut = this.endOfGood(broken);
      if (cut !== undefined) return cut;
      this.refuseDamage(broken, found);
    }
    if (moment.kind === "until" && !hasTimes) {
      throw new MomentError(
        "this AOF holds no times (aof-timestamp-enabled was off): restore by offset instead, " +
          "which dump and history show",
      );
    }
    const notes: string[] = [];
    if (moment.kind === "until" && this.recordsWithoutTime > 0) {
      notes.push(
        `${this.recordsWithoutTime} records stand before the first time in the log and were kept`,
      );
    }
    if (found !== undefined) return { ...found, notes };
    if (moment.kind === "command") {
      const which = moment.key === undefined ? "" : " that names this key";
      throw new MomentError(`the log holds no ${moment.name.toUpperCase()}${which}`);
    }
    return this.everything(walks, notes);
  }

  /** The offset that was asked for is where the damage begins. */
  private endOfGood({ file, walk }: AofWalk["walks"][number]): CutPoint | undefined {
    const { moment, time } = this;
    const { boundary: bytes, openBatch: dividesBatch, verdict } = walk;
    if (moment.kind !== "offset" || moment.file !== file.name || moment.offset > bytes)
      return undefined;
    if (verdict.kind === "unreadable") return undefined;
    const dropped = `what is not whole in ${file.name}`;
    return { file, bytes, dividesBatch, time, dropped, notes: [] };
  }

  private everything(walks: AofWalk["walks"], notes: string[]): CutPoint {
    const wanted = this.moment.kind === "offset" ? this.moment.file : undefined;
    const entry = walks.find(({ file }) => file.name === wanted) ?? walks.at(-1);
    if (entry === undefined) throw new MomentError("the manifest names no file");
    const { file, walk } = entry;
    const bytes = file.role === "base" ? file.size : walk.boundary;
    const cut = { file, bytes, dividesBatch: walk.openBatch, time: this.time, notes };
    if (entry !== walks.at(-1)) return { ...cut, dropped: `all files behind ${file.name}` };
    notes.push("nothing was written after that moment: the whole log is kept");
    return { ...cut, dropped: undefined };
  }

  private refuseDamage(broken: AofWalk["walks"][number], found: Found | undefined): void {
    const { file, walk } = broken;
    const { verdict } = walk;
    // A torn end of the last file is where the log ends, and so is a cut that was found before it.
    if (verdict.kind === "torn" && file.isLast) return;
    const offset =
      verdict.kind === "whole" ? 0 : "offset" in verdict ? verdict.offset : walk.boundary;
    if (verdict.kind === "damaged" || verdict.kind === "torn") {
      const lastGood = `--before ${file.name}:${walk.boundary}`;
      const also = found === undefined ? "" : ` (the last one before it is ${found.dropped})`;
      throw new MomentError(
        `${file.name} is ${verdict.kind} at offset ${offset}, and what stands behind that cannot ` +
          `be known${also}: repair it, or restore what is good with ${lastGood}`,
      );
    }
    throw new MomentError(`the base file ${file.name} cannot be read: it is damaged at ${offset}`);
  }
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
