import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "./command-line.js";

function linesOf(...args: string[]): readonly string[] {
  return parseCommandLine(args).lines.map((line) => line.trim());
}

test("file, standard input and directives are told apart", () => {
  assert.deepEqual(parseCommandLine([]), { file: undefined, standardInput: false, lines: [] });
  assert.deepEqual(parseCommandLine(["redis.conf"]), {
    file: "redis.conf",
    standardInput: false,
    lines: [],
  });
  assert.deepEqual(parseCommandLine(["a.conf", "--port", "7000", "-"]), {
    file: "a.conf",
    standardInput: true,
    lines: ['port "7000" '],
  });
  assert.deepEqual(parseCommandLine(["-", "--port", "1"]), {
    file: undefined,
    standardInput: true,
    lines: ['port "1" '],
  });
});

test("each directive takes the words up to the next one", () => {
  assert.deepEqual(linesOf("--port", "7000", "--save", "60", "1", "--appendonly", "yes"), [
    'port "7000"',
    'save "60" "1"',
    'appendonly "yes"',
  ]);
  assert.deepEqual(linesOf("--port 7000", "--bind 127.0.0.1 ::1"), [
    "port 7000",
    "bind 127.0.0.1 ::1",
  ]);
  assert.deepEqual(linesOf("--replicaof", "no", "one"), ['replicaof "no" "one"']);
});

test("a directive's first word may look like a directive", () => {
  assert.deepEqual(linesOf("--logfile", "--my.log", "--port", "1"), [
    'logfile "--my.log"',
    'port "1"',
  ]);
  assert.deepEqual(linesOf("--port", "--loglevel", "verbose"), ['port "--loglevel" "verbose"']);
  assert.deepEqual(linesOf("--port"), ["port"]);
});

test("a bare --save means no save points", () => {
  assert.deepEqual(linesOf("--save", "--port", "1"), ['save ""', 'port "1"']);
  assert.deepEqual(linesOf("--port", "1", "--save"), ['port "1"', 'save ""']);
  assert.deepEqual(linesOf("--save", "", "--port", "1"), ['save ""', 'port "1"']);
});

test("arguments become bytes, quoted where a file would need it", () => {
  assert.deepEqual(linesOf("--requirepass", 'a "b" é'), ['requirepass "a \\"b\\" \\xc3\\xa9"']);
});
