/**
 * Walks through all files of an AOF in the order in which they are loaded, as one log whose time
 * goes on from file to file. Owns where it stops: at the first file that is not whole, because what
 * follows would be applied to a state that nobody knows.
 */

import type { Disk } from "../../ports.js";
import type { AofSource, AofSourceFile } from "./source.js";
import { type FileVisitor, type FileWalk, newWalkState, walkFile } from "./walk.js";

export interface AofVisitor extends FileVisitor {
  file?(file: AofSourceFile): void;
}

export interface AofWalk {
  readonly walks: readonly { readonly file: AofSourceFile; readonly walk: FileWalk }[];
  /** There was a `#TS:` line. */
  readonly hasTimes: boolean;
  /** The file that is not whole, if one is; nothing behind it was looked at. */
  readonly broken: { readonly file: AofSourceFile; readonly walk: FileWalk } | undefined;
}

/** A file of the manifest is not there. */
export class MissingFileError extends Error {
  readonly code = "SLOTLOG_AOF_MISSING_FILE";

  constructor(file: AofSourceFile) {
    super(`${file.path} is missing, and the manifest names it`);
    this.name = "MissingFileError";
  }
}

export async function walkAof(
  disk: Disk,
  source: AofSource,
  visitor: AofVisitor,
): Promise<AofWalk> {
  const walks: { file: AofSourceFile; walk: FileWalk }[] = [];
  let state = newWalkState();
  let before = 0;
  for (const file of source.files) {
    if (file.missing) throw new MissingFileError(file);
    visitor.file?.(file);
    const start = before;
    const progress = (bytes: number): void => visitor.progress?.(start + bytes);
    const walk = await walkFile(disk, file, withProgress(visitor, progress), state);
    const entry = { file, walk };
    walks.push(entry);
    if (walk.lastTime >= 0) state = { ...state, time: walk.lastTime };
    before += file.size;
    const hasTimes = state.time >= 0;
    if (walk.verdict.kind !== "whole") return { walks, hasTimes, broken: entry };
    if (visitor.stopped?.() === true) break;
  }
  return { walks, hasTimes: state.time >= 0, broken: undefined };
}

/** The same visitor, whose methods keep their `this`. */
function withProgress(visitor: AofVisitor, progress: (bytes: number) => void): FileVisitor {
  return {
    rdb: (event, file) => visitor.rdb?.(event, file),
    record: (record) => visitor.record?.(record),
    time: (seconds, boundary, divides) => visitor.time?.(seconds, boundary, divides),
    pause: () => visitor.pause?.(),
    stopped: () => visitor.stopped?.() ?? false,
    progress,
  };
}
