import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createDisk } from "./disk.js";
import { DiskFailure, errnoText } from "./disk-error.js";

const disk = createDisk();

function scratch(t: { after(action: () => void): void }): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-test-"));
  t.after(() => {
    fs.rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

test("appending goes on at the end, both on and off the loop, in chunks", async (t) => {
  const file = path.join(scratch(t), "a");
  fs.writeFileSync(file, "one ");
  const open = await disk.open(file, "append");
  assert.equal(open.writePosition, 4);
  open.writeSync([Buffer.from("two "), Buffer.alloc(0), Buffer.from("three ")]);
  await open.write([Buffer.from("four "), Buffer.from("five")]);
  await open.sync();
  open.syncSync();
  assert.equal(open.size(), 23);
  assert.equal(String(await open.read(4, 10)), "two three ");
  assert.equal(String(open.readSync(19, 100)), "five");
  const target = Buffer.alloc(8);
  assert.equal(await open.readInto(target, 19), 4);
  await open.close();
  assert.equal(String(await disk.readFile(file)), "one two three four five");
});

test("more chunks than one system call takes are written whole", async (t) => {
  const file = path.join(scratch(t), "a");
  const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
  const open = disk.openSync(file, "truncate");
  open.writeSync(chunks);
  await open.write(chunks);
  open.closeSync();
  const text = chunks.join("");
  assert.equal(fs.readFileSync(file, "utf8"), text + text);
});

test("what is written after seeking back replaces what was there", async (t) => {
  const file = path.join(scratch(t), "a");
  const open = await disk.open(file, "append");
  open.writeSync([Buffer.from("good torn")]);
  open.seek(5);
  open.writeSync([Buffer.from("whole")]);
  await open.truncate(8);
  assert.equal(open.writePosition, 8);
  open.truncateSync(4);
  await open.write([Buffer.from("!")]);
  await open.close();
  assert.equal(fs.readFileSync(file, "utf8"), "good!");
});

test("one write at a time", async (t) => {
  const open = await disk.open(path.join(scratch(t), "a"), "append");
  const writing = open.write([Buffer.from("a")]);
  assert.throws(() => open.writeSync([Buffer.from("b")]), /one write at a time/);
  await writing;
  await open.close();
});

test("a failed write says how far it came and leaves the position", async (t) => {
  const open = await disk.open("/dev/full", "update").catch(() => undefined);
  if (open === undefined) {
    t.diagnostic("this system has no /dev/full");
    return;
  }
  const isFull = (error: unknown): boolean =>
    error instanceof DiskFailure && error.code === "ENOSPC" && error.written === 0;
  assert.throws(() => {
    open.writeSync([Buffer.from("a")]);
  }, isFull);
  await assert.rejects(open.write([Buffer.from("a")]), isFull);
  assert.equal(open.writePosition, 0);
  await open.close();
});

test("what is not there is undefined or ENOENT", async (t) => {
  const missing = path.join(scratch(t), "missing");
  assert.equal(await disk.readFile(missing), undefined);
  assert.equal(disk.readFileSync(missing), undefined);
  assert.equal(await disk.list(missing), undefined);
  assert.equal(disk.listSync(missing), undefined);
  assert.equal(await disk.fileSize(missing), undefined);
  const enoent = { code: "ENOENT", path: missing };
  await assert.rejects(disk.open(missing, "read"), enoent);
  assert.throws(() => disk.openSync(missing, "update"), enoent);
  await assert.rejects(disk.rename(missing, `${missing}2`), enoent);
  assert.throws(() => disk.removeSync(missing), enoent);
  assert.equal(errnoText(new DiskFailure("ENOENT", "")), "No such file or directory");
});

test("directories are made, listed in order, synced, and their files renamed and removed", async (t) => {
  const directory = path.join(scratch(t), "deep", "er");
  await disk.makeDirectory(directory);
  disk.makeDirectorySync(directory);
  for (const name of ["b", "a", "c"]) fs.writeFileSync(path.join(directory, name), name);
  assert.deepEqual(await disk.list(directory), ["a", "b", "c"]);
  await disk.rename(path.join(directory, "b"), path.join(directory, "c"));
  disk.renameSync(path.join(directory, "a"), path.join(directory, "d"));
  await disk.syncDirectory(directory);
  disk.syncDirectorySync(directory);
  assert.deepEqual(disk.listSync(directory), ["c", "d"]);
  assert.equal(fs.readFileSync(path.join(directory, "c"), "utf8"), "b");
  await disk.remove(path.join(directory, "c"));
  disk.removeSync(path.join(directory, "d"));
  assert.deepEqual(disk.listSync(directory), []);
});
