// A client of a cluster that hides nothing: it follows redirections, repeats what a server said it
// did not do, and repeats nothing else. What became of a command whose connection broke is unknown,
// and said so; a client that retried it would hide exactly what these tests look for.

import { setTimeout as delay } from "node:timers/promises";
import { encodeCommand, RawClient } from "./raw-client.js";

/** Answers of a server that has not done what it was asked. */
const notDone = /^-(?:TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN)\b/;
const redirection = /^-(MOVED|ASK) \d+ [^ ]*:(\d+)/;

/** How long one command may be sent from node to node; a failover takes seconds. */
const patienceMs = 40_000;
const pauseMs = 10;
/** A node that is cut off never answers, nor does anybody close the connection. */
const replyTimeoutMs = 15_000;

/** The command may have been done or not. */
export class UnknownOutcome extends Error {}

export class ClusterClient {
  readonly #seeds: readonly number[];
  readonly #connections = new Map<number, RawClient>();
  /** Where the last command on this key was answered. */
  readonly #portOfKey = new Map<string, number>();
  /** How often a server sent it on, by word: MOVED, ASK, TRYAGAIN, ... */
  readonly redirections = new Map<string, number>();
  #nextSeed: number;

  constructor(seeds: readonly number[], first = 0) {
    this.#seeds = seeds;
    this.#nextSeed = first;
  }

  /** The reply to a command on `key`. One at a time. */
  async call(key: string, ...args: readonly string[]): Promise<Buffer> {
    const deadline = performance.now() + patienceMs;
    let port = this.#portOfKey.get(key) ?? this.#seed();
    let asking = false;
    for (;;) {
      const reply = await this.#callOn(port, args, asking);
      const text = reply?.toString("latin1") ?? "-NOBODY";
      const sentTo = redirection.exec(text);
      if (reply !== undefined && sentTo === null && !notDone.test(text)) {
        if (!asking) this.#portOfKey.set(key, port);
        return reply;
      }
      this.#count(text);
      if (performance.now() > deadline) throw new Error(`${args.join(" ")}: ${text}`);
      if (sentTo !== null) {
        port = Number(sentTo[2]);
        asking = sentTo[1] === "ASK";
        continue;
      }
      await delay(pauseMs);
      // TRYAGAIN is about this moment; all else is asked of whoever may know better.
      if (!text.startsWith("-TRYAGAIN")) port = this.#seed();
      asking = false;
    }
  }

  close(): void {
    for (const client of this.#connections.values()) client.close();
    this.#connections.clear();
  }

  /** Undefined if nobody listens there: nothing was sent. */
  async #callOn(
    port: number,
    args: readonly string[],
    asking: boolean,
  ): Promise<Buffer | undefined> {
    let client = this.#connections.get(port);
    if (client === undefined) {
      try {
        client = await RawClient.connect(port);
      } catch {
        return undefined;
      }
      this.#connections.set(port, client);
    }
    const prefix = asking ? [encodeCommand(["ASKING"])] : [];
    const silence = setTimeout(() => client.close(), replyTimeoutMs);
    try {
      client.write(Buffer.concat([...prefix, encodeCommand(args)]));
      if (asking) await client.read();
      return await client.read();
    } catch (error) {
      client.close();
      this.#connections.delete(port);
      throw new UnknownOutcome(`port ${port}, ${args.join(" ")}: ${String(error)}`);
    } finally {
      clearTimeout(silence);
    }
  }

  #seed(): number {
    const port = this.#seeds[this.#nextSeed % this.#seeds.length];
    this.#nextSeed++;
    if (port === undefined) throw new Error("a cluster client without nodes");
    return port;
  }

  #count(text: string): void {
    const word = /^-(\w+)/.exec(text)?.[1] ?? "?";
    this.redirections.set(word, (this.redirections.get(word) ?? 0) + 1);
  }
}
