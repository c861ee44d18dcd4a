/** What all subcommands of CLUSTER share: their declaration in short, and access to the bus. */
import type { BusCommand, BusDriver, CommandReply } from "@slotlog/cluster-bus";
import type { CommandContext } from "../../dispatch/context.js";
import { parseSafeInteger } from "../../store/int64.js";
import { fail } from "../errors.js";
import type { CommandBody, CommandDocs, CommandFlag, CommandSpec } from "../spec.js";

export const slotCount = 16384;

/** Flags of what changes the cluster, and of what only looks. */
export const change: readonly CommandFlag[] = ["admin", "stale", "no_async_loading"];
export const look: readonly CommandFlag[] = ["stale"];
export const lookEvenLoading: readonly CommandFlag[] = ["loading", "stale"];

interface Declaration extends Partial<CommandDocs> {
  readonly name: string;
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly tips?: readonly string[];
  readonly summary: string;
  readonly run: CommandBody;
}

export function subcommand(declaration: Declaration): CommandSpec {
  const { name, arity, flags, tips = [], run, ...docs } = declaration;
  return {
    name,
    arity,
    flags,
    categories: [],
    tips,
    docs: { since: "3.0.0", group: "cluster", complexity: "O(1)", syntax: "", ...docs },
    run: (context, argv) => {
      if (!context.node.config.clusterEnabled)
        fail("ERR This instance has cluster support disabled");
      run(context, argv);
    },
  };
}

/** The reply is not the same on every node. */
export const varies = ["nondeterministic_output"];

export function busOf(context: CommandContext): BusDriver {
  const bus = context.node.cluster?.bus;
  // Between the listening and the end of loading there is no bus yet.
  return bus ?? fail("LOADING Redis is loading the dataset in memory");
}

/** Runs a command of the bus and answers as it says. */
export function runOnBus(context: CommandContext, command: BusCommand): void {
  answer(context, busOf(context).run(command));
}

function answer({ reply }: CommandContext, outcome: CommandReply): void {
  switch (outcome.kind) {
    case "ok":
      reply.ok();
      return;
    case "status":
      reply.simple(outcome.text);
      return;
    case "integer":
      reply.integer(outcome.value);
      return;
    case "error":
      reply.error(outcome.text);
      return;
  }
}

export function slotArgument(text: string): number {
  const slot = parseSafeInteger(text);
  if (slot === undefined || slot < 0 || slot >= slotCount) fail("ERR Invalid or out of range slot");
  return slot;
}

export function integerArgument(text: string): number {
  return parseSafeInteger(text) ?? fail("ERR value is not an integer or out of range");
}
