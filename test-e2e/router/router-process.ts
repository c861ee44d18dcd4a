// Starts the router as built, in front of some cluster, with its log captured. No process outlives
// its test.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../harness/ports.js";
import { projectRoot } from "../harness/project-root.js";
import { RawClient } from "../harness/raw-client.js";

const startTimeoutMs = 20_000;
const stopGraceMs = 15_000;

export interface RouterProcessOptions {
  readonly nodes: readonly number[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class RouterProcess implements AsyncDisposable {
  readonly port: number;
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #killAtExit = (): void => void this.#child.kill("SIGKILL");
  #log = "";
  #how: string | undefined;

  private constructor({ nodes, args = [], env = {} }: RouterProcessOptions, port: number) {
    this.port = port;
    const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");
    const cluster = nodes.map((each) => `127.0.0.1:${each}`).join(",");
    const words = ["router", "--cluster", cluster, "--port", String(port), ...args];
    this.#child = spawn(process.execPath, [bin, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    process.once("exit", this.#killAtExit);
    const keep = (chunk: Buffer): void => void (this.#log += chunk.toString("latin1"));
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#how = signal ?? `exit code ${code}`;
        process.removeListener("exit", this.#killAtExit);
        resolve(this.#how);
      });
    });
  }

  /** Resolves when it accepts clients, whether or not the cluster answers. */
  static async start(options: RouterProcessOptions): Promise<RouterProcess> {
    const router = new RouterProcess(options, await freePort());
    const deadline = performance.now() + startTimeoutMs;
    while (router.#how === undefined && performance.now() < deadline) {
      if (router.log.includes("Ready to accept connections")) return router;
      await delay(20);
    }
    const state = router.#how ?? "it did not get ready";
    await router[Symbol.asyncDispose]();
    throw new Error(`router: ${state}\n${router.log}`);
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  client(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  async stop(): Promise<string> {
    this.terminate();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopGraceMs);
    const how = await this.ended;
    clearTimeout(timer);
    return how;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#how === undefined) this.#child.kill("SIGKILL");
    await this.ended;
  }
}
