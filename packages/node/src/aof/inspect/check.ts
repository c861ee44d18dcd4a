/**
 * Checks an AOF as its loader would read it: every file from its first byte to its last, and the
 * manifest. Owns the report; changes nothing.
 */

import type { Disk } from "../../ports.js";
import { ManifestError } from "../manifest.js";
import { countHiddenRecords } from "./hidden-records.js";
import { KeyFinder, nameOf } from "./keys.js";
import { type AofSource, type AofSourceFile, locateAof } from "./source.js";
import { type FileWalk, type FileVisitor, newWalkState, walkFile, type WalkState } from "./walk.js";

export interface FileReport {
  readonly name: string;
  readonly role: AofSourceFile["role"];
  readonly bytes: number;
  readonly records: number;
  /** Keys in its RDB part. */
  readonly keys: number;
  /** Unix seconds of the first and the last `#TS:` line; absent without any. */
  readonly firstTime?: number;
  readonly lastTime?: number;
  readonly verdict: "whole" | "torn" | "damaged" | "unreadable" | "missing";
  /** Where the trouble begins. */
  readonly offset?: number;
  readonly reason?: string;
  /** Cut here, and what is left is whole; absent where cutting mends nothing. */
  readonly goodBytes?: number;
  /** What cutting there loses. */
  readonly lostBytes?: number;
  readonly lostRecords?: number;
  /** The search for lost records was given up: there may be more. */
  readonly lostRecordsIncomplete?: boolean;
  /** `goodBytes` divides a batch, which must be closed there. */
  readonly dividesBatch?: boolean;
  /** What the checksums of batches say; absent in a file that has no record. */
  readonly checksums?: FileChecksums;
  /** No file behind it holds data. */
  readonly isLast: boolean;
}

export interface FileChecksums {
  /** Batches that have the checksum of their header, up to where the file is whole. */
  readonly verified: number;
  /** Batches that were cut and closed. */
  readonly cutShort: number;
  /** Records that stand in no batch: of a node with aof-checksum no, or of a redis-server. */
  readonly uncoveredRecords: number;
}

export interface AofReport {
  readonly path: string;
  /** A server starts on it and loses nothing. */
  readonly sound: boolean;
  /** The live node that owns it, if there is one. */
  readonly owner?: string;
  /** What is wrong with the files together. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly files: readonly FileReport[];
  /**
   * Where the data set stands in the replication history, if its end says it: a replica that
   * starts on it goes on from there.
   */
  readonly replication?: { readonly id: string; readonly offset: number };
}

