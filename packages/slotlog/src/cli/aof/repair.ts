// `slotlog aof repair`: shows what cutting would lose, asks, keeps the originals, cuts. The
// directory is owned from the first look to the last write.

import { createInterface } from "node:readline/promises";
import {
  applyCut,
  createDisk,
  locateAof,
  ManifestError,
  type PlannedCut,
  planRepair,
  type RepairPlan,
} from "@slotlog/node/aof";
import { CliError, type ExitCode, exitCodes } from "../errors.js";
import { checkWithBar } from "./check.js";
import { plural } from "./format.js";
import { answered, whileOwned } from "./owner.js";
import { ProgressBar } from "./progress-bar.js";

export interface RepairArguments {
  readonly path: string;
  readonly yes: boolean;
  readonly "allow-gap": boolean;
  readonly json: boolean;
}

interface Done {
  readonly cut: PlannedCut;
  /** Where the original is now. */
  readonly kept: string;
}

export async function runRepair(args: RepairArguments): Promise<ExitCode> {
  return answered(async () => {
    try {
      const { dataDirectory } = await locateAof(createDisk(), args.path);
      return await whileOwned(dataDirectory, "Stop it first: repair writes to its files.", () =>
        repair(args),
      );
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      throw new CliError(`${error.message}: cutting files does not mend a manifest`);
    }
  });
}

async function repair(args: RepairArguments): Promise<ExitCode> {
  const { path, json } = args;
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  // The lock is ours: nobody else owns the directory, and a torn end is a torn end.
  const report = await checkWithBar(path, !json);
  const plan = planRepair(report);
  if (plan.beyondRepair.length > 0) {
    const hint = "Bring the file back from a copy or a replica; nothing was changed.";
    throw new CliError(`cutting does not mend this: ${plan.beyondRepair.join("; ")}`, { hint });
  }
  if (plan.cuts.length === 0) {
    say("Every file is whole: there is nothing to repair.");
    if (json) console.log(JSON.stringify({ repaired: [] }));
    return exitCodes.ok;
  }
  for (const cut of plan.cuts) say(cutText(cut));
  await confirm(args, plan);
  const done = await applyCuts(plan, !json);
  for (const { cut, kept } of done) {
    say(`Cut ${cut.name} to ${plural(cut.goodBytes, "byte")}; the original is ${kept}`);
  }
  if (json) {
    const repaired = done.map(({ cut, kept }) => ({ ...cut, original: kept }));
    console.log(JSON.stringify({ repaired }));
  }
  return exitCodes.ok;
}

export function cutText(cut: PlannedCut): string {
  const more = cut.lostRecordsIncomplete ? " or more" : "";
  const lost = `${plural(cut.lostBytes, "byte")}, in them ${plural(cut.lostRecords, "whole record")}`;
  const lines = [
    `${cut.name}: ${cut.reason}.`,
    `  Cutting it to ${plural(cut.goodBytes, "byte")} loses ${lost}${more}.`,
  ];
  if (cut.leavesGap) {
    lines.push("  Files with later records follow: they would be replayed over the gap.");
  }
  return lines.join("\n");
}

async function confirm(args: RepairArguments, plan: RepairPlan): Promise<void> {
  const nothing = "Nothing was changed.";
  if (plan.cuts.some((cut) => cut.leavesGap) && !args["allow-gap"]) {
    throw new CliError("a file is damaged that is not the last one", {
      hint: `${nothing} --allow-gap cuts it; slotlog aof restore takes all that is before it.`,
    });
  }
  if (args.yes) return;
  if (args.json || !process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CliError("not confirmed", { hint: `${nothing} Say --yes to cut.` });
  }
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await questions.question("Cut, and keep the original beside it? [y/N] ");
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError("not confirmed", { hint: nothing });
  } finally {
    questions.close();
  }
}

async function applyCuts(plan: RepairPlan, shows: boolean): Promise<Done[]> {
  const disk = createDisk();
  const bar = new ProgressBar(process.stderr, shows);
  const done: Done[] = [];
  try {
    for (const cut of plan.cuts) {
      const total = cut.goodBytes + cut.lostBytes;
      const kept = await applyCut(disk, cut, (bytes) =>
        bar.at(`keeping ${cut.name}`, bytes, total),
      );
      done.push({ cut, kept });
    }
  } finally {
    bar.done();
  }
  return done;
}
