/**
 * Who listens to what: channels, patterns, and shard channels. It delivers messages to the clients
 * of this node and counts them; how a message reaches other nodes is not its business.
 *
 * It grows with subscriptions, never with the data.
 */
import type { Client } from "../net/client.js";
import { globMatch } from "../store/glob.js";
import { encodeMessage, type MessageWords } from "./message.js";

export type SubscriptionKind = "channel" | "pattern" | "shard";

type Subscribers = Map<string, Set<Client>>;

export class PubSubHub {
  readonly #channels: Subscribers = new Map();
  readonly #patterns: Subscribers = new Map();
  readonly #shardChannels: Subscribers = new Map();

  #table(kind: SubscriptionKind): Subscribers {
    if (kind === "channel") return this.#channels;
    return kind === "pattern" ? this.#patterns : this.#shardChannels;
  }

  subscribe(client: Client, kind: SubscriptionKind, name: string): void {
    const own = subscriptionsOf(client, kind);
    if (own.has(name)) return;
    own.add(name);
    client.subscriptions += 1;
    const table = this.#table(kind);
    const subscribers = table.get(name);
    if (subscribers === undefined) table.set(name, new Set([client]));
    else subscribers.add(client);
  }

  unsubscribe(client: Client, kind: SubscriptionKind, name: string): void {
    if (!subscriptionsOf(client, kind).delete(name)) return;
    client.subscriptions -= 1;
    const table = this.#table(kind);
    const subscribers = table.get(name);
    subscribers?.delete(client);
    if (subscribers?.size === 0) table.delete(name);
  }

  /** The client is gone, or starts anew. */
  unsubscribeAll(client: Client): void {
    if (client.subscriptions === 0) return;
    for (const kind of ["channel", "pattern", "shard"] as const) {
      for (const name of [...subscriptionsOf(client, kind)]) this.unsubscribe(client, kind, name);
    }
  }

  /** Delivers to subscribers of the channel and of patterns; returns how many there were. */
  publish(channel: string, message: string, onDelivery?: (client: Client) => void): number {
    let count = this.#deliver(
      this.#channels.get(channel),
      ["message", channel, message],
      onDelivery,
    );
    for (const [pattern, subscribers] of this.#patterns) {
      if (!globMatch(pattern, channel)) continue;
      count += this.#deliver(subscribers, ["pmessage", pattern, channel, message], onDelivery);
    }
    return count;
  }

  publishToShard(channel: string, message: string): number {
    return this.#deliver(this.#shardChannels.get(channel), ["smessage", channel, message]);
  }

  /** A shard channel is served elsewhere now: its subscribers are told, and let go. */
  dropShardChannels(isLost: (channel: string) => boolean): void {
    for (const [channel, subscribers] of [...this.#shardChannels]) {
      if (!isLost(channel)) continue;
      for (const client of [...subscribers]) {
        this.unsubscribe(client, "shard", channel);
        const left = client.shardChannels?.size ?? 0;
        client.link.push(encodeMessage(["sunsubscribe", channel, left], client.protocol));
      }
    }
  }

  /** Names with subscribers that match the pattern. */
  names(kind: "channel" | "shard", pattern: string | undefined): readonly string[] {
    const names = [...this.#table(kind).keys()];
    return pattern === undefined ? names : names.filter((name) => globMatch(pattern, name));
  }

  subscriberCount(kind: "channel" | "shard", name: string): number {
    return this.#table(kind).get(name)?.size ?? 0;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  get patternCount(): number {
    return this.#patterns.size;
  }

  get shardChannelCount(): number {
    return this.#shardChannels.size;
  }

  /** Encoded at most once for each protocol, whatever the number of subscribers. */
  #deliver(
    subscribers: ReadonlySet<Client> | undefined,
    words: MessageWords,
    onDelivery?: (client: Client) => void,
  ): number {
    if (subscribers === undefined) return 0;
    let resp2: Buffer | undefined;
    let resp3: Buffer | undefined;
    for (const client of subscribers) {
      if (client.protocol === 3) client.link.push((resp3 ??= encodeMessage(words, 3)));
      else client.link.push((resp2 ??= encodeMessage(words, 2)));
      onDelivery?.(client);
    }
    return subscribers.size;
  }
}

function subscriptionsOf(client: Client, kind: SubscriptionKind): Set<string> {
  if (kind === "channel") return (client.channels ??= new Set());
  if (kind === "pattern") return (client.patterns ??= new Set());
  return (client.shardChannels ??= new Set());
}
