// Every scenario against the server under test and a real redis-server: equal bytes, or a difference
// that is known.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isOurs, realRedis, Server, subject } from "../harness/server.js";
import { equalReplies } from "./compare.js";
import { knownDifferences, type Reply } from "./known-differences.js";
import { play, type Scenario } from "./scenario.js";
import { scenarios } from "./scenarios/index.js";

const directives = `
  --enable-debug-command yes
  --appendonly no
  --slowlog-log-slower-than -1
`
  .trim()
  .split(/\s+/);

let ours: Server;
let theirs: Server;
const met = new Set<string>();

before(async () => {
  [ours, theirs] = await Promise.all([
    Server.start({ program: subject(), directives }),
    Server.start({ program: realRedis(), directives }),
  ]);
});

after(async () => {
  await ours?.[Symbol.asyncDispose]();
  await theirs?.[Symbol.asyncDispose]();
});

for (const scenario of scenarios) {
  for (const protocol of scenario.protocols) {
    test(`${scenario.name} (RESP${protocol})`, async () => {
      const differences = await compare(scenario, protocol);
      assert.equal(differences.length, 0, `\n${differences.join("\n")}`);
    });
  }
}

test("every known difference was met", () => {
  const expected = isOurs() ? knownDifferences.map(({ id }) => id) : [];
  assert.deepEqual(
    expected.filter((id) => !met.has(id)),
    [],
  );
});

async function compare(scenario: Scenario, protocol: 2 | 3): Promise<string[]> {
  const [ourReplies, theirReplies] = await Promise.all([
    play(ours, scenario, protocol),
    play(theirs, scenario, protocol),
  ]);
  const differences: string[] = [];
  for (const [index, step] of scenario.steps.entries()) {
    const our = ourReplies[index] ?? Buffer.alloc(0);
    const their = theirReplies[index] ?? Buffer.alloc(0);
    if (equalReplies(step.mode, our, their)) continue;
    const reply: Reply = {
      line: step.line,
      scenario: scenario.name,
      protocol,
      ours: our.toString("latin1"),
      theirs: their.toString("latin1"),
    };
    const known = knownDifferences.find((difference) => difference.matches(reply));
    if (known !== undefined) met.add(known.id);
    else differences.push(describe(reply));
  }
  return differences;
}

function describe({ line, ours: our, theirs: their }: Reply): string {
  return `${line}\n    ours   ${show(our)}\n    theirs ${show(their)}`;
}

function show(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length > 400 ? `${shown.slice(0, 400)}... (${text.length} bytes)` : shown;
}
