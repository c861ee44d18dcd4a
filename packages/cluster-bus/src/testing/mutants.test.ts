/**
 * The test of the tests: every mutant must be caught by a scenario or by a seed, and the copy
 * without a mistake by neither.
 */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Mutant } from "./mutants.js";
import { mutants } from "./mutants.js";

/** Seeds that a mutant gets if the scenarios did not catch it. */
const seedsMax = 10;

const testing = path.dirname(fileURLToPath(import.meta.url));
const source = path.dirname(testing);
const scenarios = path.join(testing, "scenarios");
const copies = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-mutants-"));
after(() => fs.rmSync(copies, { recursive: true, force: true }));

type Scenarios = typeof import("./scenario.js");
type Seeds = typeof import("./run-seed.js");

/** A copy of the package's source with one mistake in it. */
function copyWith(index: number, mutant: Mutant | undefined): string {
  const directory = path.join(copies, String(index));
  fs.cpSync(source, path.join(directory, "src"), {
    recursive: true,
    filter: (file) => !file.endsWith(".test.ts"),
  });
  fs.writeFileSync(path.join(directory, "package.json"), '{ "type": "module" }\n');
  fs.symlinkSync(path.resolve(source, "../../../node_modules"), `${directory}/node_modules`, "dir");
  if (mutant === undefined) return directory;
  const file = path.join(directory, "src", mutant.file);
  const parts = fs.readFileSync(file, "utf8").split(mutant.from);
  assert.equal(parts.length, 2, `${mutant.file} has the text of this mutant once`);
  fs.writeFileSync(file, parts.join(mutant.to));
  return directory;
}

/** What caught the mistake in the copy; undefined if nothing did. */
async function caughtBy(
  directory: string,
  seeds: number,
  seenBy = "",
): Promise<string | undefined> {
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(path.join(directory, "src/testing", name)).href);
  const { firstDifference } = (await load("scenario.ts")) as Scenarios;
  const names = fs.readdirSync(scenarios);
  for (const name of names.sort((a, b) => Number(b === seenBy) - Number(a === seenBy))) {
    const text = fs.readFileSync(path.join(scenarios, name), "utf8");
    try {
      const block = await firstDifference(text);
      if (block !== undefined) return `scenario ${name}: ${block}`;
    } catch (error) {
      return `scenario ${name}: ${String(error)}`;
    }
  }
  const { runSeed } = (await load("run-seed.ts")) as Seeds;
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await runSeed({ seed });
    } catch (error) {
      return `seed ${seed}: ${String(error).split("\n")[0]}`;
    }
  }
  return undefined;
}

test("the copy without a mistake passes", async () => {
  assert.equal(await caughtBy(copyWith(0, undefined), 3), undefined);
});

for (const [index, mutant] of mutants.entries()) {
  test(`mutant: ${mutant.name}`, async (context) => {
    const caught = await caughtBy(copyWith(index + 1, mutant), seedsMax, mutant.seenBy);
    assert.ok(caught !== undefined, "nothing caught it");
    context.diagnostic(caught);
  });
}
