// The packages as npm would publish them, installed in an empty project: types resolve, the command
// runs, and the examples pass as their readers will run them.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { freePortRow } from "../harness/ports.js";
import { projectRoot } from "../harness/project-root.js";

const run = promisify(execFile);
const packages = ["resp", "cluster-bus", "node", "router", "slotlog"];
/** What readers of the examples install, and what looks at packages. */
const others = ["ioredis", "vitest", "jest", "typescript@5", "publint", "@arethetypeswrong/core"];

/** Every name that a program may import, with its types. */
const consumer = `
import { startCluster, startNode, type ClusterOptions, type EmbeddedCluster } from "slotlog";
import { runNode } from "@slotlog/node";
import { keySlot } from "@slotlog/cluster-bus";
import { ReplyDecoder } from "@slotlog/resp";

export async function main(options: ClusterOptions): Promise<number> {
  await using cluster: EmbeddedCluster = await startCluster(options);
  await using node = await startNode({ config: { appendonly: true, maxmemory: "1gb" } });
  const slot: number = keySlot("key");
  return slot + cluster.nodes.length + node.port + runNode.length + ReplyDecoder.length;
}
`;

const attw = `
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { readFileSync } from "node:fs";
for (const file of process.argv.slice(2)) {
  const analysis = await checkPackage(createPackageFromTarballData(readFileSync(file)));
  // ES modules only, which is what Node 20.19 and later can also require().
  const problems = (analysis.problems ?? []).filter(
    ({ kind, resolutionKind }) => resolutionKind !== "node10" && kind !== "CJSResolvesToESM",
  );
  for (const problem of problems) console.log(file, JSON.stringify(problem));
}
`;

/** As a shell has it: what this test's own runner says to its children is not for others. */
const { NODE_TEST_CONTEXT: _, ...outer } = process.env;
const environment = { ...outer, NODE_OPTIONS: "--experimental-vm-modules --no-warnings" };

describe("packages", () => {
  const directory = mkdtempSync(join(tmpdir(), "slotlog-packages-"));
  const project = join(directory, "project");
  const tarballs = join(directory, "tarballs");
  after(() => rmSync(directory, { recursive: true, force: true }));

  const inProject = (command: string, ...args: string[]): Promise<{ stdout: string }> =>
    run(command, args, {
      cwd: project,
      timeout: 180_000,
      env: environment,
    });

  before(async () => {
    mkdirSync(project);
    mkdirSync(tarballs);
    for (const name of packages) {
      await run("npm", ["pack", "--pack-destination", tarballs], {
        cwd: join(projectRoot(), "packages", name),
      });
    }
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
    const files = readdirSync(tarballs).map((file) => join(tarballs, file));
    assert.equal(files.length, packages.length);
    await inProject("npm", "install", "--no-audit", "--no-fund", ...files, ...others);
    cpSync(join(projectRoot(), "packages/slotlog/examples"), join(project, "examples"), {
      recursive: true,
    });
  });

  it("have types that a program can use", async () => {
    writeFileSync(join(project, "main.ts"), consumer);
    const options =
      "--noEmit --strict --module nodenext --target es2022 --lib es2022,esnext.disposable";
    await inProject("npx", "tsc", ...options.split(" "), "--skipLibCheck", "main.ts");
  });

  it("are laid out as publint and attw want it", async () => {
    writeFileSync(join(project, "attw.mjs"), attw);
    const files = readdirSync(tarballs).map((file) => join(tarballs, file));
    for (const file of files) {
      const { stdout } = await inProject("npx", "publint", "run", file, "--strict");
      assert.match(stdout, /All good/, stdout);
    }
    const { stdout } = await inProject(process.execPath, "attw.mjs", ...files);
    assert.equal(stdout, "");
  });

  it("run the examples", async () => {
    const node = await inProject(process.execPath, "--test", "examples/node-test/");
    assert.match(node.stdout, /# pass 2/);
    const vitest = await inProject("npx", "vitest", "run", "--root", "examples/vitest");
    assert.match(vitest.stdout, /2 passed/);
    await inProject("npx", "jest", "--rootDir", "examples/jest", "--detectOpenHandles");
  });

  it("bring a cluster up", async () => {
    const port = await freePortRow(3);
    const args = `slotlog up --json --replicas 0 --port ${port} --metrics-port 0 --dir data`;
    const child = spawn("npx", args.split(" "), {
      cwd: project,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, to interrupt it whole as a terminal does: npx alone would not pass it
      // on.
      detached: true,
    });
    let complaints = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const ended = once(child, "close").then(() => [complaints]);
    const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [
      string,
    ];
    assert.match(line, /"ready":true/);
    process.kill(-(child.pid ?? assert.fail("npx has no process id")), "SIGINT");
    await ended;
    const { stdout } = await inProject("npx", "slotlog", "--version");
    assert.match(stdout, /\d+\.\d+\.\d+/);
  });
});
