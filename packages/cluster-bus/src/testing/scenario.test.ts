/**
 * The golden scenarios: every file in `scenarios/` prints what it says. `REWRITE=1` writes what was
 * printed into the files, to be read as a diff.
 */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseScenario, runScenario } from "./scenario.js";

const directory = path.join(path.dirname(fileURLToPath(import.meta.url)), "scenarios");

for (const name of fs.readdirSync(directory).filter((file) => file.endsWith(".txt"))) {
  test(`scenario ${name}`, async () => {
    const file = path.join(directory, name);
    const text = fs.readFileSync(file, "utf8");
    const printed = await runScenario(text);
    if (process.env.REWRITE === "1") fs.writeFileSync(file, printed);
    else assert.equal(printed, text);
  });
}

test("a block is commands, a line, and what they print; what does not end is refused", () => {
  assert.deepEqual(parseScenario("# why\nshow\n----\na\nb\n\nshow\n----\n"), [
    { source: ["# why", "show"], expected: ["a", "b"] },
    { source: ["show"], expected: [] },
  ]);
  assert.throws(() => parseScenario("show\n"), /commands without ----/);
});

test("a verb, a condition or a node that is not there is an error, not a pass", async () => {
  await assert.rejects(runScenario("frobnicate\n----\n"), /no such verb/);
  await assert.rejects(runScenario("cluster\nis p1 happy\n----\n"), /no such condition/);
  await assert.rejects(runScenario("cluster\nis p9 serves\n----\n"), /no node p9/);
  await assert.rejects(runScenario("show\n----\n"), /begins with/);
});
