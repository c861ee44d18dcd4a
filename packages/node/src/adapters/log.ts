/**
 * The `Log` port on `pino`. Lines look as Redis prints them, since people and test suites search
 * for them, or are JSON objects. Level and file change while the node runs. Writing is synchronous:
 * the last lines before a crash are the ones that are needed.
 */

import { appendFileSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";
import type { Clock, Log, LogLevel } from "../ports.js";

export interface NodeLogOptions {
  readonly clock: Pick<Clock, "now">;
  readonly format: "human" | "json";
  /** The least important level that is printed. */
  readonly level: LogLevel | "nothing";
  /** Absolute path, or `""` for standard output. */
  readonly file: string;
  /** What the node is now: a letter in front of each line, a field in JSON. */
  role(): "primary" | "replica" | "router";
  readonly pid?: number;
  /** Takes whole lines in place of standard output. */
  readonly sink?: (line: string) => void;
}

const LEVELS = { debug: 10, verbose: 20, notice: 30, warning: 40 } as const;
const LEVEL_MARKS: Readonly<Record<LogLevel, string>> = {
  debug: ".",
  verbose: "-",
  notice: "*",
  warning: "#",
};
const ROLE_LETTERS = { primary: "M", replica: "S", router: "R" } as const;
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

type Fields = Readonly<Record<string, unknown>>;

export class NodeLog implements Log {
  readonly #options: NodeLogOptions;
  readonly #pid: number;
  readonly #logger: Logger<LogLevel>;
  #file: string;
  /** Opened at the first line that needs it, so that a node with a log file never touches it. */
  #standardOutput: DestinationStream | undefined;

  constructor(options: NodeLogOptions) {
    this.#options = options;
    this.#pid = options.pid ?? process.pid;
    this.#file = options.file;
    this.#logger = pino<LogLevel>(
      {
        base: { pid: this.#pid },
        customLevels: LEVELS,
        useOnlyCustomLevels: true,
        level: options.level === "nothing" ? "silent" : options.level,
        formatters: { level: (label) => ({ level: label }) },
        timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
        mixin: () => ({ role: options.role() }),
        messageKey: "message",
      },
      { write: (line) => this.#write(line) },
    );
  }

  debug(message: string, fields?: Fields): void {
    this.#print("debug", message, fields);
  }

  verbose(message: string, fields?: Fields): void {
    this.#print("verbose", message, fields);
  }

  notice(message: string, fields?: Fields): void {
    this.#print("notice", message, fields);
  }

  warning(message: string, fields?: Fields): void {
    this.#print("warning", message, fields);
  }

  setLevel(level: LogLevel | "nothing"): void {
    this.#logger.level = level === "nothing" ? "silent" : level;
  }

  /** An absolute path, or `""` for standard output; from the next line on. */
  setFile(file: string): void {
    this.#file = file;
  }

  #print(level: LogLevel, message: string, fields: Fields | undefined): void {
    if (this.#options.format === "json") {
      this.#logger[level](fields ?? {}, message);
    } else if (this.#logger.isLevelEnabled(level)) {
      this.#write(this.#humanLine(level, message, fields));
    }
  }

  #humanLine(level: LogLevel, message: string, fields: Fields | undefined): string {
    const role = ROLE_LETTERS[this.#options.role()];
    const time = humanTime(this.#options.clock.now());
    const suffix = fields === undefined ? "" : humanFields(fields);
    return `${this.#pid}:${role} ${time} ${LEVEL_MARKS[level]} ${message}${suffix}\n`;
  }

  /**
   * A log file is opened for each line, as Redis does: whoever rotates logs renames the file and
   * need not tell us. A line that cannot be written is lost: there is nowhere to say so.
   */
  #write(line: string): void {
    if (this.#file === "") {
      if (this.#options.sink !== undefined) return this.#options.sink(line);
      // Survives a full pipe and a reader that has gone, which `process.stdout` does not.
      this.#standardOutput ??= pino.destination({ dest: 1, sync: true });
      this.#standardOutput.write(line);
      return;
    }
    try {
      appendFileSync(this.#file, line);
    } catch {
      // A full disk must not stop the node that could serve from memory.
    }
  }
}

/** `21 Nov 2026 02:07:02.123`, in local time. */
function humanTime(unixMs: number): string {
  const at = new Date(unixMs);
  const month = MONTHS.slice(at.getMonth() * 3, at.getMonth() * 3 + 3);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return `${twoDigits(at.getDate())} ${month} ${at.getFullYear()} ${clock}.${millis}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function humanFields(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${humanValue(value)}`)
    .join("");
}

function humanValue(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
}
