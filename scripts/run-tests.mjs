// `npm test` and `npm run e2e`: runs the tests from source with Node's own runner, first the unit
// tests, then the ones with whole processes, and ends in one count over all. Container tests run
// when they are named, or as a third part with SLOTLOG_TEST_COMPOSE=1.
//
// usage: node scripts/run-tests.mjs [unit|e2e|compose] [part of a file's path ...]

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { filesBelow, fromSource, root, runNode } from "./workspace.mjs";

const isCompose = (file) => file.startsWith("test-e2e/compose/");
/** Examples are other people's tests: test-e2e/packages runs them with the runners they are for. */
const isExample = (file) => file.includes("/examples/");

/**
 * Unit tests use the whole machine. Those with processes run one file at a time on small machines,
 * because one file already starts six servers, and a cluster that gets no CPU for its node timeout
 * fails over as it should. Containers are only tested when asked for: they need a Docker daemon.
 */
const phases = {
  unit: {
    files: () =>
      [...filesBelow("packages", ".test.ts"), ...filesBelow("scripts", ".test.ts")].filter(
        (file) => !isExample(file),
      ),
    concurrency: availableParallelism(),
    // A file of simulated clusters takes 100 s of a core, which it may have to share.
    timeoutMs: 300_000,
  },
  e2e: {
    files: () => filesBelow("test-e2e", ".test.ts").filter((file) => !isCompose(file)),
    concurrency: Math.max(1, Math.floor(availableParallelism() / 2)),
    timeoutMs: 300_000,
  },
  compose: {
    files: () => filesBelow("test-e2e", ".test.ts").filter(isCompose),
    concurrency: 1,
    timeoutMs: 600_000,
  },
};

/** The runner's closing lines, which are held back from each phase and printed once, summed. */
const closing = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** What some tests compare with; the same names as in `test-e2e/harness/`. */
const needs = [
  {
    what: "redis-server and redis-cli",
    files: /^test-e2e\/(interop|chaos|clients|router)\//,
    found: () => runs(process.env.REDIS_SERVER ?? "redis-server", "--version") && runs("redis-cli"),
  },
  {
    what: "redis-py (python3 -m venv .venv && .venv/bin/pip install redis)",
    files: /^test-e2e\/(clients\/redis-py|router\/clients)/,
    found: () => runs(venvPython, "-c", "import redis") || runs("python3", "-c", "import redis"),
  },
];

const venvPython = join(root, ".venv/bin/python");

function runs(command, ...args) {
  const { error, status } = spawnSync(command, args.length > 0 ? args : ["--version"]);
  return error === undefined && status === 0;
}

/**
 * A clone with nothing but Node and npm still tests what it can, and says loudly what it could
 * not; on CI everything has to be there, so there the tests are run and fail.
 */
function withoutUntestable(files) {
  if (process.env.CI !== undefined) return files;
  return needs.reduce((left, need) => {
    const affected = left.filter((file) => need.files.test(file));
    if (affected.length === 0 || need.found()) return left;
    console.error(`!! NOT RUN, for want of ${need.what}: ${affected.join(" ")}`);
    return left.filter((file) => !affected.includes(file));
  }, files);
}

async function runPhase(phase, patterns, totals) {
  const wanted = (file) =>
    patterns.length === 0 || patterns.some((pattern) => file.includes(pattern));
  const files = withoutUntestable(phase.files().filter(wanted));
  if (files.length === 0) return 0;
  const args = [
    ...fromSource,
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${phase.concurrency}`,
    `--test-timeout=${phase.timeoutMs}`,
    ...files,
  ];
  return runNode(args, {
    onLine: (line) => {
      const match = closing.exec(line);
      if (match === null) console.log(line);
      else totals[match[1]] = (totals[match[1]] ?? 0) + Number(match[2]);
    },
  });
}

async function main() {
  const [first, ...rest] = process.argv.slice(2);
  const known = first !== undefined && first in phases;
  const withCompose = process.env.SLOTLOG_TEST_COMPOSE === "1" ? ["compose"] : [];
  const names = known ? [first] : ["unit", "e2e", ...withCompose];
  const patterns = known || first === undefined ? rest : [first, ...rest];
  const totals = {};
  let failed = false;
  for (const name of names) {
    console.log(`${name} tests`);
    if ((await runPhase(phases[name], patterns, totals)) !== 0) failed = true;
  }
  if (totals.tests === undefined) {
    console.error("No test file matches.");
    return 1;
  }
  for (const [name, count] of Object.entries(totals)) console.log(`ℹ ${name} ${count}`);
  return failed ? 1 : 0;
}

process.exitCode = await main();
