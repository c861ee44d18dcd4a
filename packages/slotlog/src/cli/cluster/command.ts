// `slotlog cluster`: commands about a running cluster, wherever its nodes are.

import { lookup } from "node:dns/promises";
import type { Argv, InferredOptionTypes, Options } from "yargs";
import { CliError, type ExitCode, exitCodes, reasonOf, usageError } from "../errors.js";
import { NodeClient } from "../forming/client.js";
import { formCluster, type Member, waitUntilServing } from "../forming/form.js";
import { type Waiting, waitUntil } from "../forming/wait.js";
import { type Progress, progressOn } from "../progress.js";
import { planRoles } from "../up/plan.js";

export const createOptions = {
  replicas: {
    type: "number",
    requiresArg: true,
    default: 0,
    describe: "Replicas of each primary; the first addresses become primaries",
  },
  timeout: {
    type: "number",
    requiresArg: true,
    default: 60,
    describe: "Seconds without progress after which it is given up",
  },
  json: { type: "boolean", default: false, describe: "Print the result as one line of JSON" },
} as const satisfies Record<string, Options>;

type CreateArguments = InferredOptionTypes<typeof createOptions> & {
  readonly nodes: readonly string[];
};

/** Where the password comes from: a command line can be read by every user of a machine. */
const passwordVariable = "SLOTLOG_PASSWORD";

export function describeCluster(command: Argv, setCode: (code: ExitCode) => void): Argv {
  return command
    .command({
      command: "create <nodes..>",
      describe: "Make one cluster out of empty nodes",
      builder: (create) =>
        create
          .usage(
            "$0 cluster create <host:port ...> [options]\n\n" +
              "Makes one cluster out of empty nodes that run with cluster-enabled. Asked again, it\n" +
              "changes nothing, except that nodes which have moved to new addresses meet again.\n" +
              `A password is taken from ${passwordVariable} in the environment.`,
          )
          .positional("nodes", { type: "string", array: true, demandOption: true })
          .options(createOptions)
          .example("$0 cluster create a:7000 b:7000 c:7000", "three primaries")
          .example("$0 cluster create --replicas 1 a:1 b:1 c:1 d:1 e:1 f:1", "with a replica each"),
      handler: async (args) => setCode(await createCluster(args)),
    })
    .demandCommand(1, "a command is missing");
}

async function createCluster(args: CreateArguments): Promise<ExitCode> {
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

interface Address {
  readonly host: string;
  readonly port: number;
}

export function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw usageError(`${text} is no address: expected host:port`);
  }
  return { host, port: Number(port) };
}

/** Waits for the node: in a container beside it, it may not have started yet. */
async function connect({ host, port }: Address, waiting: Waiting): Promise<NodeClient> {
  const password = process.env[passwordVariable];
  let client: NodeClient | undefined;
  await waitUntil(async () => {
    try {
      const { address } = await lookup(host);
      const secret = password === undefined || password === "" ? undefined : password;
      client = await NodeClient.connect({ host: address, port, password: secret });
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
