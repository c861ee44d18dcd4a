// Where things are in this workspace and how its tools are started, for the scripts beside this
// file. Only `node:` modules: `ensure-ready.mjs` runs before anything is installed.

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The JavaScript entry of each tool, started with our own Node: the same on every system. */
export const tools = {
  tsc: join(root, "node_modules/typescript/bin/tsc"),
  biome: join(root, "node_modules/@biomejs/biome/bin/biome"),
  oxlint: join(root, "node_modules/oxlint/bin/oxlint"),
};

/** Node's arguments that run TypeScript from source, without a build. */
export const fromSource = ["--conditions=@slotlog/source", "--import", "tsx"];

/**
 * Runs Node with `args` in the workspace's root and resolves with its exit code (1 if a signal
 * ended it). With `onLine`, standard output goes there line by line instead of through.
 */
export function runNode(args, { onLine, env } = {}) {
  return run(process.execPath, args, { onLine, env });
}

export function run(command, args, { onLine, env, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["inherit", onLine === undefined ? "inherit" : "pipe", "inherit"],
      shell,
    });
    if (onLine !== undefined) forEachLine(child.stdout, onLine);
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function forEachLine(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** Files below `directory` (relative to the root) that end in `ending`, sorted. */
export function filesBelow(directory, ending) {
  /** @type {string[]} */
  const found = [];
  const visit = (relative) => {
    let entries;
    try {
      entries = readdirSync(join(root, relative), { withFileTypes: true });
    } catch (error) {
      // Another tool may be replacing a directory under us; what is gone holds no files.
      if (error.code === "ENOENT") return;
      throw error;
    }
    for (const entry of entries) {
      if (entry.name === "node_modules" || entry.name === "dist" || entry.name === ".venv")
        continue;
      const path = `${relative}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith(ending)) found.push(path);
    }
  };
  visit(directory);
  return found.sort();
}
