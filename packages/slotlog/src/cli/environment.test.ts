import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { directivesFromEnvironment, passwordFromEnvironment } from "./environment.js";
import { CliError } from "./errors.js";

const directory = mkdtempSync(join(tmpdir(), "slotlog-environment-"));
test.after(() => rmSync(directory, { recursive: true }));

function secret(name: string, content: string): { readonly SLOTLOG_PASSWORD_FILE: string } {
  const path = join(directory, name);
  writeFileSync(path, content);
  return { SLOTLOG_PASSWORD_FILE: path };
}

test("a secret's file gives a node its password, without its line end", () => {
  const environment = secret("word", "two words ü\n");
  assert.deepEqual(directivesFromEnvironment([], environment), [
    ...["--requirepass", "two words ü"],
    ...["--masterauth", "two words ü"],
  ]);
  assert.equal(passwordFromEnvironment(environment), "two words ü");
});

test("an argument wins over the environment", () => {
  const environment = { ...secret("other", "a"), SLOTLOG_LOG_FORMAT: "json" };
  const argv = ["--RequirePass", "b", "--log-format", "human"];
  assert.deepEqual(directivesFromEnvironment(argv, environment), ["--masterauth", "a"]);
});

test("an empty secret is none, a missing one is an error", () => {
  assert.deepEqual(directivesFromEnvironment([], secret("empty", "")), []);
  assert.deepEqual(directivesFromEnvironment([], { SLOTLOG_PASSWORD_FILE: "/dev/null" }), []);
  const missing = { SLOTLOG_PASSWORD_FILE: join(directory, "missing") };
  assert.throws(() => directivesFromEnvironment([], missing), CliError);
});

test("a password in a variable is for clients, and wins over the file", () => {
  const environment = { ...secret("file", "f"), SLOTLOG_PASSWORD: "v" };
  assert.equal(passwordFromEnvironment(environment), "v");
  assert.deepEqual(directivesFromEnvironment([], { SLOTLOG_PASSWORD: "v" }), []);
});
