/**
 * A whole node without sockets and disk, for tests of commands: words in, reply bytes and log
 * records out. Time stands still until a test moves it; every random choice comes from a seed.
 */
import {
  type Argument,
  CommandDecoder,
  latin1String,
  ReplyDecoder,
  type ReplySink,
  type ReplyValue,
} from "@slotlog/resp";
import { Configuration, type NodeConfig } from "../config/config.js";
import { Client, type ClientKind, type ClientLink } from "../net/client.js";
import { Node } from "../node.js";
import type { Disk, Net, Random } from "../ports.js";
import type { ProcessInfo } from "../process-info.js";
import { FastRandom } from "../store/random.js";
import { LogLines } from "./aof-world.js";
import { SimClock } from "./sim-clock.js";

export interface HarnessOptions {
  /** `loader` for what stands in a log, which is obeyed where clients are refused. */
  readonly clientKind?: ClientKind;
  readonly config?: Partial<NodeConfig>;
  readonly seed?: number;
  /** Unix ms at the start. */
  readonly now?: number;
}

class CollectingLink implements ClientLink, ReplySink {
  readonly remoteAddress = "127.0.0.1:1";
  readonly localAddress = "127.0.0.1:2";
  readonly queryBufferBytes = 0;
  readonly outputBufferBytes = 0;
  readonly outputChunks = 0;
  readonly chunks: Buffer[] = [];

  chunk(bytes: Buffer): void {
    this.chunks.push(Buffer.from(bytes));
  }

  push(bytes: Buffer): void {
    this.chunk(bytes);
  }

  closeAfterReplies(): void {}
  closeNow(): void {}
  resume(): void {}
}

export class CommandHarness {
  readonly clock: SimClock;
  readonly log = new LogLines();
  readonly node: Node;
  readonly client: Client;
  readonly #link = new CollectingLink();
  #records: string[][] = [];

  constructor(options: HarnessOptions = {}) {
    this.clock = new SimClock(options.now);
    const configuration = new Configuration(
      { workingDirectory: "/harness", checkDirectory: () => undefined },
      options.config,
    );
    this.node = new Node({
      ports: {
        clock: this.clock,
        random: seededRandom(options.seed ?? 1),
        disk: nothing<Disk>("disk"),
        net: nothing<Net>("net"),
        log: this.log,
      },
      configuration,
      process: processInfo,
    });
    this.node.stream.active = true;
    // With every other seed, also the usual one, each collection is packed as soon as another is
    // used, as only the least used are with many.
    const packs = (options.seed ?? 1) % 2 === 1;
    if (packs) this.node.databases.first.collections.packing.looseMax = 1;
    this.client = this.newClient(this.#link, options.clientKind);
  }

  /** A second client of the same node. */
  newClient(link: ClientLink = new CollectingLink(), kind: ClientKind = "normal"): Client {
    const client = new Client({
      id: this.node.clients.nextId(),
      kind,
      link,
      now: this.clock.now(),
      database: this.node.databases.first,
    });
    client.authenticated = true;
    this.node.clients.add(client);
    return client;
  }

  set protocol(protocol: 2 | 3) {
    this.client.protocol = protocol;
  }

  get now(): number {
    return this.clock.now();
  }

  set now(unixMs: number) {
    this.clock.stepWall(unixMs - this.clock.now());
    this.node.access.setNow(unixMs);
  }

  /** Runs one command and returns the bytes of its reply. */
  run(...words: readonly Argument[]): Buffer {
    const { node, client } = this;
    const link = this.#link;
    link.chunks.length = 0;
    node.dispatcher.startBatch();
    node.reply.attach(link, client.protocol);
    const hasLarge = words.some((word) => typeof word !== "string");
    try {
      node.dispatcher.process(client, words, hasLarge);
    } finally {
      node.reply.detach();
      this.#records = decodeRecords(node.stream.batch());
      node.stream.reset();
      node.reply.recycle();
    }
    return Buffer.concat(link.chunks);
  }

  /** As `run`; the reply as a latin1 text. */
  text(...words: readonly Argument[]): string {
    return this.run(...words).toString("latin1");
  }

  /** As `run`; the reply decoded. */
  value(...words: readonly Argument[]): ReplyValue | undefined {
    const decoder = new ReplyDecoder();
    decoder.push(this.run(...words));
    return decoder.next();
  }

  /** The log records of the last command, SELECT, MULTI and EXEC included. */
  records(): string[][] {
    return this.#records;
  }
}

/** Runs commands in a node that lives, exactly now: between two slices of something else. */
export class CommandRunner {
  readonly #node: Node;
  readonly #client: Client;
  readonly #link = new CollectingLink();

  constructor(node: Node) {
    this.#node = node;
    this.#client = new Client({
      id: node.clients.nextId(),
      kind: "normal",
      link: this.#link,
      now: node.ports.clock.now(),
      database: node.databases.first,
    });
    this.#client.authenticated = true;
    node.clients.add(this.#client);
  }

  /** The bytes of the reply. What the command logs waits for the end of the turn. */
  run(...words: readonly string[]): Buffer {
    const { dispatcher, reply, turn } = this.#node;
    this.#link.chunks.length = 0;
    dispatcher.startBatch();
    reply.attach(this.#link, this.#client.protocol);
    try {
      dispatcher.process(this.#client, words, false);
    } finally {
      dispatcher.endBatch();
      reply.detach();
    }
    turn.schedule();
    return Buffer.concat(this.#link.chunks);
  }
}

function decodeRecords(batch: Buffer): string[][] {
  const decoder = new CommandDecoder();
  const records: string[][] = [];
  decoder.push(batch);
  while (decoder.next()) records.push(decoder.argv.map((word) => asText(word)));
  return records;
}

function asText(word: Argument): string {
  return typeof word === "string" ? word : latin1String(word, 0, word.length);
}

export function seededRandom(seed: number): Random {
  const random = new FastRandom(seed);
  const byte = (): number => random.below(256);
  return {
    uint32: () => ((random.next31() << 1) | (random.next31() & 1)) >>> 0,
    bytes: (length) => Uint8Array.from({ length }, byte),
  };
}

/** A port that must not be used. */
function nothing<Port extends object>(name: string): Port {
  return new Proxy({} as Port, {
    get: (_, member) => {
      throw new Error(`a command harness has no ${name} (${String(member)})`);
    },
  });
}

export const processInfo: ProcessInfo = {
  pid: 1,
  os: "Test 1.0 x86_64",
  executable: "harness",
  rss: () => 0,
  usedMemory: () => 0,
  heapTotal: () => 0,
  block: () => {},
  heapLimit: 2 ** 32,
  totalSystemMemory: 2 ** 33,
  cpu: () => ({ user: 0, system: 0 }),
};
