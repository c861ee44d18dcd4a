/**
 * The one error class that disks throw: the production disk and the simulated one alike, so that
 * callers decide by `code` and never by where the failure came from.
 */

import type { DiskError } from "../ports.js";

export interface DiskFailureDetails {
  readonly path?: string;
  readonly written?: number;
  readonly cause?: unknown;
}

export class DiskFailure extends Error implements DiskError {
  readonly code: string;
  readonly path?: string;
  readonly written?: number;

  constructor(code: string, message: string, details: DiskFailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "DiskError";
    this.code = code;
    if (details.path !== undefined) this.path = details.path;
    if (details.written !== undefined) this.written = details.written;
  }
}

/** Wraps what `node:fs` threw. Anything without an errno name becomes `EIO`. */
export function toDiskFailure(cause: unknown, path: string, written?: number): DiskFailure {
  if (cause instanceof DiskFailure) return cause;
  const code = errorCode(cause) ?? "EIO";
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DiskFailure(code, message, {
    path,
    cause,
    ...(written === undefined ? {} : { written }),
  });
}

/** The errno name of an error, if it carries one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * The texts of strerror(3) for the errors a full or failing disk gives, because Redis' log lines
 * end in them and operators search for those lines.
 */
const errnoTexts: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EDQUOT: "Disk quota exceeded",
  EEXIST: "File exists",
  EFBIG: "File too large",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  EMFILE: "Too many open files",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

/** What strerror(3) says of this error; its own message if it is none of the usual ones. */
export function errnoText(error: unknown): string {
  const text = errnoTexts[errorCode(error) ?? ""];
  if (text !== undefined) return text;
  return error instanceof Error ? error.message : String(error);
}
