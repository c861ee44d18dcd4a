/**
 * Between text as JavaScript has it (file names, command line) and byte strings, whose characters
 * stand for one byte each. Values of directives are byte strings, since clients may set any bytes
 * and must get them back.
 */

import { resolve } from "node:path";

export function byteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function textOfBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The path that a directive's value means, seen from the node's `dir`. */
export function pathIn(dir: string, path: string): string {
  return resolve(textOfBytes(dir), textOfBytes(path));
}
