// Makes a fresh clone, or one that was just pulled, ready to run: right Node, packages installed as
// the lockfile says, TypeScript built. It runs before `npm start` and `npm test`, so it may import
// nothing that has to be installed first.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, runNode, tools } from "./workspace.mjs";

const oldestNode = [20, 19];

/**
 * Whether what npm recorded of `node_modules` is what the lockfile asks for. Contents are compared
 * and not file times, because npm writes both files in one go and git gives every file of a clone
 * the same moment. Optional packages may be missing: they belong to other platforms.
 */
function isInstalled() {
  const wanted = readLock("package-lock.json");
  const found = readLock("node_modules/.package-lock.json");
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.link || entry.optional) return true;
    return found[path]?.version === entry.version && found[path]?.integrity === entry.integrity;
  });
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  } catch {
    return undefined;
  }
}

async function main() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    console.error(
      `slotlog needs Node ${oldestNode.join(".")} or later; this is ${process.version}.`,
    );
    return 1;
  }
  if (!isInstalled()) {
    console.error("Installing packages (npm ci) ...");
    // npm is a .cmd file on Windows, which only a shell starts. --include=dev because the compiler
    // is needed even where NODE_ENV says production.
    const args = ["ci", "--include=dev", "--no-audit", "--no-fund"];
    const code = await run("npm", args, { shell: process.platform === "win32" });
    if (code !== 0) {
      console.error(`npm ${args.join(" ")} failed with exit code ${code}.`);
      return 1;
    }
  }
  const built = await runNode([tools.tsc, "-b"]);
  if (built !== 0) console.error("The build (tsc -b) failed: see the errors above.");
  return built === 0 ? 0 : 1;
}

process.exitCode = await main();
