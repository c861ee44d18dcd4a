/**
 * Reads a node's configuration from redis.conf and the command line, in redis-server's syntax.
 * What it cannot take stops the start, with the file, the line and the reason. It opens files only
 * through its environment and prints nothing.
 */

import { resolve } from "node:path";
import { pathIn, textOfBytes } from "./byte-string.js";
import { parseCommandLine } from "./command-line.js";
import { Configuration, type ConfigEnvironment, type NodeConfig } from "./config.js";
import { Refusal } from "./directive.js";
import { entries, findEntry } from "./directives/index.js";
import { expandPath, hasWildcard, type ListDirectory } from "./include-glob.js";
import { splitArguments } from "./split-arguments.js";
import { nearest } from "./suggest.js";

export interface LoadEnvironment extends ConfigEnvironment {
  /** The product and its version, as error messages show it. */
  readonly product: string;
  /** The bytes of a file; throws an error whose message is the system's reason. */
  readFile(path: string): Uint8Array;
  readonly listDirectory: ListDirectory;
  /** Everything on standard input, to its end. */
  readStandardInput(): Uint8Array;
  /** Why a log file cannot be opened for appending, or `undefined` if it can. */
  checkLogFile(path: string): string | undefined;
}

export interface LoadHooks {
  /** Takes the words after `user`; says what is wrong with them, or `undefined`. */
  declareUser?(words: readonly string[]): string | undefined;
  /** Takes a command's name and its new one (`""`: none); says what is wrong, or `undefined`. */
  renameCommand?(from: string, to: string): string | undefined;
}

export interface LoadedConfig {
  readonly config: Configuration;
  /** What the node should log as warnings when it starts. */
  readonly warnings: readonly string[];
}

/** The configuration cannot be used; `message` is what the command line prints before it exits. */
export class ConfigFileError extends Error {
  readonly code = "CONFIG_FILE";
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly reason: string;

  constructor(message: string, where: Place & { readonly reason: string }) {
    super(message);
    this.name = "ConfigFileError";
    this.file = where.file;
    this.line = where.line;
    this.reason = where.reason;
  }
}

interface Place {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly text?: string | undefined;
}

/** Directives of Redis 7.2 that were dropped long ago and may still stand in a file. */
const IGNORED: readonly string[] = [
  "list-max-ziplist-entries",
  "list-max-ziplist-value",
  "lua-replicate-commands",
];
const FILE_ONLY: readonly string[] = ["include", "rename-command", "user", "loadmodule"];
const BAD_DIRECTIVE = "Bad directive or wrong number of arguments";

/** A file that includes itself would never end; nobody nests files this deep on purpose. */
const INCLUDE_DEPTH_MAX = 32;

/**
 * Loads `args` as redis-server takes them after its own name. `overrides` are defaults that differ
 * on this machine, like a limit derived from the heap.
 */
export function loadConfig(
  args: readonly string[],
  environment: LoadEnvironment,
  options: { readonly overrides?: Partial<NodeConfig>; readonly hooks?: LoadHooks } = {},
): LoadedConfig {
  const commandLine = parseCommandLine(args);
  const config = new Configuration(environment, options.overrides);
  const loader = new Loader(config, environment, options.hooks ?? {});
  if (commandLine.file !== undefined) {
    config.file = resolve(environment.workingDirectory, commandLine.file);
    loader.loadPath(config.file, 0);
  }
  if (commandLine.standardInput) {
    loader.loadText(environment.readStandardInput(), "standard input", 0);
  }
  for (const line of commandLine.lines) loader.loadLine(line, {}, 0);
  return { config, warnings: loader.finish() };
}

class Loader {
  readonly #config: Configuration;
  readonly #environment: LoadEnvironment;
  readonly #hooks: LoadHooks;
  readonly #mentioned = new Set<string>();
  readonly #warnings: string[] = [];

  constructor(config: Configuration, environment: LoadEnvironment, hooks: LoadHooks) {
    this.#config = config;
    this.#environment = environment;
    this.#hooks = hooks;
  }

  loadPath(path: string, depth: number): void {
    let bytes: Uint8Array;
    try {
      bytes = this.#environment.readFile(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Fatal error, can't open config file '${path}': ${reason}`;
      throw new ConfigFileError(message, { file: path, reason });
    }
    this.loadText(bytes, path, depth);
  }

  loadText(bytes: Uint8Array, file: string, depth: number): void {
    const rows = Buffer.from(bytes).toString("latin1").split("\n");
    for (const [i, row] of rows.entries()) this.loadLine(row, { file, line: i + 1 }, depth);
  }

