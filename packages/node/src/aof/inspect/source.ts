/**
 * Finds the AOF that a path means: a data directory, an append-only directory, a manifest, one of
 * its files, or the single file of Redis 6 and older. Owns the list of files in loading order and
 * what is odd about them; reads no record and changes nothing.
 */

import path from "node:path";
import { errorCode } from "../../adapters/disk-error.js";
import type { Disk } from "../../ports.js";
import { type AofFileInfo, type Manifest, parseManifest } from "../manifest.js";

export interface AofSourceFile {
  readonly name: string;
  readonly path: string;
  readonly role: "base" | "increment" | "single";
  /** Bytes when it was found; what a live node appends later is not looked at. */
  readonly size: number;
  /** Named by the manifest, and not there. */
  readonly missing: boolean;
  /** No file behind it holds data, so a server may cut a torn end off it. */
  readonly isLast: boolean;
}

export interface AofSource {
  /** What was named, or what was found below it. */
  readonly path: string;
  /** "part": one file of a manifest, looked at alone. */
  readonly kind: "multi-part" | "part" | "single";
  /** `dir` of the node that owns it: where its lock is. */
  readonly dataDirectory: string;
  /** `appenddirname`; for a single file what Redis would name it. */
  readonly directoryName: string;
  /** `appendfilename` */
  readonly appendFilename: string;
  readonly manifest: Manifest | undefined;
  /** In the order in which they are loaded. */
  readonly files: readonly AofSourceFile[];
  /** Worth saying, and no damage. */
  readonly notes: readonly string[];
}

/** There is no AOF at that path, or more than one. */
export class AofSourceError extends Error {
  readonly code = "SLOTLOG_AOF_SOURCE";

  constructor(message: string) {
    super(message);
    this.name = "AofSourceError";
  }
}

const manifestEnding = ".manifest";
const defaultDirectoryName = "appendonlydir";

/** Throws an `AofSourceError`, or a `ManifestError` if the manifest cannot be understood. */
export async function locateAof(disk: Disk, target: string): Promise<AofSource> {
  const full = path.resolve(target);
  const names = await listDirectory(disk, full);
  if (names !== undefined) return locateInDirectory(disk, full, names);
  if ((await disk.fileSize(full)) === undefined) {
    throw new AofSourceError(`${target} does not exist`);
  }
  const directory = path.dirname(full);
  const name = path.basename(full);
  if (name.endsWith(manifestEnding)) return multiPart(disk, directory, name);
  for (const manifest of manifestsIn((await listDirectory(disk, directory)) ?? [])) {
    const source = await multiPart(disk, directory, manifest).catch(() => undefined);
    const part = source?.files.find((file) => file.name === name);
    if (source !== undefined && part !== undefined) {
      return { ...source, path: full, kind: "part", files: [part], notes: [] };
    }
  }
  return single(disk, full);
}

async function locateInDirectory(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<AofSource> {
  const here = manifestsIn(names).map((name) => path.join(directory, name));
  const found = here.length > 0 ? here : await manifestsBelow(disk, directory, names);
  if (found.length > 1) throw new AofSourceError(several(directory, found));
  const [manifest] = found;
  if (manifest !== undefined) {
    return multiPart(disk, path.dirname(manifest), path.basename(manifest));
  }
  const singles = names.filter((name) => name.endsWith(".aof"));
  const parts = singles.filter((name) => partPattern.test(name));
  if (parts.length > 0) {
    throw new AofSourceError(
      `${directory} holds files of an AOF (${parts[0]}) but no manifest that says what they are. ` +
        `Bring the manifest back, or name one of the files to look at it alone`,
    );
  }
  if (singles.length > 1) throw new AofSourceError(several(directory, singles));
  const [only] = singles;
  if (only === undefined) throw new AofSourceError(`${directory} holds no append-only file`);
  return single(disk, path.join(directory, only));
}

const partPattern = /\.\d+\.(?:incr\.aof|base\.(?:aof|rdb))$/;

function several(directory: string, found: readonly string[]): string {
  return `${directory} holds more than one AOF, name one of them: ${found.join(", ")}`;
}

function manifestsIn(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith(manifestEnding) && !name.startsWith("temp-"));
}

async function manifestsBelow(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const below = path.join(directory, name);
    for (const manifest of manifestsIn((await listDirectory(disk, below)) ?? [])) {
      found.push(path.join(below, manifest));
    }
  }
  return found;
}

/** `undefined` if it is no directory, or one that we may not look into. */
async function listDirectory(disk: Disk, name: string): Promise<readonly string[] | undefined> {
  try {
    return await disk.list(name);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
}

async function multiPart(disk: Disk, directory: string, name: string): Promise<AofSource> {
  const manifestPath = path.join(directory, name);
  const manifest = parseManifest((await disk.readFile(manifestPath)) ?? Buffer.alloc(0));
  const { base, increments } = manifest;
  const infos = base === undefined ? increments : [base, ...increments];
  const sizes: (number | undefined)[] = [];
  for (const info of infos) sizes.push(await disk.fileSize(path.join(directory, info.name)));
  const last = sizes.findLastIndex((size) => size !== undefined && size > 0);
  const appendFilename = name.slice(0, -manifestEnding.length);
  return {
    path: manifestPath,
    kind: "multi-part",
    dataDirectory: path.dirname(directory),
    directoryName: path.basename(directory),
    appendFilename,
    manifest,
    files: infos.map((info, index) => ({
      name: info.name,
      path: path.join(directory, info.name),
      role: info.type === "b" ? "base" : "increment",
      size: sizes[index] ?? 0,
      missing: sizes[index] === undefined,
      isLast: index >= last,
    })),
    notes: await notesOn(disk, directory, { manifest, infos, appendFilename }),
  };
}

interface Named {
  readonly manifest: Manifest;
  readonly infos: readonly AofFileInfo[];
  readonly appendFilename: string;
}

async function notesOn(disk: Disk, directory: string, named: Named): Promise<string[]> {
  const { manifest, infos, appendFilename } = named;
  const notes: string[] = [];
  if (manifest.base === undefined) notes.push("the manifest names no base file");
  const history = new Set(manifest.history.map((info) => info.name));
  const loaded = new Set(infos.map((info) => info.name));
  for (const name of (await listDirectory(disk, directory)) ?? []) {
    if (loaded.has(name)) continue;
    if (history.has(name)) notes.push(`${name} is superseded and will be deleted by the node`);
    else if (name.startsWith("temp-")) notes.push(`${name} is left from an interrupted rewrite`);
    else if (name.startsWith(`${appendFilename}.`) && partPattern.test(name)) {
      notes.push(`${name} is not in the manifest: no server will load it`);
    }
  }
  return notes;
}

async function single(disk: Disk, file: string): Promise<AofSource> {
  const name = path.basename(file);
  const size = (await disk.fileSize(file)) ?? 0;
  return {
    path: file,
    kind: "single",
    dataDirectory: path.dirname(file),
    directoryName: defaultDirectoryName,
    appendFilename: name,
    manifest: undefined,
    files: [{ name, path: file, role: "single", size, missing: false, isLast: true }],
    notes: [],
  };
}
