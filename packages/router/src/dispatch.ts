/**
 * Decides where each command goes. The usual one, with one key, is decided in a few lines and its
 * bytes are passed on; everything else is handed to whoever knows that kind of command.
 */
import {
  type Argument,
  encodeCommandChunks,
  unknownSubcommand,
  wrongArgumentCount,
} from "@slotlog/resp";
import { isCanonical } from "./canonical.js";
import type { Catalog, RoutedCommand } from "./catalog.js";
import type { ClusterView, ReadFrom, Shard } from "./cluster.js";
import type { Delivery } from "./delivery.js";
import { retryDelayMsMin } from "./limits.js";
import type { Link } from "./link.js";
import { errorReply } from "./render.js";
import { noSlot, type Request, type RequestPool } from "./request.js";
import type { Session } from "./session.js";
import { commonSlot, explainCrossSlot, slotOf } from "./slots.js";
import type { UpstreamNode } from "./upstream.js";

/** Who handles what has more to it than a slot. */
export interface Specialists {
  split(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  fanOut(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  block(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  subscribe(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  transact(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  local(session: Session, command: RoutedCommand, argv: readonly Argument[]): void;
  /** `ROUTER …`, and what stands for a cluster's own node in cluster mode. True: it is done. */
  intercept(session: Session, argv: readonly Argument[]): boolean;
  /** In cluster mode: what a client is told in place of being served. */
  moved?(session: Session, slot: number): Buffer;
  /** A command that cannot work in a cluster, and why. */
  explain(session: Session, argv: readonly Argument[], why: string): void;
}

export interface DispatchOptions {
  readonly catalog: Catalog;
  readonly cluster: ClusterView;
  readonly delivery: Delivery;
  readonly pool: RequestPool;
  readonly readFrom: ReadFrom;
  readonly readOwnWrites: boolean;
  readonly upstreamBytesMax: number;
  linkTo(node: UpstreamNode, session: Session): Link;
  /** Why no node is known, if that is so. */
  trouble(): string | undefined;
}

const notServed = "CLUSTERDOWN Hash slot not served";

export class Dispatcher {
  readonly #options: DispatchOptions;
  readonly #specialists: Specialists;
  #turn = 0;

  constructor(options: DispatchOptions, specialists: Specialists) {
    this.#options = options;
    this.#specialists = specialists;
  }

  onCommand(session: Session): void {
    const { argv } = session.decoder;
    const name = argv[0];
    const command = typeof name === "string" ? this.#options.catalog.find(name) : undefined;
    if (command !== undefined && command.onlyKey > 0 && command.plan === "keys") {
      const isUsual =
        session.transaction === undefined &&
        session.subscriptions === undefined &&
        this.#specialists.moved === undefined &&
        session.replyMode === "on";
      if (isUsual && hasArguments(command, argv.length)) {
        session.lastCommand = command.fullName;
        this.sendToSlot(session, command, slotOf(argv[command.onlyKey] as Argument), argv);
        return;
      }
    }
    this.#onUnusual(session, argv);
  }

  /** The command that was read, to the node of a slot. */
  sendToSlot(
    session: Session,
    command: RoutedCommand | undefined,
    slot: number,
    argv: readonly Argument[],
  ): void {
    const request = this.open(session, command, slot);
    session.pending.push(request);
    const node = this.#nodeFor(session, command, slot);
    if (node === undefined) this.withoutNode(request, argv);
    else this.send(session, request, node, argv);
  }

  open(session: Session, command: RoutedCommand | undefined, slot: number): Request {
    const request = this.#options.pool.take();
    request.session = session;
    request.command = command;
    request.slot = slot;
    request.sequence = session.sequence++;
    request.startedAt = this.#options.delivery.now;
    request.silent = session.isSilent;
    return request;
  }

  send(session: Session, request: Request, node: UpstreamNode, argv: readonly Argument[]): void {
    const link = this.#options.linkTo(node, session);
    this.#options.delivery.track(session, request, node);
    const { decoder } = session;
    const { rawStart, rawEnd, source } = decoder;
    const isWhole = argv === decoder.argv && rawStart >= 0;
    if (isWhole && isCanonical(source, rawStart, rawEnd, argv)) {
      link.sendRaw(request, source, rawStart, rawEnd);
    } else {
      link.sendCommand(request, argv);
    }
    if (link.unansweredBytes > this.#options.upstreamBytesMax && session.stalledBy === undefined) {
      session.stalledBy = link;
      link.waiting.push(session);
    }
  }

  /** Nobody serves the slot now; somebody may in a moment. */
  withoutNode(request: Request, argv: readonly Argument[]): void {
    request.parts = encodeCommandChunks(argv);
    request.bytes = request.parts.reduce((sum, part) => sum + part.length, 0);
    this.#options.delivery.park(
      request,
      errorReply(this.#options.trouble() ?? notServed),
      retryDelayMsMin,
    );
  }

  /** A reply that is made here takes its turn behind what the client said before. */
  reply(session: Session, bytes: Buffer, command?: RoutedCommand): void {
    const request = this.open(session, command, noSlot);
    session.pending.push(request);
    this.#options.delivery.answer(request, bytes);
  }

  /** A primary for what has no keys; another one for each client. */
  anyNode(session: Session): UpstreamNode | undefined {
    const { shards } = this.#options.cluster;
    return shards[session.id % Math.max(1, shards.length)]?.primary;
  }

  /** To any node: what has no key, and what only a node can answer. */
  sendAnywhere(
    session: Session,
    command: RoutedCommand | undefined,
    argv: readonly Argument[],
  ): void {
    const request = this.open(session, command, noSlot);
    session.pending.push(request);
    const node = this.anyNode(session);
    if (node === undefined) this.withoutNode(request, argv);
    else this.send(session, request, node, argv);
  }

  #onUnusual(session: Session, argv: readonly Argument[]): void {
    const { catalog } = this.#options;
    session.nextReplyMode();
    if (this.#specialists.intercept(session, argv)) return;
    if (this.#specialists.moved !== undefined && this.#sentOn(session, argv)) return;
    if (session.transaction?.onCommand(session) === true) return;
    if (session.subscriptions?.onCommand(session) === true) return;
    const command = catalog.resolve(argv);
    if (command === undefined) {
      this.sendAnywhere(session, undefined, argv);
      return;
    }
    session.lastCommand = command.fullName;
    const refusal = this.refusal(command, argv);
    if (refusal !== undefined) {
      this.reply(session, errorReply(refusal), command);
      return;
    }
    this.#byPlan(session, command, argv);
  }

  /** In cluster mode no key is served here. */
  #sentOn(session: Session, argv: readonly Argument[]): boolean {
    const command = this.#options.catalog.resolve(argv);
    if (command?.hasKeys !== true || this.refusal(command, argv) !== undefined) return false;
    const slot = this.slotOrReply(session, command, argv);
    if (slot === noSlot) return false;
    if (slot !== undefined) {
      const moved = this.#specialists.moved?.(session, slot);
      if (moved !== undefined) this.reply(session, moved, command);
    }
    return true;
  }

  /** What every server says before it looks closer. */
  refusal(command: RoutedCommand, argv: readonly Argument[]): string | undefined {
    if (command.subcommands !== undefined && argv.length > 1) return unknownSubcommand(argv);
    if (!hasArguments(command, argv.length)) {
      const text = wrongArgumentCount(command.fullName);
      if (command.fullName !== "exec") return text;
      return text.replace(/^ERR/, "EXECABORT Transaction discarded because of:");
    }
    if (command.plan !== "refused") return undefined;
    return (
      `ERR slotlog router: ${command.fullName.replace("|", " ").toUpperCase()} is about one node's ` +
      "connection or state; connect to the node itself, or say ROUTER ON host:port command ..."
    );
  }

  #byPlan(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    switch (command.plan) {
      case "keys":
        this.#byKeys(session, command, argv);
        break;
      case "split":
        this.#specialists.split(session, command, argv);
        break;
      case "shards":
      case "nodes":
        this.#specialists.fanOut(session, command, argv);
        break;
      case "any":
      case "refused":
        this.sendAnywhere(session, command, argv);
        break;
      case "local":
        this.#specialists.local(session, command, argv);
        break;
      case "blocking":
        this.#specialists.block(session, command, argv);
        break;
      case "subscribe":
        this.#specialists.subscribe(session, command, argv);
        break;
      case "transaction":
        this.#specialists.transact(session, command, argv);
        break;
    }
  }

  #byKeys(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const slot = this.slotOrReply(session, command, argv);
    if (slot === undefined) return;
    if (slot === noSlot) this.sendAnywhere(session, command, argv);
    else this.sendToSlot(session, command, slot, argv);
  }

  /** The slot of the command's keys, `noSlot` without any; `undefined` if it was refused. */
  slotOrReply(
    session: Session,
    command: RoutedCommand,
    argv: readonly Argument[],
  ): number | undefined {
    // Words that do not fit the declaration are the node's to complain about.
    const indexes = this.#options.catalog.keyIndexes(command, argv) ?? [];
    const slot = commonSlot(argv, indexes);
    if (slot !== undefined) return slot;
    const why = explainCrossSlot(argv, indexes);
    this.#specialists.explain(session, argv, why);
    this.reply(session, errorReply(why), command);
    return undefined;
  }

  #nodeFor(
    session: Session,
    command: RoutedCommand | undefined,
    slot: number,
  ): UpstreamNode | undefined {
    const { cluster, readFrom, readOwnWrites } = this.#options;
    const primary = cluster.primaryOf(slot);
    if (readFrom === "primary" || primary === undefined || command === undefined) return primary;
    const shard = cluster.shardOf(primary);
    if (shard === undefined) return primary;
    if (!command.isReadOnly) {
      if (readOwnWrites) session.writtenTo(slot);
      return primary;
    }
    if (session.hasWrittenTo(slot)) return primary;
    return this.#readNode(shard, readFrom);
  }

  #readNode({ primary, replicas }: Shard, readFrom: ReadFrom): UpstreamNode {
    if (readFrom === "replica") {
      const alive = replicas.filter((node) => node.isReachable);
      return alive[this.#turn++ % Math.max(1, alive.length)] ?? primary;
    }
    return replicas.reduce(
      (best, node) => (node.isReachable && node.roundTripMs < best.roundTripMs ? node : best),
      primary,
    );
  }
}

function hasArguments(command: RoutedCommand, count: number): boolean {
  return command.arity >= 0 ? count === command.arity : count >= -command.arity;
}
