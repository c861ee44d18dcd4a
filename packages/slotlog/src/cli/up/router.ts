// The router of `slotlog up`: one more process beside the nodes, for clients that know nothing of
// clusters.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { passwordVariable } from "../environment.js";
import { CliError, reasonOf } from "../errors.js";
import { type Waiting, waitUntil } from "../forming/wait.js";
import { passwordOf } from "./password.js";
import type { ClusterPlan } from "./plan.js";
import { listenOnce } from "./ports.js";
import { NodeProcess } from "./processes.js";

/** Nobody else's by convention, and easy to remember beside 7000. */
const routerPortDefault = 7379;

/** The router's port; 0 is none. What nobody asked for is left out if the port is taken. */
export async function chooseRouterPort(
  { host }: ClusterPlan,
  asked: number | undefined,
  onNote: (text: string) => void,
): Promise<number> {
  if (asked === 0) return 0;
  const port = asked ?? routerPortDefault;
  const error = await listenOnce(host, port);
  if (error === undefined) return port;
  if (asked === undefined) {
    onNote(`no router: port ${port} is taken (--router chooses another, 0 is off)`);
    return 0;
  }
  throw new CliError(`port ${port} for the router cannot be had: ${reasonOf(error)}`, {
    hint: "Choose another with --router, or turn it off with --router 0.",
  });
}

export interface RouterStart {
  readonly plan: ClusterPlan;
  readonly port: number;
  readonly requirepass: string | undefined;
  readonly onTrouble: (text: string) => void;
  readonly wait: Waiting;
}

/** Resolves when it accepts clients. `onStarted` gets the process before that, to end it. */
export async function startRouter(
  { plan, port, requirepass, onTrouble, wait }: RouterStart,
  onStarted: (router: NodeProcess) => void,
): Promise<void> {
  const directory = join(plan.directory, "router");
  mkdirSync(directory, { recursive: true });
  const [first] = plan.nodes;
  const password = requirepass ?? (first === undefined ? undefined : passwordOf(first.directory));
  const bin = fileURLToPath(new URL("../../bin.js", import.meta.url));
  const seeds = plan.nodes.map((node) => `${plan.host}:${node.port}`).join(",");
  const args = ["router", "--cluster", seeds, "--host", plan.host, "--port", String(port)];
  const launch = {
    command: process.execPath,
    args: [bin],
    env: password === undefined ? {} : { [passwordVariable]: password },
  };
  const router = new NodeProcess({ port, directory }, launch, args, onTrouble);
  onStarted(router);
  await waitUntil(async () => {
    if (!router.running) {
      throw new CliError(`the router ended while it started: ${router.lastLines.at(-1) ?? ""}`);
    }
    const isReady = router.lastLines.some((line) => line.includes("Ready to accept connections"));
    return isReady ? undefined : "the router is not ready";
  }, wait);
}
