/**
 * The manifest of a multi-part AOF: which files make up the data set, in which order. Text in and
 * text out, and the naming rules; no I/O. Refuses what Redis refuses, with Redis' words.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b
 *     file appendonly.aof.1.incr.aof seq 1 type h
 *     file appendonly.aof.2.incr.aof seq 2 type i
 */

import { quoteArgument, splitArguments } from "../config/split-arguments.js";

/** `b` base: a snapshot; `i` increment: records since; `h` history: superseded, to be deleted. */
export type AofFileType = "b" | "i" | "h";

export interface AofFileInfo {
  readonly name: string;
  readonly sequence: number;
  readonly type: AofFileType;
}

/** Immutable: every change makes a new manifest, which replaces the old one once it is durable. */
export interface Manifest {
  readonly base: AofFileInfo | undefined;
  readonly history: readonly AofFileInfo[];
  /** In ascending order of their sequence numbers; the last one is being written. */
  readonly increments: readonly AofFileInfo[];
  /** Sequence numbers given out last; they never go back, also when a file is gone. */
  readonly baseSequence: number;
  readonly incrementSequence: number;
}

export const emptyManifest: Manifest = {
  base: undefined,
  history: [],
  increments: [],
  baseSequence: 0,
  incrementSequence: 0,
};

/** The manifest cannot be understood; starting without it would lose the data it names. */
export class ManifestError extends Error {
  readonly code = "SLOTLOG_AOF_MANIFEST";
  /** Redis' words for what is wrong. */
  readonly reason: string;
  /** 1-based; 0 if no line is to blame. */
  readonly lineNumber: number;
  readonly line: string;

  constructor(reason: string, lineNumber: number, line: string) {
    super(lineNumber === 0 ? reason : `${reason} (AOF manifest, line ${lineNumber}: '${line}')`);
    this.name = "ManifestError";
    this.reason = reason;
    this.lineNumber = lineNumber;
    this.line = line;
  }
}

/** Redis reads lines into 1,025 bytes with the final zero, so this is the longest with its LF. */
const lineBytesMax = 1024;

/** Parses a manifest file. Throws a `ManifestError` on what Redis would refuse to start with. */
export function parseManifest(content: Uint8Array): Manifest {
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString("latin1");
  if (text.length === 0) throw new ManifestError("Found an empty AOF manifest", 0, "");
  let base: AofFileInfo | undefined;
  const history: AofFileInfo[] = [];
  const increments: AofFileInfo[] = [];
  let lineNumber = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(start, end);
    start = end;
    lineNumber++;
    if (line.startsWith("#")) continue;
    const fail = (reason: string): never => {
      throw new ManifestError(reason, lineNumber, line.trim());
    };
    if (newline < 0 || line.length > lineBytesMax) {
      fail("The AOF manifest file contains too long line");
    }
    const info = parseLine(line, fail);
    if (info.type === "b") {
      if (base !== undefined) fail("Found duplicate base file information");
      base = info;
    } else if (info.type === "h") {
      history.push(info);
    } else {
      if (info.sequence <= (increments.at(-1)?.sequence ?? 0)) {
        fail("Found a non-monotonic sequence number");
      }
      increments.push(info);
    }
  }
  return {
    base,
    history,
    increments,
    baseSequence: base?.sequence ?? 0,
    incrementSequence: increments.at(-1)?.sequence ?? 0,
  };
}

/** Pairs of words; keys that are not known are skipped, for manifests of later versions. */
function parseLine(line: string, fail: (reason: string) => never): AofFileInfo {
  const words = splitArguments(line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
  if (words === undefined || words.length < 6 || words.length % 2 !== 0) {
    return fail("Invalid AOF manifest file format");
  }
  let name = "";
  let sequence = 0;
  let type = "";
  for (let index = 0; index + 1 < words.length; index += 2) {
    const key = words[index]?.toLowerCase();
    const value = words[index + 1] ?? "";
    if (key === "file") {
      if (/[/\\]/.test(value)) fail("File can't be a path, just a filename");
      name = Buffer.from(value, "latin1").toString("utf8");
    } else if (key === "seq") {
      sequence = Number(/^\s*[+-]?\d+/.exec(value)?.[0] ?? 0);
    } else if (key === "type") {
      type = value.charAt(0);
    }
  }
  // An empty name would name the directory itself.
  if (name === "" || sequence === 0 || !Number.isSafeInteger(sequence) || type === "") {
    return fail("Invalid AOF manifest file format");
  }
  if (type !== "b" && type !== "i" && type !== "h") return fail("Unknown AOF file type");
  return { name, sequence, type };
}

/** The manifest as Redis writes it: base, history, increments. */
export function formatManifest(manifest: Manifest): string {
  const base = manifest.base === undefined ? [] : [manifest.base];
  return [...base, ...manifest.history, ...manifest.increments].map(formatLine).join("");
}

function formatLine(info: AofFileInfo): string {
  const bytes = Buffer.from(info.name, "utf8").toString("latin1");
  const name = /^[!#-[\]-~]+$/.test(bytes) ? bytes : quoteArgument(bytes);
  return `file ${name} seq ${info.sequence} type ${info.type}\n`;
}

export function manifestName(appendFilename: string): string {
  return `${appendFilename}.manifest`;
}

export function temporaryIncrementName(appendFilename: string): string {
  return `temp-${appendFilename}.incr`;
}

/** A manifest with one more increment at its end. */
export function withNextIncrement(manifest: Manifest, appendFilename: string): Manifest {
  const sequence = manifest.incrementSequence + 1;
  const name = `${appendFilename}.${sequence}.incr.aof`;
  return {
    ...manifest,
    increments: [...manifest.increments, { name, sequence, type: "i" }],
    incrementSequence: sequence,
  };
}

/** The increment that is being written. */
export function lastIncrement(manifest: Manifest): AofFileInfo {
  const info = manifest.increments.at(-1);
  if (info === undefined) throw new Error("the AOF manifest has no increment");
  return info;
}

/** A manifest whose base is a new file; the base before it becomes history. */
export function withNextBase(
  manifest: Manifest,
  appendFilename: string,
  format: "rdb" | "aof",
): Manifest {
  const sequence = manifest.baseSequence + 1;
  const name = `${appendFilename}.${sequence}.base.${format}`;
  const superseded = manifest.base === undefined ? [] : [asHistory(manifest.base)];
  return {
    ...manifest,
    base: { name, sequence, type: "b" },
    history: [...superseded, ...manifest.history],
    baseSequence: sequence,
  };
}

/** A manifest in which all increments before `keepFrom` are history. */
export function withoutIncrementsBefore(manifest: Manifest, keepFrom: number): Manifest {
  const superseded = manifest.increments.filter((info) => info.sequence < keepFrom);
  return {
    ...manifest,
    history: [...superseded.map(asHistory), ...manifest.history],
    increments: manifest.increments.filter((info) => info.sequence >= keepFrom),
  };
}

function asHistory(info: AofFileInfo): AofFileInfo {
  return { ...info, type: "h" };
}
