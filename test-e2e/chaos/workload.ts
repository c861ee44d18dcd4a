// Writers that remember what they sent and what was acknowledged, so that after a crash one can say
// what must be there, what may be there, and what must not.

import type { TestCluster } from "../harness/cluster.js";
import { encodeCommand, type RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";

const batchSize = 20;
const tagsPerPrimary = 8;

/** What one key went through. Every value is written once, so none can be mistaken for another. */
interface KeyHistory {
  readonly kind: "value" | "counter" | "log";
  /** Of a value: what was sent. */
  readonly value: string;
  /** Of counters and logs: how many steps were sent, and how many acknowledged. */
  sent: number;
  acknowledged: number;
}

export class Workload {
  readonly #histories = new Map<string, KeyHistory>();
  readonly #clients: RawClient[] = [];
  #acknowledged = 0;
  #onAcknowledged = (): void => {};

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Starts a writer for each of some hash tags of each primary; they write until cut off. */
  async start(cluster: TestCluster): Promise<void> {
    const tags = await tagsByPrimary(cluster);
    for (const [index, server] of cluster.primaries.entries()) {
      for (const tag of tags[index] ?? []) {
        const client = await server.client();
        this.#clients.push(client);
        // Ends with the connection, which is how a crash looks from here.
        this.#write(client, tag).catch(() => {});
      }
    }
  }

  /** Resolves once so many writes in all have been acknowledged. */
  untilAcknowledged(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onAcknowledged = () => {
        if (this.#acknowledged >= count) resolve();
      };
      this.#onAcknowledged();
    });
  }

  async ended(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.closed));
  }

  /** What of this is wrong in a node that should have all that was acknowledged. */
  losses(contents: ReadonlyMap<string, string>): string[] {
    const lost: string[] = [];
    for (const [key, history] of this.#histories) {
      const found = contents.get(key);
      if (history.acknowledged > 0 && steps(history, found) < history.acknowledged) {
        lost.push(`${key}: ${history.acknowledged} acknowledged, found ${show(found)}`);
      }
    }
    return lost;
  }

  /** What is in a node that nobody wrote. */
  inventions(contents: ReadonlyMap<string, string>): string[] {
    const invented: string[] = [];
    for (const [key, found] of contents) {
      const history = this.#histories.get(key);
      const count = history === undefined ? 0 : steps(history, found);
      if (history === undefined || !(count >= 1 && count <= history.sent)) {
        invented.push(`${key}: ${show(found)}, sent ${history?.sent ?? 0}`);
      }
    }
    return invented;
  }

  async #write(client: RawClient, tag: string): Promise<void> {
    for (let round = 0; ; round++) {
      const batch = this.#nextBatch(tag, round);
      client.write(Buffer.concat(batch.map(({ command }) => encodeCommand(command))));
      for (const { history } of batch) {
        const reply = await client.read();
        if (reply[0] === 0x2d) throw new Error(textOf(reply));
        history.acknowledged++;
        this.#acknowledged++;
      }
      this.#onAcknowledged();
    }
  }

  #nextBatch(tag: string, round: number): { command: string[]; history: KeyHistory }[] {
    return Array.from({ length: batchSize }, (_, index) => {
      const id = round * batchSize + index;
      if (index % 4 === 2) {
        const key = `{${tag}}counter`;
        return { command: ["INCR", key], history: this.#send(key, "counter", "") };
      }
      if (index % 4 === 3) {
        const key = `{${tag}}log`;
        return { command: ["APPEND", key, "x"], history: this.#send(key, "log", "") };
      }
      const key = `{${tag}}value:${id}`;
      const value = `${tag}-${id}-${"v".repeat(id % 200)}`;
      return { command: ["SET", key, value], history: this.#send(key, "value", value) };
    });
  }

  #send(key: string, kind: KeyHistory["kind"], value: string): KeyHistory {
    let history = this.#histories.get(key);
    if (history === undefined) {
      history = { kind, value, sent: 0, acknowledged: 0 };
      this.#histories.set(key, history);
    }
    history.sent++;
    return history;
  }
}

/** How many steps of its history a key's content shows; NaN if it shows something else. */
function steps(history: KeyHistory, found: string | undefined): number {
  if (found === undefined) return 0;
  switch (history.kind) {
    case "value":
      return found === history.value ? 1 : Number.NaN;
    case "counter":
      return Number(found);
    case "log":
      return /^x*$/.test(found) ? found.length : Number.NaN;
  }
}

function show(found: string | undefined): string {
  return found === undefined ? "nothing" : JSON.stringify(found.slice(0, 60));
}

async function tagsByPrimary(cluster: TestCluster): Promise<string[][]> {
  const tags = cluster.primaries.map((): string[] => []);
  const [first] = cluster.primaries;
  if (first === undefined) return tags;
  using client = await first.client();
  for (let index = 0; tags.some((list) => list.length < tagsPerPrimary); index++) {
    const tag = `tag${index}`;
    const slot = Number(textOf(await client.call("CLUSTER", "KEYSLOT", tag)));
    const list = tags[Math.floor((slot * tags.length) / 16_384)];
    if (list !== undefined && list.length < tagsPerPrimary) list.push(tag);
  }
  return tags;
}
