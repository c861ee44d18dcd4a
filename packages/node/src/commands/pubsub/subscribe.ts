/** Subscribing and unsubscribing: channels, patterns, shard channels. */
import type { CommandContext } from "../../dispatch/context.js";
import type { Client } from "../../net/client.js";
import type { SubscriptionKind } from "../../pubsub/hub.js";
import { encodeMessage } from "../../pubsub/message.js";
import { type CommandBody, type CommandFlag, type CommandSpec, keysFrom } from "../spec.js";

const flags: readonly CommandFlag[] = ["pubsub", "noscript", "loading", "stale"];

/** Shard channels are counted apart from channels and patterns. */
function countFor(client: Client, kind: SubscriptionKind): number {
  if (kind === "shard") return client.shardChannels?.size ?? 0;
  return (client.channels?.size ?? 0) + (client.patterns?.size ?? 0);
}

function confirm(
  { client, reply }: CommandContext,
  confirmation: { readonly verb: string; readonly name: string | undefined },
  kind: SubscriptionKind,
): void {
  if (client.replyMode !== "on") {
    // What is pushed is no reply: CLIENT REPLY OFF does not keep it back.
    const { verb, name } = confirmation;
    client.link.push(encodeMessage([verb, name, countFor(client, kind)], client.protocol));
    return;
  }
  reply.push(3);
  reply.bulk(confirmation.verb);
  if (confirmation.name === undefined) reply.nil();
  else reply.bulk(confirmation.name);
  reply.integer(countFor(client, kind));
}

function subscribe(verb: string, kind: SubscriptionKind): CommandBody {
  return (context, argv) => {
    const { client, node } = context;
    for (let i = 1; i < argv.length; i += 1) {
      const name = argv[i] as string;
      node.pubsub.subscribe(client, kind, name);
      confirm(context, { verb, name }, kind);
    }
  };
}

function namesOf(client: Client, kind: SubscriptionKind): readonly string[] {
  if (kind === "channel") return [...(client.channels ?? [])];
  return [...((kind === "pattern" ? client.patterns : client.shardChannels) ?? [])];
}

function unsubscribe(verb: string, kind: SubscriptionKind): CommandBody {
  return (context, argv) => {
    const { client, node } = context;
    const names = argv.length > 1 ? argv.slice(1) : namesOf(client, kind);
    for (const name of names) {
      node.pubsub.unsubscribe(client, kind, name);
      confirm(context, { verb, name }, kind);
    }
    if (names.length === 0) confirm(context, { verb, name: undefined }, kind);
  };
}

interface Declaration {
  readonly name: string;
  readonly arity: number;
  readonly since: string;
  readonly summary: string;
  readonly syntax: string;
  readonly kind: SubscriptionKind;
}

function declare(declaration: Declaration, body: typeof subscribe): CommandSpec {
  const { name, arity, since, summary, syntax, kind } = declaration;
  return {
    name,
    arity,
    flags,
    categories: [],
    ...(kind === "shard" ? { keys: [keysFrom(1, { last: -1, step: 1 }, "not_key")] } : {}),
    allowedWhileSubscribed: true,
    ...(body === subscribe ? { channels: kind === "pattern" ? "patterns" : "names" } : {}),
    docs: {
      summary,
      since,
      group: "pubsub",
      complexity: "O(N), N being the number of subscriptions concerned",
      syntax,
    },
    run: body(name, kind),
  };
}

export const subscriptions: readonly CommandSpec[] = [
  declare(
    {
      name: "psubscribe",
      arity: -2,
      since: "2.0.0",
      summary: "Listens to all channels whose names match patterns.",
      syntax: "pattern [pattern ...]",
      kind: "pattern",
    },
    subscribe,
  ),
  declare(
    {
      name: "punsubscribe",
      arity: -1,
      since: "2.0.0",
      summary: "Stops listening to patterns, or to all of them.",
      syntax: "[pattern [pattern ...]]",
      kind: "pattern",
    },
    unsubscribe,
  ),
  declare(
    {
      name: "ssubscribe",
      arity: -2,
      since: "7.0.0",
      summary: "Listens to shard channels, which live where their slot lives.",
      syntax: "shardchannel:string [shardchannel:string ...]",
      kind: "shard",
    },
    subscribe,
  ),
  declare(
    {
      name: "subscribe",
      arity: -2,
      since: "2.0.0",
      summary: "Listens to channels.",
      syntax: "channel:string [channel:string ...]",
      kind: "channel",
    },
    subscribe,
  ),
  declare(
    {
      name: "sunsubscribe",
      arity: -1,
      since: "7.0.0",
      summary: "Stops listening to shard channels, or to all of them.",
      syntax: "[shardchannel:string [shardchannel:string ...]]",
      kind: "shard",
    },
    unsubscribe,
  ),
  declare(
    {
      name: "unsubscribe",
      arity: -1,
      since: "2.0.0",
      summary: "Stops listening to channels, or to all of them.",
      syntax: "[channel:string [channel:string ...]]",
      kind: "channel",
    },
    unsubscribe,
  ),
];
