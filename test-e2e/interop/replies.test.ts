// Every scenario against the server under test and a real redis-server: equal bytes, or a
// difference that is known.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realRedis, Server, subject } from "../harness/server.js";
import { compareReplies, unmet } from "./comparison.js";
import { play } from "./scenario.js";
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
      const [ourReplies, theirReplies] = await Promise.all([
        play(ours, scenario, protocol),
        play(theirs, scenario, protocol),
      ]);
      const differences = compareReplies({
        scenario,
        protocol,
        ours: ourReplies,
        theirs: theirReplies,
        onKnown: (id) => met.add(id),
      });
      assert.equal(differences.length, 0, `\n${differences.join("\n")}`);
    });
  }
}

test("every known difference was met", () => {
  assert.deepEqual(unmet("one node", met), []);
});
