/** PFDEBUG and PFSELFTEST: what Redis' own tests look at. */
import type { CommandContext } from "../../dispatch/context.js";
import { ByteString } from "../../store/byte-string.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { writableBytes } from "../string-bytes.js";
import { asHyperLogLog, corrupt, isDense, raise } from "./count.js";
import { getDense, makeDense, raiseDense, setDense } from "./dense.js";
import { cardinality } from "./estimate.js";
import {
  DENSE_BYTES,
  emptySparse,
  HEADER_BYTES,
  readRun,
  REGISTER_COUNT,
  REGISTER_MAX,
  type Run,
} from "./layout.js";
import { ElementPattern } from "./pattern.js";

/** Sparse runs as text: `z:` and `Z:` for one- and two-byte runs of zeros, `v:` for values. */
function decode(bytes: ByteString): string {
  const view = bytes.view();
  const run: Run = { value: 0, length: 0, bytes: 0 };
  const words: string[] = [];
  for (let at = HEADER_BYTES; at < view.length; at += run.bytes) {
    readRun(view, at, view.length, run);
    if (run.value > 0) words.push(`v:${run.value},${run.length}`);
    else words.push(`${run.bytes === 1 ? "z" : "Z"}:${run.length}`);
  }
  return words.join(" ");
}

/** Makes it dense; true if it was not. The change is logged, so that replicas do the same. */
function promote(context: CommandContext, bytes: ByteString): boolean {
  if (isDense(bytes)) return false;
  if (!makeDense(bytes)) fail(corrupt);
  context.dirty += 1;
  return true;
}

function replyRegisters(context: CommandContext, bytes: ByteString): void {
  promote(context, bytes);
  const view = bytes.view();
  context.reply.array(REGISTER_COUNT);
  for (let register = 0; register < REGISTER_COUNT; register += 1) {
    context.reply.integer(getDense(view, register));
  }
}

const subcommands: ReadonlyMap<string, (context: CommandContext, bytes: ByteString) => void> =
  new Map([
    ["getreg", replyRegisters],
    [
      "decode",
      (context, bytes) => {
        if (isDense(bytes)) fail("ERR HLL encoding is not sparse");
        context.reply.bulk(decode(bytes));
      },
    ],
    [
      "encoding",
      (context, bytes) => {
        context.reply.simple(isDense(bytes) ? "dense" : "sparse");
      },
    ],
    [
      "todense",
      (context, bytes) => {
        context.reply.integer(promote(context, bytes) ? 1 : 0);
      },
    ],
  ]);

const pfdebug: CommandSpec = {
  name: "pfdebug",
  arity: 3,
  flags: ["write", "denyoom", "admin"],
  categories: ["hyperloglog"],
  keys: [keyAt(2, "RW", "access")],
  docs: {
    summary: "Shows the registers and the encoding of a HyperLogLog.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "N/A",
    syntax: "subcommand key",
  },
  run(context, argv) {
    const word = argv[1] as string;
    const key = argv[2] as string;
    const value = asHyperLogLog(context.db.lookupWrite(key));
    if (value === undefined) return fail("ERR The specified key does not exist");
    const bytes = writableBytes(context, key, value);
    const subcommand = subcommands.get(word.toLowerCase());
    if (subcommand === undefined) return fail(`ERR Unknown PFDEBUG subcommand '${word}'`);
    if (argv.length !== 3) fail(`ERR Wrong number of arguments for the '${word}' subcommand`);
    subcommand(context, bytes);
  },
};

/** Rounds of writing and reading all registers. */
const registerRounds = 100;
/** Elements added in the second test; Redis adds ten times as many, and blocks for seconds. */
const elementsMax = 1_000_000;

function testRegisters({ node }: CommandContext): void {
  const { random } = node.databases.parts;
  const bytes = Buffer.alloc(DENSE_BYTES);
  const expected = new Uint8Array(REGISTER_COUNT);
  for (let round = 0; round < registerRounds; round += 1) {
    for (let register = 0; register < REGISTER_COUNT; register += 1) {
      expected[register] = random.next31() & REGISTER_MAX;
      setDense(bytes, register, expected[register] as number);
    }
    for (let register = 0; register < REGISTER_COUNT; register += 1) {
      const value = getDense(bytes, register);
      if (value === expected[register]) continue;
      fail(`TESTFAILED Register ${register} should be ${expected[register]} but is ${value}`);
    }
  }
}

/** Dense and sparse must agree, and both stay within six standard errors of the truth. */
function testEstimate(context: CommandContext): void {
  const seed = context.node.databases.parts.random.next31();
  const dense = ByteString.from(emptySparse());
  makeDense(dense);
  const sparse = ByteString.from(emptySparse());
  const pattern = new ElementPattern();
  let checkpoint = 1;
  for (let count = 1; count <= elementsMax; count += 1) {
    pattern.hash(`${seed}:${count}`);
    raiseDense(dense, pattern.register, pattern.value);
    raise(context, sparse, pattern.register, pattern.value);
    if (count !== checkpoint) continue;
    if (count < context.node.config.hllSparseMaxBytes / 2 && isDense(sparse)) {
      fail("TESTFAILED sparse encoding not used");
    }
    const estimated = cardinality(dense.view()) ?? 0;
    if (estimated !== cardinality(sparse.view())) fail("TESTFAILED dense/sparse disagree");
    const error = Math.abs(estimated - count);
    const errorMax = count === 10 ? 1 : Math.ceil((1.04 / Math.sqrt(REGISTER_COUNT)) * 6 * count);
    if (error > errorMax) fail(`TESTFAILED Too big error. card:${count} abserr:${error}`);
    checkpoint *= 10;
  }
}

const pfselftest: CommandSpec = {
  name: "pfselftest",
  arity: 1,
  flags: ["admin"],
  categories: ["hyperloglog"],
  docs: {
    summary: "Tests the HyperLogLog implementation.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "N/A",
    syntax: "",
  },
  run(context) {
    testRegisters(context);
    testEstimate(context);
    context.reply.ok();
  },
};

export const sketchTools: readonly CommandSpec[] = [pfdebug, pfselftest];
