/**
 * Counts the whole records that stand behind damage: what cutting there would throw away. Owns the
 * search for the place where records begin again; an estimate, since a value may hold text that
 * looks like a record.
 */

import type { DiskFile } from "../../ports.js";
import { DamagedRecordError, RecordScanner } from "../record-scanner.js";

export interface HiddenRecords {
  readonly records: number;
  /** Where the first of them begins, -1 if there are none. */
  readonly offset: number;
  /** The search was given up: there may be more. */
  readonly incomplete: boolean;
}

/** How much is read for a record that does not end, and how often. */
const recordBytesMax = 64 * 1024 * 1024;
const failuresMax = 1000;
const searchBytes = 256 * 1024;
const scanBytes = 64 * 1024;

/** Searches `file` from `start` up to `end`. */
export async function countHiddenRecords(
  file: DiskFile,
  start: number,
  end: number,
): Promise<HiddenRecords> {
  let records = 0;
  let first = -1;
  let from = start;
  for (let failures = 0; failures < failuresMax; failures++) {
    const candidate = await nextCandidate(file, from, end);
    if (candidate < 0) return { records, offset: first, incomplete: false };
    const run = await scanFrom(file, candidate, end);
    if (run.records > 0 && first < 0) first = candidate;
    records += run.records;
    from = Math.max(candidate, run.end - 1);
  }
  return { records, offset: first, incomplete: true };
}

/** Where a record could begin: an asterisk behind a line end that is at or behind `from`. */
async function nextCandidate(file: DiskFile, from: number, end: number): Promise<number> {
  for (let at = from; at < end; ) {
    const bytes = await file.read(at, Math.min(searchBytes, end - at));
    const found = bytes.indexOf("\n*", 0, "latin1");
    if (found >= 0) return at + found + 1;
    if (bytes.length < 2) return -1;
    // One byte again: the line end may be the last one of this piece.
    at += bytes.length - 1;
  }
  return -1;
}

async function scanFrom(
  file: DiskFile,
  start: number,
  end: number,
): Promise<{ records: number; end: number }> {
  const scanner = new RecordScanner(start, {}, scanBytes);
  let records = 0;
  try {
    while (scanner.endOffset - scanner.offset < recordBytesMax) {
      const room = scanner.room();
      const wanted = Math.max(0, Math.min(room.length, end - scanner.endOffset));
      const count = await file.readInto(room.subarray(0, wanted), scanner.endOffset);
      if (count === 0) break;
      scanner.fill(count);
      for (let item = scanner.next(); item !== "more"; item = scanner.next()) {
        if (item === "record") records++;
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
  }
  return { records, end: scanner.offset };
}
