// Reply bytes to a tree, for tests: where one reply ends, and what is in it. Written apart from the
// packages on purpose: what is tested must not judge itself.

export type Tree =
  | { readonly type: string; readonly text: string }
  | { readonly type: string; readonly items: readonly Tree[] };

export interface Parsed {
  readonly tree: Tree;
  /** Offset behind the reply. */
  readonly end: number;
}

/** Items per counted element: maps and attributes count pairs. */
const aggregates: Readonly<Record<string, number>> = { "*": 1, "~": 1, ">": 1, "%": 2, "|": 2 };
const bulks = "$=!";
const lines = "+-:_#,(";

/** The reply that begins at `start`, or `undefined` if it is not complete yet. */
export function parseReply(bytes: Buffer, start = 0): Parsed | undefined {
  const lineEnd = bytes.indexOf("\r\n", start, "latin1");
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const text = bytes.toString("latin1", start + 1, lineEnd);
  const next = lineEnd + 2;
  if (lines.includes(type)) return { tree: { type, text }, end: next };
  if (bulks.includes(type)) {
    const length = Number(text);
    if (length < 0) return { tree: { type: "null", text: "$-1" }, end: next };
    if (bytes.length < next + length + 2) return undefined;
    const content = bytes.toString("latin1", next, next + length);
    return { tree: { type, text: content }, end: next + length + 2 };
  }
  const factor = aggregates[type];
  if (factor === undefined) throw new Error(`no reply begins with ${JSON.stringify(type + text)}`);
  if (Number(text) < 0) return { tree: { type: "null", text: "*-1" }, end: next };
  const items: Tree[] = [];
  let end = next;
  for (let left = Number(text) * factor; left > 0; left--) {
    const item = parseReply(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.tree);
    end = item.end;
  }
  // An attribute is no reply: it stands in front of one.
  if (type === "|") {
    const rest = parseReply(bytes, end);
    return rest === undefined ? undefined : { tree: rest.tree, end: rest.end };
  }
  return { tree: { type, items }, end };
}

export function treeOf(bytes: Buffer): Tree {
  const parsed = parseReply(bytes);
  if (parsed === undefined) throw new Error(`not a whole reply: ${bytes.toString("latin1")}`);
  return parsed.tree;
}

export function textOf(bytes: Buffer): string {
  const tree = treeOf(bytes);
  if ("items" in tree) throw new Error(`not a single value: ${bytes.toString("latin1", 0, 200)}`);
  return tree.text;
}

export function textsOf(bytes: Buffer): string[] {
  const tree = treeOf(bytes);
  if (!("items" in tree)) throw new Error(`not a list: ${bytes.toString("latin1", 0, 200)}`);
  return tree.items.map((item) => ("text" in item ? item.text : ""));
}
