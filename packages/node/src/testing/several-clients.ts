/**
 * Several clients of one node without sockets, as connections serve them: what a blocked client
 * says is held back until it goes on, and the end of the turn comes after each command.
 */
import { CommandDecoder } from "@slotlog/resp";
import type { Client, ClientLink } from "../net/client.js";
import { CommandHarness, type HarnessOptions } from "./command-harness.js";

type Words = readonly string[];

class HeldLink implements ClientLink {
  readonly remoteAddress = "127.0.0.1:1";
  readonly localAddress = "127.0.0.1:2";
  readonly queryBufferBytes = 0;
  readonly outputBufferBytes = 0;
  readonly outputChunks = 0;
  readonly held: Words[] = [];
  isClosed = false;
  #received: Buffer[] = [];
  readonly #goOn: () => void;

  constructor(goOn: () => void) {
    this.#goOn = goOn;
  }

  chunk(bytes: Buffer): void {
    this.#received.push(Buffer.from(bytes));
  }

  push(bytes: Buffer): void {
    this.chunk(bytes);
  }

  closeAfterReplies(): void {
    this.isClosed = true;
  }

  closeNow(): void {
    this.isClosed = true;
  }

  resume(): void {
    this.#goOn();
  }

  /** What came since the last call. */
  take(): string {
    const bytes = Buffer.concat(this.#received);
    this.#received = [];
    return bytes.toString("latin1");
  }
}

export class SeveralClients {
  readonly harness: CommandHarness;
  readonly clients: Client[] = [];
  readonly #links: HeldLink[] = [];
  readonly #records: string[][] = [];

  constructor(count: number, options: HarnessOptions = {}) {
    this.harness = new CommandHarness(options);
    for (let index = 0; index < count; index++) {
      const link = new HeldLink(() => {
        this.#process(index);
      });
      this.#links.push(link);
      this.clients.push(this.harness.newClient(link));
    }
  }

  /** One client says something; then the turn ends. */
  say(index: number, words: Words): void {
    const { node } = this.harness;
    this.#link(index).held.push(words);
    this.#process(index);
    this.endTurn();
    node.reply.recycle();
  }

  /** What the end of a turn is for clients and the log. */
  endTurn(): void {
    const { node } = this.harness;
    node.blocked.endTurn();
    const decoder = new CommandDecoder();
    decoder.push(node.stream.batch());
    while (decoder.next()) this.#records.push(decoder.argv.map(String));
    node.stream.reset();
  }

  /** What a client was told since the last call. */
  heard(index: number): string {
    return this.#link(index).take();
  }

  isClosed(index: number): boolean {
    return this.#link(index).isClosed;
  }

  /** All log records so far. */
  get records(): readonly string[][] {
    return this.#records;
  }

  #link(index: number): HeldLink {
    return this.#links[index] as HeldLink;
  }

  #process(index: number): void {
    const { node } = this.harness;
    const client = this.clients[index] as Client;
    const link = this.#link(index);
    if (client.blocked !== undefined || link.held.length === 0) return;
    node.dispatcher.startBatch();
    node.reply.attach(link, client.protocol);
    for (let words = link.held[0]; words !== undefined; words = link.held[0]) {
      if (client.blocked !== undefined) break;
      link.held.shift();
      node.dispatcher.process(client, words, false);
    }
    node.reply.detach();
  }
}
