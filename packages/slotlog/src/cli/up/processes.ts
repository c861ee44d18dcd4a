// The nodes' processes: starts one, keeps its log, passes on what sounds like trouble, tells when
// it ends, and ends it: first politely, then by its pid.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { reasonOf } from "../errors.js";
import type { NodePlan } from "./plan.js";

/** What starts a node: the program and the arguments that come before the node's own. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Beside what we have ourselves. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process needs of its place in the cluster. */
export type ProcessPlan = Pick<NodePlan, "port" | "directory">;

/** How a process ended, in words: `exit code 1`, `signal SIGKILL`, `spawn ... ENOENT`. */
export interface Ending {
  readonly clean: boolean;
  readonly how: string;
}

const lastLinesMax = 20;
export const logFileName = "node.log";

export class NodeProcess {
  readonly plan: ProcessPlan;
  readonly ended: Promise<Ending>;
  /** The last lines it printed: all there is to explain an early death. */
  readonly lastLines: string[] = [];
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #onTrouble: (line: string) => void;
  #running = true;

  constructor(
    plan: ProcessPlan,
    launch: Launch,
    nodeArgs: readonly string[],
    onTrouble: (line: string) => void,
  ) {
    this.plan = plan;
    this.#onTrouble = onTrouble;
    this.#log = createWriteStream(join(plan.directory, logFileName), { flags: "a" });
    // The log is a convenience: a full disk must not end the cluster through it.
    this.#log.on("error", (error) => onTrouble(`its log cannot be written: ${error.message}`));
    this.#child = spawn(launch.command, [...launch.args, ...nodeArgs], {
      // The channel tells a node when we are gone, however we went (see cli/node.ts).
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // In a process group of its own, a Ctrl-C reaches it through us, once and in order.
      detached: process.platform !== "win32",
      windowsHide: true,
      env: { ...process.env, ...launch.env },
    });
    this.#watch(this.#child.stdout);
    this.#watch(this.#child.stderr);
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending): void => {
        this.#running = false;
        this.#log.end();
        resolve(ending);
      };
      this.#child.once("error", (error) => end({ clean: false, how: reasonOf(error) }));
      this.#child.once("close", (code, signal) =>
        end({ clean: code === 0, how: signal === null ? `exit code ${code}` : `signal ${signal}` }),
      );
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Asks it to shut down in order; after `graceMs` it is killed. */
  async stop(graceMs: number): Promise<Ending> {
    this.#ask();
    const timer = setTimeout(() => this.kill(), graceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    if (this.#running) this.#child.kill("SIGKILL");
  }

  #ask(): void {
    if (!this.#running) return;
    // Windows has no SIGTERM that could be caught; there the closed channel says the same.
    if (process.platform === "win32" && this.#child.connected) this.#child.disconnect();
    else this.#child.kill("SIGTERM");
  }

  #watch(stream: Readable | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on("line", (line) => {
      this.#log.write(`${line}\n`);
      this.lastLines.push(line);
      if (this.lastLines.length > lastLinesMax) this.lastLines.shift();
      const trouble = troubleIn(line);
      if (trouble !== undefined) this.#onTrouble(trouble);
    });
  }
}

/**
 * The message of a log line that is a warning: Redis marks those with `#` after the time, as in
 * `812:M 21 Nov 2026 01:02:03.456 # Cluster state changed: fail`.
 */
export function troubleIn(line: string): string | undefined {
  return /^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ # (.*)$/.exec(line)?.[1];
}
