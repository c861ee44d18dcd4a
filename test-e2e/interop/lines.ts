// The small language of the reply comparison: one step per line.
//
//   SET k "a\x00b"        a command; quotes and escapes as in redis-cli
//   SET k <x*70000>       `<text*count>` is the text repeated
//   @b GET k              on another connection, made when first named
//   ~sorted KEYS *        compared otherwise than byte for byte (see compare.ts)
//   raw "PING\r\n"        bytes as they are, one reply; raw*2 two replies, raw*close all that comes
//   read                  one more reply
//   # ...                 a comment

import { type CompareMode, isCompareMode } from "./compare.js";

export interface Step {
  readonly line: string;
  readonly connection: string;
  readonly mode: CompareMode;
  readonly action:
    | { readonly kind: "command"; readonly args: readonly string[] }
    | { readonly kind: "raw"; readonly bytes: string; readonly replies: number | "close" }
    | { readonly kind: "read" };
}

export function parseSteps(text: string): Step[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseStep);
}

function parseStep(line: string): Step {
  let words = splitWords(line);
  let connection = "a";
  let mode: CompareMode = "exact";
  if (words[0]?.startsWith("@") === true) {
    connection = words[0].slice(1);
    words = words.slice(1);
  }
  if (words[0]?.startsWith("~") === true) {
    const name = words[0].slice(1);
    if (!isCompareMode(name)) throw new Error(`${line}: no such comparison`);
    mode = name;
    words = words.slice(1);
  }
  return { line, connection, mode, action: parseAction(words, line) };
}

function parseAction(words: readonly string[], line: string): Step["action"] {
  const [verb = "", bytes] = words;
  if (verb === "read" && words.length === 1) return { kind: "read" };
  const raw = /^raw(?:\*(\d+|close))?$/.exec(verb);
  if (raw !== null) {
    if (bytes === undefined || words.length > 2) throw new Error(`${line}: raw takes one word`);
    const replies = raw[1] === "close" ? "close" : Number(raw[1] ?? 1);
    return { kind: "raw", bytes, replies };
  }
  return { kind: "command", args: words };
}

const simpleEscapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

export function splitWords(line: string): string[] {
  const words: string[] = [];
  const pattern = /"((?:\\.|[^"\\])*)"|'([^']*)'|(\S+)/g;
  for (const [, double, single, bare] of line.matchAll(pattern)) {
    if (double !== undefined) words.push(expand(unescape(double)));
    else words.push(expand(single ?? bare ?? ""));
  }
  return words;
}

function unescape(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (simpleEscapes[char] ?? char) : String.fromCharCode(parseInt(hex, 16)),
  );
}

function expand(word: string): string {
  return word.replace(/<([^<>*]+)\*(\d+)>/g, (_, text: string, count: string) =>
    text.repeat(Number(count)),
  );
}
