import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NodeLog, type NodeLogOptions } from "./log.js";

const AT = new Date(2026, 10, 5, 2, 7, 2, 45).getTime();

function logInto(lines: string[], options: Partial<NodeLogOptions> = {}): NodeLog {
  return new NodeLog({
    clock: { now: () => AT },
    format: "human",
    level: "notice",
    file: "",
    role: () => "primary",
    pid: 71,
    sink: (line) => lines.push(line),
    ...options,
  });
}

test("a line has pid, role, local time, level and message, as Redis prints it", () => {
  const lines: string[] = [];
  let role: "primary" | "replica" = "primary";
  const log = logInto(lines, { level: "debug", role: () => role });
  log.notice("Server initialized");
  role = "replica";
  log.warning("a");
  log.verbose("b");
  log.debug("c");
  assert.deepEqual(lines, [
    "71:M 05 Nov 2026 02:07:02.045 * Server initialized\n",
    "71:S 05 Nov 2026 02:07:02.045 # a\n",
    "71:S 05 Nov 2026 02:07:02.045 - b\n",
    "71:S 05 Nov 2026 02:07:02.045 . c\n",
  ]);
});

test("fields follow the message", () => {
  const lines: string[] = [];
  logInto(lines).notice("link lost", { error: new Error("EPIPE"), attempts: 3, host: "::1" });
  assert.match(lines[0]!, /\* link lost error=EPIPE attempts=3 host=::1\n$/);
});

test("only what is at least as important as the level is printed, and the level changes live", () => {
  for (const format of ["human", "json"] as const) {
    const lines: string[] = [];
    const log = logInto(lines, { format });
    log.verbose("no");
    log.notice("yes");
    log.setLevel("verbose");
    log.verbose("yes");
    log.setLevel("nothing");
    log.warning("no");
    log.setLevel("warning");
    log.notice("no");
    log.warning("yes");
    assert.equal(lines.length, 3, format);
    for (const line of lines) assert.match(line, /yes/);
  }
});

test("JSON lines carry level, time, role, message and fields", () => {
  const lines: string[] = [];
  logInto(lines, { format: "json" }).warning("AOF is slow", { ms: 12.5 });
  assert.ok(lines[0]!.endsWith("}\n"));
  assert.deepEqual(JSON.parse(lines[0]!), {
    level: "warning",
    time: new Date(AT).toISOString(),
    pid: 71,
    role: "primary",
    ms: 12.5,
    message: "AOF is slow",
  });
});

test("a log file may be renamed under the log, and changed for another", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "slotlog-log-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const lines: string[] = [];
  const log = logInto(lines, { file: join(dir, "a.log") });
  log.notice("first");
  renameSync(join(dir, "a.log"), join(dir, "a.log.1"));
  log.notice("second");
  log.setFile(join(dir, "b.log"));
  log.notice("third");
  log.setFile(join(dir, "missing", "c.log"));
  log.notice("lost");
  log.setFile("");
  log.notice("fourth");
  assert.match(readFileSync(join(dir, "a.log.1"), "utf8"), /first\n$/);
  assert.match(readFileSync(join(dir, "a.log"), "utf8"), /^71:M .* second\n$/);
  assert.match(readFileSync(join(dir, "b.log"), "utf8"), /^71:M .* third\n$/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /fourth/);
});
