// `slotlog aof check`: the report of every file, as a table or as JSON.

import Table from "cli-table3";
import { type AofReport, checkAof, createDisk, type FileReport } from "@slotlog/node/aof";
import { type ExitCode, exitCodes } from "../errors.js";
import { plural, timeText } from "./format.js";
import { answered, ownerOf } from "./owner.js";
import { ProgressBar } from "./progress-bar.js";

export interface CheckArguments {
  readonly path: string;
  readonly json: boolean;
}

export async function runCheck({ path, json }: CheckArguments): Promise<ExitCode> {
  const report = await checkWithBar(path, !json);
  if (json) console.log(JSON.stringify(report));
  else console.log(reportText(report));
  return report.sound ? exitCodes.ok : exitCodes.failure;
}

export async function checkWithBar(path: string, wanted: boolean): Promise<AofReport> {
  const bar = new ProgressBar(process.stderr, wanted);
  try {
    return await answered(() =>
      checkAof({
        disk: createDisk(),
        path,
        ownerOf,
        onProgress: ({ file, bytes, totalBytes }) => bar.at(`checking ${file}`, bytes, totalBytes),
      }),
    );
  } finally {
    bar.done();
  }
}

export function reportText(report: AofReport): string {
  const lines: string[] = [report.path];
  if (report.owner !== undefined) {
    lines.push(`A live node owns it (${report.owner}): what it writes now is not looked at.`);
  }
  if (report.files.length > 0) lines.push(fileTable(report.files));
  const { replication } = report;
  if (replication !== undefined) {
    lines.push(`Replication: ${replication.id}, offset ${replication.offset}.`);
  }
  for (const note of report.notes) lines.push(`note: ${note}`);
  for (const problem of report.problems) lines.push(`PROBLEM: ${problem}`);
  for (const file of report.files) {
    if (file.lostBytes !== undefined && !report.sound) lines.push(lossText(file));
  }
  lines.push(verdictLine(report));
  return lines.join("\n");
}

function verdictLine({ sound, files, path }: AofReport): string {
  if (sound) return "Sound.";
  const mendable = files.some((file) => file.goodBytes !== undefined);
  return mendable ? `Not sound. To mend it: slotlog aof repair ${path}` : "Not sound.";
}

function lossText(file: FileReport): string {
  const { name, goodBytes = 0, lostBytes = 0, lostRecords = 0 } = file;
  const more = file.lostRecordsIncomplete === true ? " or more" : "";
  const lost = `${plural(lostBytes, "byte")}, in them ${plural(lostRecords, "whole record")}${more}`;
  return `${name} is good up to offset ${goodBytes}; behind it are ${lost}.`;
}

function fileTable(files: readonly FileReport[]): string {
  const table = new Table({
    head: ["file", "role", "bytes", "keys", "records", "checksums", "times", "verdict"],
    colAligns: ["left", "left", "right", "right", "right", "left", "left", "left"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const file of files) {
    const { firstTime, lastTime, offset, verdict } = file;
    const times =
      firstTime === undefined || lastTime === undefined
        ? ""
        : `${timeText(firstTime)} to ${timeText(lastTime)}`;
    const at = offset === undefined ? "" : ` at ${offset}`;
    const { name, role, bytes, keys, records } = file;
    const sums = checksumsText(file);
    table.push([name, role, bytes, keys, records, sums, times, `${verdict}${at}`]);
  }
  return table.toString();
}

/** How much of the file a checksum vouches for. */
function checksumsText({ checksums }: FileReport): string {
  if (checksums === undefined) return "";
  const { verified, cutShort, uncoveredRecords } = checksums;
  if (verified === 0) return "none";
  const parts = [`${verified} good`];
  if (cutShort > 0) parts.push(`${cutShort} cut short`);
  if (uncoveredRecords > 0) parts.push(`${plural(uncoveredRecords, "record")} without`);
  return parts.join(", ");
}
