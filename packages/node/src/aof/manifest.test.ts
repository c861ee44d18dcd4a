import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  emptyManifest,
  formatManifest,
  ManifestError,
  parseManifest,
  withNextBase,
  withNextIncrement,
  withoutIncrementsBefore,
} from "./manifest.js";

function parse(text: string): ReturnType<typeof parseManifest> {
  return parseManifest(Buffer.from(text, "latin1"));
}

test("a manifest as redis-server writes it goes in and out unchanged", () => {
  const text =
    "file appendonly.aof.2.base.rdb seq 2 type b\n" +
    "file appendonly.aof.1.incr.aof seq 1 type h\n" +
    "file appendonly.aof.2.incr.aof seq 2 type i\n" +
    "file appendonly.aof.3.incr.aof seq 3 type i\n";
  const manifest = parse(text);
  assert.equal(formatManifest(manifest), text);
  assert.equal(manifest.baseSequence, 2);
  assert.equal(manifest.incrementSequence, 3);
  assert.equal(manifest.history.length, 1);
});

test("comments, unknown keys, other orders and cases of keys are read", () => {
  const manifest = parse("# made by hand\nTYPE i extra 5 seq 7 FILE 'a b'\n");
  assert.deepEqual(manifest.increments, [{ name: "a b", sequence: 7, type: "i" }]);
});

test("names are quoted as redis-server quotes them", () => {
  const withName = (name: string): string =>
    formatManifest({ ...emptyManifest, base: { name, sequence: 1, type: "b" } });
  assert.equal(withName("a b.aof"), 'file "a b.aof" seq 1 type b\n');
  assert.equal(withName("é"), 'file "\\xc3\\xa9" seq 1 type b\n');
  assert.equal(withName('q"'), 'file "q\\"" seq 1 type b\n');
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 100, unit: "binary" }), (name) => {
      fc.pre(!/[/\\\0]/.test(name) && !/[\ud800-\udfff]/.test(name));
      assert.equal(parse(withName(name)).base?.name, name);
    }),
  );
});

const refused: readonly (readonly [string, string, number])[] = [
  ["", "Found an empty AOF manifest", 0],
  ["file a seq 1 type b", "The AOF manifest file contains too long line", 1],
  [`file ${"a".repeat(1100)} seq 1 type b\n`, "The AOF manifest file contains too long line", 1],
  ["\n", "Invalid AOF manifest file format", 1],
  ["file a seq 1\n", "Invalid AOF manifest file format", 1],
  ["file a seq 1 type b more\n", "Invalid AOF manifest file format", 1],
  ['file "a seq 1 type b\n', "Invalid AOF manifest file format", 1],
  ["file a seq 0 type b\n", "Invalid AOF manifest file format", 1],
  ["file a seq x type b\n", "Invalid AOF manifest file format", 1],
  ["file ../a seq 1 type b\n", "File can't be a path, just a filename", 1],
  ["file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information", 2],
  ["file a seq 2 type i\nfile b seq 2 type i\n", "Found a non-monotonic sequence number", 2],
  ["#\nfile a seq 1 type z\n", "Unknown AOF file type", 2],
];

test("what redis-server refuses is refused in its words, with the line", () => {
  for (const [text, reason, lineNumber] of refused) {
    assert.throws(
      () => parse(text),
      (error: unknown) => {
        assert.ok(error instanceof ManifestError, text);
        assert.equal(error.reason, reason, text);
        assert.equal(error.lineNumber, lineNumber, text);
        return true;
      },
    );
  }
});

test("a life of changes: first files, a cut, a rewrite", () => {
  const first = withNextIncrement(withNextBase(emptyManifest, "x.aof", "rdb"), "x.aof");
  assert.equal(
    formatManifest(first),
    "file x.aof.1.base.rdb seq 1 type b\nfile x.aof.1.incr.aof seq 1 type i\n",
  );
  const cut = withNextIncrement(first, "x.aof");
  const rewritten = withoutIncrementsBefore(withNextBase(cut, "x.aof", "aof"), 2);
  assert.equal(
    formatManifest(rewritten),
    "file x.aof.2.base.aof seq 2 type b\n" +
      "file x.aof.1.incr.aof seq 1 type h\n" +
      "file x.aof.1.base.rdb seq 1 type h\n" +
      "file x.aof.2.incr.aof seq 2 type i\n",
  );
  assert.deepEqual(parse(formatManifest(rewritten)), rewritten);
});
