/** What loading a configuration asks of the machine, on `node:fs`. Runs once, before anything. */

import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { getSystemErrorMap } from "node:util";
import type { LoadEnvironment } from "../config/config-file.js";

export function systemLoadEnvironment(product: string): LoadEnvironment {
  return {
    product,
    workingDirectory: process.cwd(),
    checkDirectory(path) {
      return reasonOf(() => {
        if (!statSync(path).isDirectory()) throw systemError("ENOTDIR");
        accessSync(path, constants.X_OK);
      });
    },
    readFile(path) {
      let bytes: Uint8Array = new Uint8Array(0);
      const reason = reasonOf(() => {
        bytes = readFileSync(path);
      });
      if (reason !== undefined) throw new Error(reason);
      return bytes;
    },
    listDirectory(path) {
      try {
        return readdirSync(path).sort();
      } catch {
        return undefined;
      }
    },
    readStandardInput: () => readFileSync(0),
    checkLogFile: (path) => reasonOf(() => closeSync(openSync(path, "a"))),
  };
}

/** `strerror`'s words for a failure, since those are what people search for. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EROFS: "Read-only file system",
  ENOSPC: "No space left on device",
  EPERM: "Operation not permitted",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
};

function reasonOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return REASONS[code] ?? describe(code);
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function describe(code: string): string {
  for (const [name, message] of getSystemErrorMap().values()) {
    if (name === code) return message;
  }
  return code;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
