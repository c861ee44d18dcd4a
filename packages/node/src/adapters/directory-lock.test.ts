import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DirectoryLockedError, lockDirectory } from "./directory-lock.js";

function scratch(t: { after(action: () => void): void }, ...deeper: string[]): string {
  const top = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-test-"));
  t.after(() => {
    fs.rmSync(top, { recursive: true, force: true });
  });
  const directory = path.join(top, ...deeper);
  fs.mkdirSync(directory, { recursive: true });
  return directory;
}

const modulePath = fileURLToPath(new URL("./directory-lock.ts", import.meta.url));

/** A process that takes the lock, says how that went, and holds it until it is killed. */
function startHolder(directory: string): ChildProcess {
  const program = `
    const { lockDirectory } = await import(${JSON.stringify(modulePath)});
    try { await lockDirectory(${JSON.stringify(directory)}); console.log("taken"); }
    catch (error) { console.log(error.code); process.exit(0); }
    setInterval(() => {}, 1000);`;
  return spawn(
    process.execPath,
    ["--conditions=@slotlog/source", "--import", "tsx", "--input-type=module", "-e", program],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return text.trim();
}

test("a second owner is refused by name, and a released directory can be taken again", async (t) => {
  const directory = scratch(t);
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(directory), (error: Error) => {
    assert.ok(error instanceof DirectoryLockedError);
    assert.match(error.message, new RegExp(`pid ${process.pid} `));
    assert.ok(error.message.includes(fs.realpathSync(directory)));
    return true;
  });
  await lock.release();
  assert.deepEqual(fs.readdirSync(directory), []);
  await (await lockDirectory(directory)).release();
});

test("the same directory through a symbolic link is the same directory", async (t) => {
  const directory = scratch(t);
  const alias = `${directory}-alias`;
  fs.symlinkSync(directory, alias);
  t.after(() => {
    fs.unlinkSync(alias);
  });
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(alias), DirectoryLockedError);
  await lock.release();
});

test("a path longer than a socket address is locked all the same", async (t) => {
  const directory = scratch(t, "a".repeat(120), "b".repeat(120));
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(directory), DirectoryLockedError);
  assert.equal(fs.readdirSync(directory).length, 1);
  await lock.release();
  assert.deepEqual(fs.readdirSync(directory), []);
});

test("of many starters at one moment exactly one wins, round after round", async (t) => {
  const directory = scratch(t);
  for (let round = 0; round < 25; round++) {
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => lockDirectory(directory)),
    );
    const winners = results.filter((result) => result.status === "fulfilled");
    assert.equal(winners.length, 1);
    await winners[0]?.value.release();
  }
});

test("what a starter left that died half way is cleared by the next owner, other files stay", async (t) => {
  const directory = scratch(t);
  fs.writeFileSync(path.join(directory, "slotlog.0123456789abcdef.lock.new"), "");
  fs.writeFileSync(path.join(directory, "slotlog.lock.new"), "");
  fs.writeFileSync(path.join(directory, "nodes.conf"), "");
  const lock = await lockDirectory(directory);
  assert.deepEqual(
    fs.readdirSync(directory).filter((name) => !/^slotlog\.[0-9a-f]{16}\.lock$/.test(name)),
    ["nodes.conf", "slotlog.lock.new"],
  );
  await lock.release();
});

test("kill -9 frees the directory, and racing successors leave one winner", async (t) => {
  const directory = scratch(t);
  const first = startHolder(directory);
  assert.equal(await firstLine(first), "taken");
  await assert.rejects(lockDirectory(directory), (error: Error) =>
    error.message.includes(`pid ${first.pid}`),
  );
  first.kill("SIGKILL");
  await once(first, "exit");
  assert.equal(fs.readdirSync(directory).length, 1);

  const successors = [startHolder(directory), startHolder(directory), startHolder(directory)];
  const lines = await Promise.all(successors.map(firstLine));
  for (const successor of successors) successor.kill("SIGKILL");
  assert.deepEqual(lines.toSorted(), [
    "SLOTLOG_DIRECTORY_LOCKED",
    "SLOTLOG_DIRECTORY_LOCKED",
    "taken",
  ]);
});
