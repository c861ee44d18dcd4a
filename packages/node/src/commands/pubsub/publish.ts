/** PUBLISH, SPUBLISH, and PUBSUB, which tells who listens. */
import type { CommandBody, CommandFlag, CommandSpec } from "../spec.js";
import { keyAt } from "../spec.js";

const publishFlags: readonly CommandFlag[] = [
  "pubsub",
  "loading",
  "stale",
  "fast",
  "may_replicate",
];
const lookFlags: readonly CommandFlag[] = ["pubsub", "loading", "stale"];

const publish: CommandSpec = {
  name: "publish",
  arity: 3,
  flags: publishFlags,
  channels: "published",
  categories: [],
  docs: {
    summary: "Sends a message to all who listen to a channel.",
    since: "2.0.0",
    group: "pubsub",
    complexity: "O(N+M), N subscribers of the channel and M patterns",
    syntax: "channel:string message:string",
  },
  run({ node, reply }, argv) {
    const channel = argv[1] as string;
    const message = argv[2] as string;
    const count = node.pubsub.publish(channel, message);
    node.publishElsewhere({ sharded: false, channel, message });
    reply.integer(count);
  },
};

const spublish: CommandSpec = {
  name: "spublish",
  arity: 3,
  flags: publishFlags,
  channels: "published",
  categories: [],
  keys: [keyAt(1, "not_key")],
  docs: {
    summary: "Sends a message to all who listen to a shard channel.",
    since: "7.0.0",
    group: "pubsub",
    complexity: "O(N), N subscribers of the shard channel",
    syntax: "shardchannel:string message:string",
  },
  run({ node, reply }, argv) {
    const channel = argv[1] as string;
    const message = argv[2] as string;
    const count = node.pubsub.publishToShard(channel, message);
    node.publishElsewhere({ sharded: true, channel, message });
    reply.integer(count);
  },
};

function names(kind: "channel" | "shard"): CommandBody {
  return ({ node, reply, command }, argv) => {
    if (argv.length > 3) {
      reply.error(`ERR wrong number of arguments for '${command.fullName}' command`);
      return;
    }
    const found = node.pubsub.names(kind, argv[2]);
    reply.array(found.length);
    for (const name of found) reply.bulk(name);
  };
}

function counts(kind: "channel" | "shard"): CommandBody {
  return ({ node, reply }, argv) => {
    reply.array((argv.length - 2) * 2);
    for (const name of argv.slice(2)) {
      reply.bulk(name);
      reply.integer(node.pubsub.subscriberCount(kind, name));
    }
  };
}

const helpLines: readonly string[] = [
  "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CHANNELS [<pattern>]",
  "    Return the currently active channels matching a <pattern> (default: '*').",
  "NUMPAT",
  "    Return number of subscriptions to patterns.",
  "NUMSUB [<channel> ...]",
  "    Return the number of subscribers for the specified channels, excluding",
  "    pattern subscriptions(default: no channels).",
  "SHARDCHANNELS [<pattern>]",
  "    Return the currently active shard level channels matching a <pattern> (default: '*').",
  "SHARDNUMSUB [<shardchannel> ...]",
  "    Return the number of subscribers for the specified shard level channel(s)",
  "HELP",
  "    Print this help.",
];

interface Subcommand {
  readonly name: string;
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  readonly since: string;
  readonly summary: string;
  readonly syntax?: string;
  readonly run: CommandBody;
}

function subcommand({ flags = lookFlags, syntax = "", ...rest }: Subcommand): CommandSpec {
  const { name, arity, since, summary, run } = rest;
  return {
    name,
    arity,
    flags,
    categories: [],
    docs: { summary, since, group: "pubsub", complexity: "O(N)", syntax },
    run,
  };
}

const pubsub: CommandSpec = {
  name: "pubsub",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Who listens to what, by subcommand.",
    since: "2.8.0",
    group: "pubsub",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [
    subcommand({
      name: "channels",
      arity: -2,
      since: "2.8.0",
      summary: "Channels that somebody listens to.",
      syntax: "[pattern]",
      run: names("channel"),
    }),
    subcommand({
      name: "help",
      arity: 2,
      flags: ["loading", "stale"],
      since: "6.2.0",
      summary: "Lists the subcommands.",
      run: ({ reply }) => {
        reply.array(helpLines.length);
        for (const line of helpLines) reply.simple(line);
      },
    }),
    subcommand({
      name: "numpat",
      arity: 2,
      since: "2.8.0",
      summary: "How many patterns are listened to.",
      run: ({ node, reply }) => reply.integer(node.pubsub.patternCount),
    }),
    subcommand({
      name: "numsub",
      arity: -2,
      since: "2.8.0",
      summary: "How many clients listen to each of these channels.",
      syntax: "[channel:string [channel:string ...]]",
      run: counts("channel"),
    }),
    subcommand({
      name: "shardchannels",
      arity: -2,
      since: "7.0.0",
      summary: "Shard channels that somebody listens to.",
      syntax: "[pattern]",
      run: names("shard"),
    }),
    subcommand({
      name: "shardnumsub",
      arity: -2,
      since: "7.0.0",
      summary: "How many clients listen to each of these shard channels.",
      syntax: "[shardchannel:string [shardchannel:string ...]]",
      run: counts("shard"),
    }),
  ],
};

export const publishing: readonly CommandSpec[] = [publish, pubsub, spublish];
