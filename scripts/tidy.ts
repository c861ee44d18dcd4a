// The rules of this repository that no linter knows, as a check: who may import whom, how wide a
// line may be, what may not be left behind. `npm run check` runs it; it prints every breach as
// `file:line reason` and fails if there is one. Sizes of files and functions are oxlint's to check.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { breaches } from "./tidy-rules.js";
import { root } from "./workspace.mjs";

/** Files that git knows or would add: what is ignored is nobody's concern. */
function repositoryFiles(): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8" });
  // A file deleted but not yet committed is still listed.
  return listed.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
}

const files = repositoryFiles();
const found = breaches(files.map((path) => ({ path, read: () => readText(path) })));
for (const breach of found) console.error(`${breach.path}:${breach.line} ${breach.reason}`);
if (found.length > 0) process.exitCode = 1;
else console.log(`${files.length} files are tidy.`);

function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
