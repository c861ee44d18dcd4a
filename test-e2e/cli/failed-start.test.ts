// A node that cannot load its data: it says why, ends with an exit code, and leaves nothing behind
// that keeps the next one from starting.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../harness/exec.js";
import { projectRoot } from "../harness/project-root.js";
import { removeDirectory, temporaryDirectory } from "../harness/server.js";

const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");

const damaged: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}[] = [
  {
    what: "an RDB file",
    files: { "dump.rdb": "REDIS0010\u00fa\u0005" },
    says: /dump\.rdb cannot be loaded: /,
  },
  {
    what: "an append-only file",
    files: {
      "appendonlydir/appendonly.aof.manifest": "file appendonly.aof.1.incr.aof seq 1 type i\n",
      "appendonlydir/appendonly.aof.1.incr.aof": "*1\r\n$4\r\nPING\r\n?*1\r\n$4\r\nPING\r\n",
    },
    says: /appendonly\.aof\.1\.incr\.aof at offset 14 .* slotlog aof repair|Make a backup/,
  },
];

for (const { what, files, says } of damaged) {
  test(`${what} that is damaged: a message and an exit code`, async () => {
    const directory = temporaryDirectory();
    try {
      mkdirSync(join(directory, "appendonlydir"));
      for (const [name, content] of Object.entries(files)) {
        writeFileSync(join(directory, name), content, "latin1");
      }
      const appendonly = what.includes("append") ? "yes" : "no";
      const args = ["node", "--port", "0", "--dir", directory, "--appendonly", appendonly];
      const { code, out } = await run(process.execPath, [bin, ...args], 20_000);
      assert.equal(code, 1, out);
      assert.match(out, says);
      const left = readdirSync(directory).filter((name) => name.endsWith(".lock"));
      assert.deepEqual(left, [], "the directory is free");
    } finally {
      removeDirectory(directory);
    }
  });
}
