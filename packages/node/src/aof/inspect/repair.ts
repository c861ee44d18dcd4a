/**
 * Cuts torn and damaged files at their last whole record. Owns the plan, which says what is lost
 * before anything is, and its execution: the original is kept beside the file first, durably.
 * Refuses what cutting cannot mend: a damaged RDB part, a missing file.
 */

import path from "node:path";
import type { Disk } from "../../ports.js";
import { closingLine } from "../batch-header.js";
import type { AofReport, FileReport } from "./check.js";
import { copyFile } from "./copy-file.js";

export interface PlannedCut {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
  /** Bytes that stay. */
  readonly goodBytes: number;
  readonly lostBytes: number;
  readonly lostRecords: number;
  readonly lostRecordsIncomplete: boolean;
  /**
   * Files with data follow: their records would be replayed on a state that lacks the lost ones.
   */
  readonly leavesGap: boolean;
  /** The cut divides a batch: a line behind it says that the rest will not come. */
  readonly dividesBatch: boolean;
}

export interface RepairPlan {
  readonly cuts: readonly PlannedCut[];
  /** What is wrong and stays wrong. */
  readonly beyondRepair: readonly string[];
}

/** `report` must be of a directory that nobody writes to. */
export function planRepair(report: AofReport): RepairPlan {
  const directory = path.dirname(report.path);
  const cuts: PlannedCut[] = [];
  for (const file of report.files) {
    const cut = cutOf(file, directory);
    if (cut !== undefined) cuts.push(cut);
  }
  const mended = new Set(cuts.map((cut) => cut.name));
  const beyondRepair = report.files
    .filter((file) => file.verdict !== "whole" && !mended.has(file.name))
    .map((file) => `${file.name}: ${file.reason ?? file.verdict}`);
  if (report.files.length === 0) beyondRepair.push(...report.problems);
  return { cuts, beyondRepair };
}

function cutOf(file: FileReport, directory: string): PlannedCut | undefined {
  if (file.goodBytes === undefined) return undefined;
  return {
    name: file.name,
    path: path.join(directory, file.name),
    reason: file.reason ?? file.verdict,
    goodBytes: file.goodBytes,
    lostBytes: file.lostBytes ?? 0,
    lostRecords: file.lostRecords ?? 0,
    lostRecordsIncomplete: file.lostRecordsIncomplete ?? false,
    leavesGap: !file.isLast,
    dividesBatch: file.dividesBatch ?? false,
  };
}

/** Returns the path of the kept original. */
export async function applyCut(
  disk: Disk,
  cut: PlannedCut,
  onProgress?: (bytes: number) => void,
): Promise<string> {
  const directory = path.dirname(cut.path);
  const kept = await freeName(disk, cut.path);
  const bytes = cut.goodBytes + cut.lostBytes;
  await copyFile(disk, { from: cut.path, to: kept, bytes, ...(onProgress && { onProgress }) });
  await disk.syncDirectory(directory);
  const file = await disk.open(cut.path, "update");
  try {
    if (file.size() !== bytes) {
      throw new Error(`${cut.path} has changed since it was checked: something writes to it`);
    }
    await file.truncate(cut.goodBytes);
    if (cut.dividesBatch) {
      file.seek(cut.goodBytes);
      await file.write([closingLine]);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return kept;
}

async function freeName(disk: Disk, file: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${file}.damaged-${number}`;
    if ((await disk.fileSize(name)) === undefined) return name;
  }
}
