/**
 * What all client connections of a node share: the parts they work with, their counters and limits,
 * and what becomes of a client when its connection ends.
 */
import type { NameCache, ReplyWriter } from "@slotlog/resp";
import type { Dispatcher } from "../dispatch/dispatcher.js";
import type { Turn } from "../dispatch/turn.js";
import type { Node } from "../node.js";
import type { Socket } from "../ports.js";
import { Client } from "./client.js";
import { Connection, type ConnectionHost } from "./connection.js";
import type { OutputGate } from "./output-gate.js";

export class ConnectionServices implements ConnectionHost {
  readonly #node: Node;
  readonly reply: ReplyWriter;
  readonly dispatcher: Dispatcher;
  readonly turn: Turn;
  readonly gate: OutputGate;
  readonly names: NameCache;
  readonly #stoppedReading = new Set<Connection>();

  constructor(node: Node) {
    this.#node = node;
    this.reply = node.reply;
    this.dispatcher = node.dispatcher;
    this.turn = node.turn;
    this.gate = node.gate;
    this.names = node.names;
  }

  /** A connection was let in. */
  accept(socket: Socket): void {
    const node = this.#node;
    const connection = new Connection(this, socket);
    const client = new Client({
      id: node.clients.nextId(),
      kind: "normal",
      link: connection,
      now: node.ports.clock.now(),
      database: node.databases.first,
    });
    node.acl.assumeDefault(client);
    node.clients.add(client);
    node.stats.connectionsReceived += 1;
    connection.start(client);
  }

  defer(callback: () => void): void {
    this.#node.ports.clock.defer(callback);
  }

  get logIsWritten(): boolean {
    return this.#node.stream.batchBytes === 0;
  }

  sealLog(): void {
    this.#node.stream.seal();
  }

  countInput(bytes: number): void {
    const { stats } = this.#node;
    stats.netInputBytes += bytes;
    stats.readsProcessed += 1;
  }

  countOutput(bytes: number): void {
    const { stats } = this.#node;
    stats.netOutputBytes += bytes;
    stats.writesProcessed += 1;
  }

  exceedsOutputLimit(client: Client, bytes: number): boolean {
    const limits = this.#node.config.clientOutputBufferLimit;
    const limit = client.subscriptions > 0 ? limits.pubsub : limits.normal;
    if (limit.hardBytes === 0 || bytes <= limit.hardBytes) return false;
    this.#node.stats.outputBufferDisconnections += 1;
    return true;
  }

  get queryBufferBytesMax(): number {
    return this.#node.config.clientQueryBufferLimit;
  }

  get bulkBytesMax(): number {
    return this.#node.config.protoMaxBulkLen;
  }

  get writersStopped(): boolean {
    const { config, gate, persistence } = this.#node;
    return persistence.overLimit || (gate.confirms && gate.heldBytes > config.aofBufferMax);
  }

  onReadingStopped(connection: Connection): void {
    this.#stoppedReading.add(connection);
  }

  onWriteHeld(offset: number): number {
    this.#node.replicationControl.acks.hold(offset);
    return this.#node.hooks.changedSlot;
  }

  /** The log can take more again. */
  resumeReading(): void {
    if (this.#stoppedReading.size === 0) return;
    const stopped = [...this.#stoppedReading];
    this.#stoppedReading.clear();
    for (const connection of stopped) connection.resumeReading();
  }

  onProtocolError(client: Client, message: string): void {
    const { log } = this.#node.ports;
    log.verbose(`Protocol error (${message}) from client ${client.link.remoteAddress}`);
  }

  onTakenOver({ client }: Connection): void {
    client.isReplica = true;
    this.#node.watches.removeAll(client);
  }

  onClose(connection: Connection): void {
    const node = this.#node;
    const { client } = connection;
    this.#stoppedReading.delete(connection);
    node.pubsub.unsubscribeAll(client);
    client.blocked?.cancel("closed");
    node.monitors.remove(client);
    node.tracking.disable(client);
    node.watches.removeAll(client);
    node.clients.remove(client);
  }
}
