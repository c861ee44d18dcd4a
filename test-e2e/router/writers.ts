// Writers through a router, each pipelining appends to lists of its own, and the judgement over
// what they were told: nothing acknowledged is missing, nothing is there twice or that nobody
// wrote, and each list is in the order in which its writer sent it.

import { setTimeout as delay } from "node:timers/promises";
import { encodeCommand, RawClient } from "../harness/raw-client.js";
import { textOf, textsOf } from "../harness/reply.js";

interface List {
  readonly key: string;
  readonly acknowledged: number[];
  /** Answered with an error that says that nobody knows. */
  readonly unknown: Set<number>;
  /** Answered with an error that says that it was not done. */
  readonly refused: Set<number>;
}

export interface Mishap {
  /** ms since the writers started. */
  readonly at: number;
  readonly text: string;
}

export class Writers {
  readonly errors: Mishap[] = [];
  /** The longest that one batch took, in ms. */
  slowestMs = 0;
  readonly #port: number;
  readonly #lists: List[];
  readonly #running: Promise<void>[] = [];
  readonly #begin = performance.now();
  #isStopping = false;
  #next = 0;

  constructor(options: {
    readonly port: number;
    readonly writers: number;
    readonly lists: number;
  }) {
    this.#port = options.port;
    this.#lists = Array.from({ length: options.writers * options.lists }, (_, index) => ({
      key: `list:${index}`,
      acknowledged: [],
      unknown: new Set<number>(),
      refused: new Set<number>(),
    }));
    for (let writer = 0; writer < options.writers; writer++) {
      const own = this.#lists.slice(writer * options.lists, (writer + 1) * options.lists);
      this.#running.push(this.#write(own));
    }
  }

  get now(): number {
    return performance.now() - this.#begin;
  }

  get acknowledged(): number {
    return this.#lists.reduce((sum, list) => sum + list.acknowledged.length, 0);
  }

  get unknown(): number {
    return this.#lists.reduce((sum, list) => sum + list.unknown.size, 0);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  /** What is wrong with the lists as they are now. */
  async verdict(): Promise<string[]> {
    using client = await RawClient.connect(this.#port);
    const wrong: string[] = [];
    for (const { key, acknowledged, unknown, refused } of this.#lists) {
      const found = textsOf(await client.call("LRANGE", key, "0", "-1")).map(Number);
      const there = new Set(found);
      const lost = acknowledged.filter((each) => !there.has(each));
      if (lost.length > 0) wrong.push(`${key}: ${lost.length} acknowledged lost, as ${lost[0]}`);
      if (there.size !== found.length) wrong.push(`${key}: something is there twice`);
      const swapped = found.findIndex((each, at) => at > 0 && each < (found[at - 1] ?? 0));
      if (swapped >= 0) wrong.push(`${key}: ${found[swapped]} came after ${found[swapped - 1]}`);
      const known = new Set([...acknowledged, ...unknown]);
      const strange = found.filter((each) => !known.has(each));
      if (strange.length === 0) continue;
      const denied = strange.filter((each) => refused.has(each));
      wrong.push(`${key}: ${strange.length} that nobody was told of, ${denied.length} refused`);
    }
    return wrong;
  }

  async #write(lists: readonly List[]): Promise<void> {
    const client = await RawClient.connect(this.#port);
    while (!this.#isStopping) {
      const begin = performance.now();
      // Twice each list in one batch: what one batch does to a key must keep its order, too.
      const batch = [...lists, ...lists].map((list) => ({ list, number: this.#next++ }));
      client.write(
        Buffer.concat(
          batch.map(({ list, number }) => encodeCommand(["RPUSH", list.key, String(number)])),
        ),
      );
      for (const { list, number } of batch) {
        const reply = textOf(await client.read(60_000));
        if (/^\d+$/.test(reply)) list.acknowledged.push(number);
        else this.#onError(list, number, reply);
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begin);
      await delay(2);
    }
    client.close();
  }

  #onError(list: List, number: number, text: string): void {
    this.errors.push({ at: this.now, text });
    if (text.includes("UNCONFIRMED")) list.unknown.add(number);
    else list.refused.add(number);
  }
}
