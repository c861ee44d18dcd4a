import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemLoadEnvironment } from "./load-environment.js";

test("the machine's answers are in the system's words", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "slotlog-load-"));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "b.conf"), "port 1\n");
  writeFileSync(join(dir, "a.conf"), "");
  mkdirSync(join(dir, "sub"));
  const environment = systemLoadEnvironment("slotlog");

  assert.equal(environment.checkDirectory(dir), undefined);
  assert.equal(environment.checkDirectory(join(dir, "none")), "No such file or directory");
  assert.equal(environment.checkDirectory(join(dir, "a.conf")), "Not a directory");
  assert.equal(Buffer.from(environment.readFile(join(dir, "b.conf"))).toString(), "port 1\n");
  assert.throws(() => environment.readFile(join(dir, "none")), {
    message: "No such file or directory",
  });
  assert.throws(() => environment.readFile(dir), { message: "Is a directory" });
  assert.deepEqual(environment.listDirectory(dir), ["a.conf", "b.conf", "sub"]);
  assert.equal(environment.listDirectory(join(dir, "none")), undefined);
  assert.equal(environment.checkLogFile(join(dir, "node.log")), undefined);
  assert.equal(
    environment.checkLogFile(join(dir, "none", "node.log")),
    "No such file or directory",
  );
});
