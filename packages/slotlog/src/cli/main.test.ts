import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const directory = mkdtempSync(join(tmpdir(), "slotlog-cli-"));
after(() => rmSync(directory, { recursive: true, force: true }));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function slotlog(...args: readonly string[]): Result {
  const bin = fileURLToPath(new URL("../bin.ts", import.meta.url));
  const run = ["--conditions=@slotlog/source", "--import", "tsx", bin, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

test("help and version are answers, not failures", () => {
  const help = slotlog("--help");
  assert.equal(help.code, 0);
  assert.match(help.out, /slotlog up .*Run a whole cluster/);
  assert.match(help.out, /Examples:/);
  const upHelp = slotlog("up", "--help");
  assert.equal(upHelp.code, 0);
  for (const flag of ["--primaries", "--replicas", "--port", "--dir", "--requirepass", "--json"]) {
    assert.ok(upHelp.out.includes(flag), flag);
  }
  assert.match(slotlog("--version").out, /^\d+\.\d+\.\d+/);
  assert.match(slotlog("node", "--help").out, /redis\.conf/);
});

test("mistakes are named, with what was probably meant, and exit with 2", () => {
  const flag = slotlog("up", "--prot", "8000");
  assert.equal(flag.code, 2);
  assert.match(flag.err, /--prot is unknown: did you mean --port\?/);
  const command = slotlog("upp");
  assert.equal(command.code, 2);
  assert.match(command.err, /upp is unknown: did you mean up\?/);
  const required = slotlog("router", "--clustr", "localhost:7000");
  assert.equal(required.code, 2);
  assert.match(required.err, /--clustr is unknown: did you mean --cluster\?/);
  const value = slotlog("up", "--primaries", "many");
  assert.equal(value.code, 2);
  assert.match(value.err, /--primaries must be a whole number/);
  assert.equal(slotlog().code, 2);
  assert.equal(slotlog("up", "--appendfsync", "sometimes").code, 2);
});

test("a directory that cannot be used is one clear line and exit code 1", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  const { code, err } = slotlog("up", "--dir", join(file, "below"));
  assert.equal(code, 1);
  assert.match(err, /^slotlog: cannot (write to|read) .*file/);
  assert.doesNotMatch(err, /\n\s+at /);
});
