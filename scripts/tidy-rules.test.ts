import assert from "node:assert/strict";
import { test } from "node:test";
import { breaches } from "./tidy-rules.js";

function reasons(path: string, text: string): string[] {
  return breaches([{ path, read: () => `// Owns something.\n${text}` }]).map((each) => each.reason);
}

test("imports point only to the left", () => {
  const importNode = 'import { x } from "@slotlog/node";';
  assert.match(reasons("packages/router/src/a.ts", importNode).join(), /only to the left/);
  assert.match(reasons("packages/resp/src/a.ts", importNode).join(), /only to the left/);
  assert.deepEqual(reasons("packages/slotlog/src/a.ts", importNode), []);
});

test("a package is not left by a path, but climbed in freely", () => {
  const climb = (levels: number) => `import { x } from "${"../".repeat(levels)}x.js";`;
  assert.deepEqual(reasons("packages/node/src/store/types/a.ts", climb(2)), []);
  assert.match(reasons("packages/node/src/a.ts", climb(2)).join(), /leaves its package/);
});

test("a core imports nothing from node:, its tests do", () => {
  const text = 'import { readFileSync } from "node:fs";';
  assert.match(reasons("packages/cluster-bus/src/core/a.ts", text).join(), /core does no I\/O/);
  assert.deepEqual(reasons("packages/cluster-bus/src/core/a.test.ts", text), []);
  assert.deepEqual(reasons("packages/cluster-bus/src/io/a.ts", text), []);
});

test("long comments and leftovers are found, addresses may be long", () => {
  assert.match(reasons("scripts/a.ts", `// ${"word ".repeat(25)}`).join(), /columns wide/);
  assert.deepEqual(reasons("scripts/a.ts", `// https://${"x".repeat(120)}`), []);
  assert.match(reasons("scripts/a.ts", `// ${["TO", "DO"].join("")}: later`).join(), /leaves work/);
  assert.match(
    reasons("scripts/a.ts", `// ${["FIX", "ME"].join("")}: later`).join(),
    /leaves work/,
  );
});

test("files need a header and a place", () => {
  const headless = breaches([{ path: "scripts/a.ts", read: () => "export {};" }]);
  assert.match(headless[0]?.reason ?? "", /no header comment/);
  assert.match(reasons("notes.md", "").join(), /top level/);
  assert.deepEqual(reasons("docs/notes.md", ""), []);
});