export interface CheckProgress {
  readonly file: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface CheckOptions {
  readonly disk: Disk;
  readonly path: string;
  /** Who owns a data directory now, in words. */
  readonly ownerOf: (directory: string) => Promise<string | undefined>;
  readonly onProgress?: (progress: CheckProgress) => void;
}

/** Throws an `AofSourceError` if there is no AOF at the path. */
export async function checkAof(options: CheckOptions): Promise<AofReport> {
  const { disk, path } = options;
  let source: AofSource;
  try {
    source = await locateAof(disk, path);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { path, sound: false, problems: [error.message], notes: [], files: [] };
  }
  const owner = await options.ownerOf(source.dataDirectory);
  const unknown = new Set<string>();
  const files: FileReport[] = [];
  const totalBytes = source.files.reduce((sum, file) => sum + file.size, 0);
  const state = newWalkState();
  let replication: AofReport["replication"];
  let before = 0;
  for (const file of source.files) {
    const onProgress = (bytes: number): void =>
      options.onProgress?.({ file: file.name, bytes: before + bytes, totalBytes });
    files.push(await checkFile(disk, file, { unknown, onProgress, state }));
    if (file.size > 0) replication = replicationAt(state, files.at(-1)?.goodBytes ?? file.size);
    before += file.size;
  }
  const problems = files.flatMap((file) => problemsOf(file, owner !== undefined));
  const notes = [...source.notes];
  if (unknown.size > 0) {
    notes.push(`commands that slotlog does not have and cannot load: ${[...unknown].join(", ")}`);
  }
  return {
    path: source.path,
    sound: problems.length === 0,
    ...(owner === undefined ? {} : { owner }),
    problems,
    notes,
    files,
    ...(replication && { replication }),
  };
}

function replicationAt({ batches }: WalkState, end: number): AofReport["replication"] {
  const position = batches.positionAt(end);
  return position && { id: position.id, offset: position.offset };
}

/** More names than these tell nobody anything. */
const unknownNamesMax = 20;

interface CheckFile {
  readonly unknown: Set<string>;
  readonly onProgress: (bytes: number) => void;
  readonly state: WalkState;
}

async function checkFile(
  disk: Disk,
  file: AofSourceFile,
  { unknown, onProgress, state }: CheckFile,
): Promise<FileReport> {
  const { name, role, size, isLast } = file;
  if (file.missing) {
    const none = { bytes: 0, records: 0, keys: 0 };
    return { name, role, ...none, verdict: "missing", reason: "the file is missing", isLast };
  }
  const finder = new KeyFinder();
  const visitor: FileVisitor = {
    record: ({ argv }) => {
      if (finder.knows(argv) || unknown.size >= unknownNamesMax) return;
      unknown.add(nameOf(argv).slice(0, 64));
    },
    progress: onProgress,
  };
  const walk = await walkFile(disk, file, visitor, state);
  const { verified, cutShort, uncovered } = walk.batches;
  const report = {
    name,
    role,
    bytes: size,
    records: walk.records,
    keys: walk.keys,
    ...(walk.firstTime < 0 ? {} : { firstTime: walk.firstTime, lastTime: walk.lastTime }),
    ...(verified + uncovered > 0 && {
      checksums: { verified, cutShort, uncoveredRecords: uncovered },
    }),
    isLast,
  };
  const { verdict } = walk;
  if (verdict.kind === "whole") return { ...report, verdict: "whole" };
  if (verdict.kind === "unreadable") {
    return { ...report, verdict: "unreadable", offset: verdict.offset, reason: verdict.reason };
  }
  const trouble =
    verdict.kind === "damaged"
      ? { offset: verdict.offset, reason: verdict.reason }
      : { offset: walk.boundary, reason: tornReasons[verdict.inside] };
  return { ...report, verdict: verdict.kind, ...trouble, ...(await loss(disk, file, walk)) };
}

const tornReasons = {
  record: "the file ends inside a record",
  // Redis 7.0 and 7.2 take it for a whole line.
  annotation:
    "the file ends inside an annotation line, which slotlog cuts off when it starts; a " +
    "redis-server starts too, writes behind it, and cannot read that at its next start",
  transaction: "the file ends inside a transaction, before its EXEC",
  zeros: "the file ends in zero bytes",
} as const;

type Loss = Pick<
  FileReport,
  "goodBytes" | "lostBytes" | "lostRecords" | "lostRecordsIncomplete" | "dividesBatch"
>;

/** A torn end hides nothing, by the judgement that it is one. */
async function loss(disk: Disk, file: AofSourceFile, walk: FileWalk): Promise<Loss> {
  const { verdict, boundary, records, wholeRecords } = walk;
  let lostRecords = records - wholeRecords;
  let lostRecordsIncomplete = false;
  if (verdict.kind === "damaged") {
    const open = await disk.open(file.path, "read");
    try {
      // From the record that is not whole, not from where that was noticed: a wrong length may have
      // swallowed whole records.
      const hidden = await countHiddenRecords(open, walk.scanned, file.size);
      lostRecords += hidden.records;
      lostRecordsIncomplete = hidden.incomplete;
    } finally {
      await open.close();
    }
  }
  return {
    goodBytes: boundary,
    lostBytes: file.size - boundary,
    lostRecords,
    ...(walk.openBatch && { dividesBatch: true }),
    ...(lostRecordsIncomplete ? { lostRecordsIncomplete } : {}),
  };
}

function problemsOf(file: FileReport, live: boolean): string[] {
  const { name, verdict, offset, reason, isLast } = file;
  switch (verdict) {
    case "whole":
      return [];
    case "missing":
      return [`${name} is missing, and the manifest names it`];
    case "torn":
      // A live node is writing there: the next look will find it whole.
      if (live && isLast) return [];
      return [
        isLast
          ? `${name} is torn at offset ${offset}: ${reason}`
          : `${name} is torn at offset ${offset}, and files with data follow it: ${reason}`,
      ];
    case "damaged":
    case "unreadable":
      return [`${name} is ${verdict} at offset ${offset}: ${reason}`];
    default:
      return verdict satisfies never;
  }
}
