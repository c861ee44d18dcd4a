// `npm run check`: format, lint, types and the repository's own rules. Every part runs even if one
// before it failed, so that one run shows everything there is to mend.

import { fromSource, runNode, tools } from "./workspace.mjs";

const parts = [
  // `biome format` has no check flag: without --write it reports what it would change and fails.
  { name: "format", args: [tools.biome, "format", "."] },
  { name: "lint", args: [tools.oxlint, "--type-aware", "--deny-warnings"] },
  { name: "types", args: [tools.tsc, "-b"] },
  { name: "docs", args: [...fromSource, "scripts/commands-doc.ts", "--check"] },
  { name: "tidy", args: [...fromSource, "scripts/tidy.ts"] },
];

const failed = [];
for (const part of parts) {
  const started = performance.now();
  const code = await runNode(part.args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${part.name} (${seconds} s)`);
  if (code !== 0) failed.push(part.name);
}
if (failed.length > 0) {
  console.error(
    `npm run check: ${failed.join(", ")} failed. Formatting is mended by npm run format.`,
  );
  process.exitCode = 1;
}