  loadLine(row: string, place: Place, depth: number): void {
    const text = row.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
    if (text === "" || text.startsWith("#")) return;
    const words = splitArguments(text);
    if (words === undefined) {
      throw this.#fatal({ ...place, text }, "Unbalanced quotes in configuration line");
    }
    if (words.length === 0) return;
    const reason = this.#take(words[0]!.toLowerCase(), words.slice(1), depth);
    if (reason !== undefined) throw this.#fatal({ ...place, text }, reason);
  }

  /** Checks what only the whole can show. Returns warnings. */
  finish(): string[] {
    const { values } = this.#config;
    const warnings = this.#warnings;
    if (values.logfile !== "") {
      const reason = this.#environment.checkLogFile(pathIn(values.dir, values.logfile));
      if (reason !== undefined) throw this.#fatal({}, `Can't open the log file: ${reason}`);
    }
    if (values.clusterEnabled && values.replicaof !== undefined) {
      throw this.#fatal({}, "replicaof directive not allowed in cluster mode");
    }
    if (values.clusterEnabled && values.databases > 1) {
      warnings.push(
        `WARNING: Changing databases number from ${values.databases} to 1 since we are in cluster mode`,
      );
      this.#config.assign("databases", 1);
    }
    if (values.daemonize) {
      warnings.push("WARNING: daemonize has no effect: the node stays in the foreground");
    }
    return warnings;
  }

  /** Takes one directive; returns the reason if it cannot. */
  #take(name: string, words: readonly string[], depth: number): string | undefined {
    const entry = findEntry(name);
    if (entry !== undefined) return this.#set(entry.name, words);
    if (IGNORED.includes(name) && words.length === 1) return undefined;
    if (name === "include" && words.length === 1) return this.#include(words[0]!, depth);
    if (name === "user" && words.length >= 1) {
      const reason = this.#hooks.declareUser?.(words);
      this.#config.userLines.push(words);
      return reason;
    }
    if (name === "rename-command" && words.length === 2) {
      const [from, to] = [words[0]!, words[1]!];
      this.#config.renamedCommands.push([from, to]);
      return this.#hooks.renameCommand?.(from, to);
    }
    // A name with a dot is a module's directive.
    if ((name === "loadmodule" && words.length >= 1) || name.includes(".")) {
      return "modules are not supported";
    }
    if (name === "sentinel") return "sentinel directive while not in sentinel mode";
    if (FILE_ONLY.includes(name) || IGNORED.includes(name)) return BAD_DIRECTIVE;
    const near = nearest(name, [...entries.map((each) => each.name), ...FILE_ONLY]);
    return near === undefined ? BAD_DIRECTIVE : `${BAD_DIRECTIVE}. Did you mean '${near}'?`;
  }

  #set(name: string, words: readonly string[]): string | undefined {
    const entry = findEntry(name)!;
    const { directive } = entry;
    if (!directive.multi && words.length !== 1) return "wrong number of arguments";
    // One quoted word may hold them all: `--shutdown-on-sigint "now force"`.
    const list =
      directive.multi && words.length === 1 && words[0] !== ""
        ? (splitArguments(words[0]!) ?? [])
        : words;
    const firstMention = !this.#mentioned.has(directive.name);
    const outcome = this.#config.read(entry, list, { loading: true, firstMention });
    if (outcome instanceof Refusal) {
      if (directive.name !== "activedefrag") return outcome.reason;
      // Files from servers that can do it must load: it would only have saved memory.
      this.#warnings.push(`WARNING: ${outcome.reason}`);
    }
    this.#mentioned.add(directive.name);
    return undefined;
  }

  /** Relative to `dir` as it stands at this line: redis-server has changed into it by then. */
  #include(pattern: string, depth: number): string | undefined {
    if (depth >= INCLUDE_DEPTH_MAX) {
      return `include: more than ${INCLUDE_DEPTH_MAX} files within each other`;
    }
    const path = pathIn(this.#config.values.dir, pattern);
    const paths = hasWildcard(pattern) ? expandPath(path, this.#environment.listDirectory) : [path];
    for (const each of paths) this.loadPath(each, depth + 1);
    return undefined;
  }

  #fatal(place: Place, reason: string): ConfigFileError {
    const lines = [`\n*** FATAL CONFIG FILE ERROR (${this.#environment.product}) ***`];
    if (place.text !== undefined) {
      lines.push(
        place.file === undefined
          ? "Reading the command line"
          : `Reading the configuration file ${place.file}, at line ${place.line}`,
        `>>> '${textOfBytes(place.text)}'`,
      );
    }
    lines.push(reason);
    return new ConfigFileError(lines.join("\n"), { ...place, reason });
  }
}
