// `slotlog cluster create`: one cluster out of empty nodes.

import { lookup } from "node:dns/promises";
import type { InferredOptionTypes } from "yargs";
import { CliError, type ExitCode, exitCodes, reasonOf, usageError } from "../errors.js";
import { NodeClient } from "../forming/client.js";
import { formCluster, type Member, waitUntilServing } from "../forming/form.js";
import { type Waiting, waitUntil } from "../forming/wait.js";
import { type Progress, progressOn } from "../progress.js";
import { planRoles } from "../up/plan.js";
import { passwordFromEnvironment } from "../environment.js";
import { type Address, parseAddress } from "./address.js";
import type { createOptions } from "./command.js";

type CreateArguments = InferredOptionTypes<typeof createOptions> & {
  readonly nodes: readonly string[];
};

export async function createCluster(args: CreateArguments): Promise<ExitCode> {
  const addresses = args.nodes.map(parseAddress);
  const primaries = addresses.length / (args.replicas + 1);
  if (!Number.isInteger(args.replicas) || args.replicas < 0 || !Number.isInteger(primaries)) {
    const each = `a primary and ${args.replicas} replicas each`;
    throw usageError(`${addresses.length} nodes cannot be divided into ${each}`);
  }
  const progress = progressOn(process.stderr, args.json);
  const waiting: Waiting = {
    patienceMs: args.timeout * 1000,
    onProgress: (text) => progress.step(text),
    signal: new AbortController().signal,
  };
  const members: Member[] = [];
  try {
    const roles = planRoles({ primaries, replicas: args.replicas });
    for (const [index, address] of addresses.entries()) {
      const role = roles[index];
      if (role === undefined) throw new CliError("more nodes than roles");
      const client = await connect(address, waiting);
      const { host: ip, port } = client.address;
      members.push({ label: `${address.host}:${port}`, ip, port, role, client });
    }
    await formCluster(members, waiting);
    await waitUntilServing(members, waiting);
  } finally {
    for (const { client } of members) client.close();
    progress.done();
  }
  report(args, members, progress);
  return exitCodes.ok;
}

/** Waits for the node: in a container beside it, it may not have started yet. */
async function connect({ host, port }: Address, waiting: Waiting): Promise<NodeClient> {
  let client: NodeClient | undefined;
  await waitUntil(async () => {
    try {
      const { address } = await lookup(host);
      const password = passwordFromEnvironment();
      client = await NodeClient.connect({ host: address, port, password });
      await client.call("PING");
      return undefined;
    } catch (error) {
      client?.close();
      return `${host}:${port} does not answer yet: ${reasonOf(error)}`;
    }
  }, waiting);
  if (client === undefined) throw new CliError(`${host}:${port} does not answer`);
  return client;
}

function report({ json }: CreateArguments, members: readonly Member[], progress: Progress): void {
  const nodes = members.map(({ label }) => label);
  if (json) console.log(JSON.stringify({ ready: true, nodes }));
  else progress.note(`The cluster of ${nodes.join(", ")} serves.`);
}
