// `slotlog aof restore`: the data set of an earlier moment in a new directory, and the command that
// starts a server on it.

import {
  type AofSource,
  createDisk,
  findCut,
  locateAof,
  type Moment,
  refuseFilledTarget,
  type Restored,
  restoreAof,
  type CutPoint,
} from "@slotlog/node/aof";
import { type ExitCode, exitCodes } from "../errors.js";
import { type MomentArguments, parseMoment } from "./arguments.js";
import { plural, timeText } from "./format.js";
import { answered, whileUnchanged } from "./owner.js";
import { ProgressBar } from "./progress-bar.js";

export interface RestoreArguments extends MomentArguments {
  readonly path: string;
  readonly to: string;
  readonly live: boolean;
  readonly json: boolean;
}

interface Outcome {
  readonly source: AofSource;
  readonly cut: CutPoint;
  readonly restored: Restored;
}

export async function runRestore(args: RestoreArguments): Promise<ExitCode> {
  const moment = parseMoment(args, Date.now());
  const outcome = await answered(async () => {
    const disk = createDisk();
    await refuseFilledTarget(disk, args.to);
    const { dataDirectory } = await locateAof(disk, args.path);
    if (args.live) return restore(args, moment);
    return whileUnchanged(dataDirectory, "Stop it, or say --live.", () => restore(args, moment));
  });
  console.log(args.json ? outcomeJson(outcome) : outcomeText(outcome));
  return exitCodes.ok;
}

async function restore(args: RestoreArguments, moment: Moment): Promise<Outcome> {
  const disk = createDisk();
  const source = await locateAof(disk, args.path);
  const bar = new ProgressBar(process.stderr, !args.json);
  const total = source.files.reduce((sum, file) => sum + file.size, 0);
  try {
    const cut = await findCut({
      disk,
      source,
      moment,
      progress: (bytes) => bar.at("looking for the moment", bytes, total),
    });
    const onProgress = (bytes: number): void => bar.at("copying", bytes, total);
    const restored = await restoreAof({ disk, source, cut, target: args.to, onProgress });
    return { source, cut, restored };
  } finally {
    bar.done();
  }
}

function outcomeJson({ cut, restored }: Outcome): string {
  return JSON.stringify({
    directory: restored.directory,
    files: restored.files,
    bytes: restored.bytes,
    cut: { file: cut.file.name, offset: cut.bytes },
    ...(cut.time < 0 ? {} : { time: cut.time }),
    ...(cut.dropped === undefined ? {} : { dropped: cut.dropped }),
    notes: cut.notes,
  });
}

function outcomeText({ source, cut, restored }: Outcome): string {
  const time = cut.time < 0 ? "" : `, as of ${timeText(cut.time)}`;
  const lines = [
    `Restored ${plural(restored.bytes, "byte")} in ${plural(restored.files.length, "file")} to ` +
      `${restored.directory}${time}.`,
    `Cut at ${cut.file.name}:${cut.bytes}.`,
  ];
  if (cut.dropped !== undefined) lines.push(`Left out, first of all: ${cut.dropped}.`);
  for (const note of cut.notes) lines.push(`note: ${note}`);
  lines.push("Start a server on it (or redis-server, with the same options):");
  const options = [`--dir ${restored.directory}`, "--appendonly yes"];
  if (source.directoryName !== "appendonlydir") {
    options.push(`--appenddirname ${source.directoryName}`);
  }
  if (source.appendFilename !== "appendonly.aof") {
    options.push(`--appendfilename ${source.appendFilename}`);
  }
  lines.push(`  slotlog node ${options.join(" ")}`);
  return lines.join("\n");
}
