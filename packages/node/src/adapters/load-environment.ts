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
import type { LoadEnvironment } from "../config/config-file.js";
import { errnoText, errorCode } from "./disk-error.js";

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

function reasonOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return errnoText(error);
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
