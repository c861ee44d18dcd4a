// Writers on counters and on logs of unique entries, while something is done to the cluster, and
// the judgement over their history: nothing acknowledged is lost, nothing is there twice, nothing
// is there that nobody wrote.

import { ClusterClient, UnknownOutcome } from "./cluster-client.js";
import { textOf, textsOf } from "./reply.js";

export interface TrafficOptions {
  /** Ports of nodes that clients know at the start. */
  readonly seeds: readonly number[];
  readonly writers?: number;
  readonly keys?: number;
}

/** What happened to one key. */
interface History {
  readonly key: string;
  readonly kind: "counter" | "text" | "list";
  /** Of a counter: what INCR answered. Of a log: the entries that were acknowledged. */
  readonly acknowledged: Set<string>;
  /** Entries, or for a counter increments, of which nobody knows. */
  readonly unknown: Set<string>;
  /** What must not have happened, seen while it was written. */
  readonly wrong: string[];
}

const kinds = ["counter", "text", "list"] as const;

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #histories: readonly History[];
  readonly #clients: ClusterClient[] = [];
  readonly #writing: Promise<void>[] = [];
  #stopping = false;
  #acknowledged = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#histories = Array.from({ length: options.keys ?? 240 }, (_, index) => {
      const kind = kinds[index % kinds.length] as History["kind"];
      const nothing = { acknowledged: new Set<string>(), unknown: new Set<string>(), wrong: [] };
      return { key: `${kind}:${index}`, kind, ...nothing };
    });
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get keys(): readonly string[] {
    return this.#histories.map(({ key }) => key);
  }

  /** How often servers sent a writer elsewhere or told it to come again, by word. */
  get redirections(): ReadonlyMap<string, number> {
    const sum = new Map<string, number>();
    for (const client of this.#clients) {
      for (const [word, count] of client.redirections) {
        sum.set(word, (sum.get(word) ?? 0) + count);
      }
    }
    return sum;
  }

  start(): void {
    const writers = this.#options.writers ?? 6;
    for (let writer = 0; writer < writers; writer++) {
      const client = new ClusterClient(this.#options.seeds, writer);
      this.#clients.push(client);
      this.#writing.push(this.#write(client, writer));
    }
  }

  /** Lets every writer finish what it has begun. Rejects if one of them gave up. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ends = await Promise.allSettled(this.#writing);
    for (const client of this.#clients) client.close();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** Everything that is wrong with what the cluster holds now. */
  async verdict(seeds = this.#options.seeds): Promise<string[]> {
    const client = new ClusterClient(seeds);
    const wrong: string[] = [];
    for (const history of this.#histories) {
      wrong.push(...history.wrong, ...judge(history, await contents(client, history)));
    }
    client.close();
    return wrong;
  }

  async #write(client: ClusterClient, writer: number): Promise<void> {
    for (let round = 0; !this.#stopping; round++) {
      // Writers go through the keys in steps of their own, so that they meet on them.
      const index = (writer * 31 + round * (2 * writer + 1)) % this.#histories.length;
      const history = this.#histories[index] as History;
      const entry = `${writer}-${round}`;
      try {
        const reply = await client.call(history.key, ...commandFor(history, entry));
        this.#note(history, entry, textOf(reply), reply);
      } catch (error) {
        if (!(error instanceof UnknownOutcome)) throw error;
        history.unknown.add(entry);
      }
    }
  }

  #note(history: History, entry: string, text: string, reply: Buffer): void {
    if (reply[0] === 0x2d) {
      history.wrong.push(`${history.key}: ${text}`);
      return;
    }
    this.#acknowledged++;
    const mark = history.kind === "counter" ? text : entry;
    if (history.acknowledged.has(mark)) history.wrong.push(`${history.key}: ${mark} came twice`);
    history.acknowledged.add(mark);
  }
}

function commandFor({ key, kind }: History, entry: string): readonly string[] {
  if (kind === "counter") return ["INCR", key];
  return kind === "text" ? ["APPEND", key, `${entry};`] : ["RPUSH", key, entry];
}

async function contents(client: ClusterClient, { key, kind }: History): Promise<string[]> {
  if (kind === "list") return textsOf(await client.call(key, "LRANGE", key, "0", "-1"));
  const reply = await client.call(key, "GET", key);
  const text = reply[1] === 0x2d ? "" : textOf(reply);
  if (kind === "counter") return text === "" ? [] : [text];
  return text.split(";").slice(0, -1);
}

function judge(history: History, found: readonly string[]): string[] {
  const { acknowledged, key, kind, unknown } = history;
  if (kind === "counter") {
    const value = Number(found[0] ?? 0);
    const most = acknowledged.size + unknown.size;
    if (value >= acknowledged.size && value <= most) return [];
    return [`${key} is ${value}, acknowledged ${acknowledged.size}, unknown ${unknown.size}`];
  }
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const entry of found) {
    if (seen.has(entry)) wrong.push(`${key}: ${entry} is there twice`);
    seen.add(entry);
    if (!acknowledged.has(entry) && !unknown.has(entry)) {
      wrong.push(`${key}: nobody wrote ${entry}`);
    }
  }
  for (const entry of acknowledged) if (!seen.has(entry)) wrong.push(`${key}: ${entry} is lost`);
  return wrong;
}
