// What `dump` and `history` share: lines to standard output as they are found, progress beside
// them, and at the end a word about what could not be read.

import type { AofWalk } from "@slotlog/node/aof";
import { type ExitCode, exitCodes } from "../errors.js";
import { LineOutput } from "./output.js";
import { ProgressBar } from "./progress-bar.js";

export class Listing {
  readonly output = new LineOutput(process.stdout);
  lines = 0;
  private readonly bar: ProgressBar;
  private readonly totalBytes: number;

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
    // Bar and lines on one terminal would run into each other.
    this.bar = new ProgressBar(process.stderr, !process.stdout.isTTY);
  }

  line(text: string): void {
    this.lines++;
    this.output.line(text);
  }

  pause(): Promise<void> | undefined {
    return this.output.pause();
  }

  stopped(): boolean {
    return this.output.closed;
  }

  progress(bytes: number): void {
    this.bar.at("reading", bytes, this.totalBytes);
  }

  async end(work: () => Promise<AofWalk>): Promise<AofWalk> {
    try {
      return await work();
    } finally {
      this.output.end();
      this.bar.done();
    }
  }
}

/** A torn end is where the log ends; behind damage there is more that nobody can vouch for. */
export function endingOf({ broken }: AofWalk, live: boolean): ExitCode {
  if (broken === undefined) return exitCodes.ok;
  const { file, walk } = broken;
  const { verdict } = walk;
  if (verdict.kind === "torn" && file.isLast) {
    if (!live) {
      console.error(`slotlog: ${file.name} is torn at offset ${walk.boundary}, the log ends there`);
      if (verdict.inside === "transaction") {
        console.error("  The transaction at its end has no EXEC: servers do not apply it.");
      }
    }
    return exitCodes.ok;
  }
  const at = "offset" in verdict ? verdict.offset : walk.boundary;
  const reason = "reason" in verdict ? `: ${verdict.reason}` : ", and files follow it";
  console.error(`slotlog: ${file.name} is ${verdict.kind} at offset ${at}${reason}`);
  console.error(`  What stands behind it was not read. See: slotlog aof check ${file.path}`);
  return exitCodes.failure;
}
