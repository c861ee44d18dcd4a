// How two replies are compared. Byte for byte, unless chance, time or the machine has a part in
// them.

import { parseReply, type Tree } from "../harness/reply.js";

const modes = ["exact", "sorted", "shape", "near", "fields", "any", "first-word"] as const;

export type CompareMode = (typeof modes)[number];

export function isCompareMode(name: string): name is CompareMode {
  return modes.some((mode) => mode === name);
}

/** Milliseconds two servers asked one after the other may differ, on a busy machine. */
const nearTolerance = 2_000;

export function equalReplies(mode: CompareMode, ours: Buffer, theirs: Buffer): boolean {
  switch (mode) {
    case "exact":
      return ours.equals(theirs);
    case "any":
      return true;
    case "first-word":
      return firstWord(ours) === firstWord(theirs);
    case "sorted":
      return compareTrees(ours, theirs, (tree) => JSON.stringify(sorted(tree)));
    case "shape":
      return compareTrees(ours, theirs, shape);
    case "near":
      return near(ours, theirs);
    case "fields":
      return compareTrees(ours, theirs, fields);
  }
}

function firstWord(bytes: Buffer): string | undefined {
  return bytes.toString("latin1").split(/[ \r]/)[0];
}

function compareTrees(ours: Buffer, theirs: Buffer, view: (tree: Tree) => string): boolean {
  const left = parseReply(ours);
  const right = parseReply(theirs);
  if (left === undefined || right === undefined) return ours.equals(theirs);
  return view(left.tree) === view(right.tree);
}

/** Order does not matter, on any level: what hash tables decide. */
function sorted(tree: Tree): unknown {
  if ("text" in tree) return [tree.type, tree.text];
  const items = tree.items.map((item) => JSON.stringify(sorted(item)));
  return [tree.type, items.sort()];
}

/** Types and lengths of lists, not what the single values say. */
function shape(tree: Tree): string {
  if ("text" in tree) return tree.type;
  return `${tree.type}[${tree.items.map(shape).join()}]`;
}

/** Numbers may lie a little apart; everything else is equal. */
function near(ours: Buffer, theirs: Buffer): boolean {
  const left = ours.toString("latin1");
  const right = theirs.toString("latin1");
  const number = /-?\d+/g;
  if (left.replace(number, "n") !== right.replace(number, "n")) return false;
  const others = right.match(number) ?? [];
  return (left.match(number) ?? []).every((text, index) => {
    const other = Number(others[index]);
    // -1 and -2 mean something of their own.
    if (Number(text) < 0 || other < 0) return Number(text) === other;
    return Math.abs(Number(text) - other) <= nearTolerance;
  });
}

/** The names in `name=value name=value` and in `name:value` lines. */
/** CLUSTER INFO has a line for each type of message that was sent so far: a matter of timing. */
const messageCounter = /^cluster_stats_messages_\w+_(?:sent|received)$/;

function fields(tree: Tree): string {
  if ("items" in tree) return JSON.stringify(tree.items.map(fields));
  const names = [...tree.text.matchAll(/(?:^|[\s])([\w.-]+)[=:]/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => !messageCounter.test(name));
  return JSON.stringify([tree.type, names]);
}
