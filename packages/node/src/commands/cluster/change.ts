/** Subcommands of CLUSTER that change it: nodes, slots, roles, epochs. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseSafeInteger } from "../../store/int64.js";
import { fail } from "../errors.js";
import { subcommandError } from "../help.js";
import type { CommandSpec } from "../spec.js";
import {
  change,
  integerArgument,
  runOnBus,
  slotArgument,
  subcommand,
  varies,
} from "./subcommand.js";

const portMax = 65535;
const busPortIncrement = 10000;

function meet(context: CommandContext, argv: readonly string[]): void {
  if (argv.length > 5) fail(subcommandError(argv));
  const portText = argv[3] as string;
  const port = parseSafeInteger(portText);
  if (port === undefined) fail(`ERR Invalid base port specified: ${portText}`);
  let busPort = port + busPortIncrement;
  if (argv.length === 5) {
    const given = parseSafeInteger(argv[4] as string);
    if (given === undefined) fail(`ERR Invalid bus port specified: ${argv[4]}`);
    busPort = given;
  }
  const ip = argv[2] as string;
  if (port <= 0 || port > portMax || busPort <= 0 || busPort > portMax) {
    fail(`ERR Invalid node address specified: ${ip}:${portText}`);
  }
  runOnBus(context, { kind: "meet", ip, port, busPort });
}

type SlotChange = "add-slots" | "delete-slots";

function changeSlots(kind: SlotChange) {
  return (context: CommandContext, argv: readonly string[]): void => {
    runOnBus(context, { kind, slots: argv.slice(2).map(slotArgument) });
  };
}

function changeRanges(kind: SlotChange) {
  return (context: CommandContext, argv: readonly string[]): void => {
    if (argv.length % 2 === 1) {
      fail(`ERR wrong number of arguments for '${context.command.fullName}' command`);
    }
    const slots: number[] = [];
    for (let i = 2; i < argv.length; i += 2) {
      const start = slotArgument(argv[i] as string);
      const end = slotArgument(argv[i + 1] as string);
      if (start > end) {
        fail(`ERR start slot number ${start} is greater than end slot number ${end}`);
      }
      for (let slot = start; slot <= end; slot += 1) slots.push(slot);
    }
    runOnBus(context, { kind, slots });
  };
}

function setSlot(context: CommandContext, argv: readonly string[]): void {
  const { cluster } = context.node;
  if (cluster !== undefined && !cluster.bus.core.isPrimary) {
    fail("ERR Please use SETSLOT only with masters.");
  }
  const slot = slotArgument(argv[2] as string);
  const action = (argv[3] as string).toLowerCase();
  const node = argv[4];
  if (node !== undefined && argv.length === 5) {
    if (action === "migrating" || action === "importing" || action === "node") {
      runOnBus(context, { kind: "set-slot", slot, action, node });
      return;
    }
  } else if (action === "stable" && argv.length === 4) {
    runOnBus(context, { kind: "set-slot-stable", slot });
    return;
  }
  fail("ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");
}

function failover(context: CommandContext, argv: readonly string[]): void {
  const mode = argv[2]?.toLowerCase() ?? "default";
  const known = mode === "force" || mode === "takeover" || argv.length === 2;
  if (argv.length > 3) fail(subcommandError(argv));
  if (!known) fail(replyErrors.syntax);
  runOnBus(context, {
    kind: "failover",
    mode: mode === "force" || mode === "takeover" ? mode : "default",
  });
}

function reset(context: CommandContext, argv: readonly string[]): void {
  const mode = argv[2]?.toLowerCase() ?? "soft";
  if (argv.length > 3) fail(subcommandError(argv));
  if (mode !== "hard" && mode !== "soft") fail(replyErrors.syntax);
  runOnBus(context, { kind: "reset", hard: mode === "hard" });
}

const node = "node-id:string";

export const changes: readonly CommandSpec[] = [
  subcommand({
    name: "addslots",
    arity: -3,
    flags: change,
    summary: "Makes this node the owner of slots that nobody owns.",
    complexity: "O(N), N being the number of slots",
    syntax: "slot:integer [slot:integer ...]",
    run: changeSlots("add-slots"),
  }),
  subcommand({
    name: "addslotsrange",
    arity: -4,
    flags: change,
    summary: "ADDSLOTS for ranges of slots, both ends included.",
    since: "7.0.0",
    complexity: "O(N), N being the number of slots in the ranges",
    syntax: "range{start-slot end-slot}...",
    run: changeRanges("add-slots"),
  }),
  subcommand({
    name: "bumpepoch",
    arity: 2,
    flags: change,
    tips: varies,
    summary: "Gives this node the greatest config epoch of the cluster.",
    run: (context) => runOnBus(context, { kind: "bump-epoch" }),
  }),
  subcommand({
    name: "delslots",
    arity: -3,
    flags: change,
    summary: "Makes slots nobody's, as this node sees it.",
    complexity: "O(N), N being the number of slots",
    syntax: "slot:integer [slot:integer ...]",
    run: changeSlots("delete-slots"),
  }),
  subcommand({
    name: "delslotsrange",
    arity: -4,
    flags: change,
    summary: "DELSLOTS for ranges of slots, both ends included.",
    since: "7.0.0",
    complexity: "O(N), N being the number of slots in the ranges",
    syntax: "range{start-slot end-slot}...",
    run: changeRanges("delete-slots"),
  }),
  subcommand({
    name: "failover",
    arity: -2,
    flags: change,
    summary: "Makes this replica take the place of its primary.",
    syntax: "options[FORCE | TAKEOVER]",
    run: failover,
  }),
  subcommand({
    name: "flushslots",
    arity: 2,
    flags: change,
    summary: "Takes all its slots from this node, which must be empty.",
    run: (context) => runOnBus(context, { kind: "flush-slots" }),
  }),
  subcommand({
    name: "forget",
    arity: 3,
    flags: change,
    summary: "Removes a node from this node's view, and keeps it out for a minute.",
    syntax: node,
    run: (context, argv) => runOnBus(context, { kind: "forget", node: argv[2] as string }),
  }),
  subcommand({
    name: "meet",
    arity: -4,
    flags: change,
    summary: "Introduces this node to another, and so their clusters to each other.",
    syntax: "ip port [cluster-bus-port@4.0.0]",
    history: [["4.0.0", "Added the optional `cluster_bus_port` argument."]],
    run: meet,
  }),
  subcommand({
    name: "replicate",
    arity: 3,
    flags: change,
    summary: "Makes this node a replica of a primary.",
    syntax: node,
    run: (context, argv) => runOnBus(context, { kind: "replicate", node: argv[2] as string }),
  }),
  subcommand({
    name: "reset",
    arity: -2,
    flags: ["admin", "noscript", "stale"],
    summary: "Forgets the cluster; HARD also takes a new node id.",
    complexity: "O(N), N being the number of known nodes, or of keys where a replica is emptied",
    syntax: "reset-type[HARD | SOFT]",
    run: reset,
  }),
  subcommand({
    name: "saveconfig",
    arity: 2,
    flags: change,
    summary: "Writes nodes.conf now.",
    run: (context) => runOnBus(context, { kind: "save-config" }),
  }),
  subcommand({
    name: "set-config-epoch",
    arity: 3,
    flags: change,
    summary: "Gives a new node its config epoch, before it knows any other.",
    syntax: "config-epoch:integer",
    run: (context, argv) => {
      const epoch = integerArgument(argv[2] as string);
      runOnBus(context, { kind: "set-config-epoch", epoch });
    },
  }),
  subcommand({
    name: "setslot",
    arity: -4,
    flags: change,
    summary: "Begins, ends or calls off the migration of a slot, or names its owner.",
    syntax:
      "slot subcommand{IMPORTING importing(node-id) | MIGRATING migrating(node-id) | NODE node(node-id) | STABLE}",
    run: setSlot,
  }),
];
