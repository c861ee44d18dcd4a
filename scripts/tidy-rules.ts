// The rules themselves, over paths and texts: no I/O, so that each rule is tested on a few lines.

export interface SourceFile {
  readonly path: string;
  readonly read: () => string;
}

export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

/** Imports point only to the left; `router` does not import `node`. Tests may use anything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  resp: [],
  "cluster-bus": ["resp"],
  node: ["resp", "cluster-bus"],
  router: ["resp", "cluster-bus"],
  slotlog: ["resp", "cluster-bus", "node", "router"],
};

const topLevel: readonly RegExp[] = [
  /^\./,
  /^(packages|scripts|test-e2e|docs)\//,
  /^(package|package-lock|tsconfig|tsconfig\.base|biome)\.json$/,
  /^(docker-compose\.yml|Dockerfile|README\.md|LICENSE|CHANGELOG\.md)$/,
];

const columnsMax = 100;
// Written in parts, or this file would break its own rule.
const leftovers = new RegExp(`\\b(${["FIX", "TO"].join("ME|")}DO|${"X".repeat(3)})\\b`);
const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/;

export function breaches(files: readonly SourceFile[]): Breach[] {
  const found: Breach[] = [];
  for (const { path, read } of files) {
    if (!topLevel.some((pattern) => pattern.test(path))) {
      found.push({ path, line: 1, reason: "does not belong at the top level (see ARCHITECTURE)" });
    }
    if (/\.(ts|mjs)$/.test(path)) found.push(...sourceBreaches(path, read()));
  }
  return found;
}

function sourceBreaches(path: string, text: string): Breach[] {
  const found: Breach[] = [];
  const report = (line: number, reason: string): void => void found.push({ path, line, reason });
  const lines = text.split("\n");
  if (!/^(#!.*\n)?(\/\/|\/\*\*?)/.test(text) && !path.endsWith(".test.ts")) {
    report(1, "has no header comment that says what the file owns");
  }
  for (const [index, line] of lines.entries()) {
    // The formatter breaks code; what it never touches is comments.
    if (line.length > columnsMax && isComment(line) && !hasLongWord(line)) {
      report(index + 1, `is ${line.length} columns wide, over ${columnsMax}`);
    }
    if (leftovers.test(line)) report(index + 1, "leaves work behind: do it, or describe the limit");
    const imported = importPattern.exec(line)?.[1];
    if (imported !== undefined) {
      const reason = importBreach(path, imported);
      if (reason !== undefined) report(index + 1, reason);
    }
  }
  return found;
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\/?\*)/.test(line);
}

/** An address or a test vector cannot be broken. */
function hasLongWord(line: string): boolean {
  return line.split(/\s+/).some((word) => word.length > columnsMax / 2);
}

function importBreach(path: string, imported: string): string | undefined {
  const owner = /^packages\/([^/]+)\//.exec(path)?.[1];
  if (owner === undefined) return undefined;
  const target = /^@slotlog\/([^/]+)/.exec(imported)?.[1];
  if (target !== undefined && mayImport[owner]?.includes(target) !== true && !isTest(path)) {
    return `imports ${imported}: packages import only to the left`;
  }
  if (imported.startsWith("node:") && path.includes("/core/") && !isTest(path)) {
    return `imports ${imported}: a core does no I/O`;
  }
  const climbs = imported.split("/").filter((part) => part === "..").length;
  // packages/<owner>/src/a.ts lies two folders deep in its package, counting the file's own.
  const depth = path.split("/").length - 3;
  if (climbs > depth) return `imports ${imported}: leaves its package by a path`;
  return undefined;
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.includes("/testing/");
}
