/**
 * Commands that concern several nodes: those whose keys are divided among slots, and those that
 * every node has a part of. Owns how they are taken apart and put together; not atomic, and the
 * documentation says so.
 */
import { type Argument, type ReplyValue, replyText, wrongArgumentCount } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import type { ClusterView } from "./cluster.js";
import type { Delivery } from "./delivery.js";
import type { Dispatcher } from "./dispatch.js";
import { Gather } from "./gather.js";
import { mergeInfo } from "./info.js";
import { arrayOf, bulkOf, inPlaces, mergeReplies, sumByName, union, valueOf } from "./merge.js";
import { errorReply, isError } from "./render.js";
import { noSlot, type Request } from "./request.js";
import { ReplyScanner } from "./reply-scanner.js";
import type { Session } from "./session.js";
import { slotOf } from "./slots.js";
import type { UpstreamNode } from "./upstream.js";

export interface ScatterOptions {
  readonly cluster: ClusterView;
  readonly delivery: Delivery;
  readonly dispatcher: Dispatcher;
  /** A random number in [0, 1). */
  random(): number;
  routerInfo(): string;
  readonly speaksAsCluster: boolean;
}

/** A part of a command for one node. */
interface Part {
  readonly slot: number;
  readonly node: UpstreamNode | undefined;
  readonly argv: readonly Argument[];
}

export class Scatter {
  readonly #options: ScatterOptions;

  constructor(options: ScatterOptions) {
    this.#options = options;
  }

  /** MGET, MSET, DEL, UNLINK, EXISTS, TOUCH: a part for each slot. */
  split(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const { dispatcher } = this.#options;
    const { firstKey, keyStep } = command.declared;
    const step = Math.max(1, keyStep);
    const places = new Map<number, number[]>();
    for (let i = firstKey, place = 0; i < argv.length; i += step, place++) {
      const slot = slotOf(argv[i] ?? "");
      const known = places.get(slot);
      if (known === undefined) places.set(slot, [place]);
      else known.push(place);
    }
    if ((argv.length - firstKey) % step !== 0) {
      dispatcher.reply(session, errorReply(wrongArgumentCount(command.fullName)), command);
      return;
    }
    const [only] = places.keys();
    if (only !== undefined && places.size === 1) {
      dispatcher.sendToSlot(session, command, only, argv);
      return;
    }
    const parts = [...places].map(([slot, own]) => ({
      slot,
      node: undefined,
      argv: [
        argv[0] ?? "",
        ...own.flatMap((place) =>
          argv.slice(firstKey + place * step, firstKey + (place + 1) * step),
        ),
      ],
    }));
    const order = [...places.values()];
    const isList = command.merge === "concatenate";
    this.scatter(session, command, parts, (replies) =>
      isList ? inPlaces(replies, order, elementsOf) : mergeReplies(command.merge, replies),
    );
  }

  fanOut(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    switch (command.fullName) {
      case "scan":
        this.#scan(session, command, argv);
        return;
      case "wait":
      case "waitaof":
        this.#wait(session, command, argv);
        return;
      default:
        this.scatter(session, command, this.#parts(command, argv), (replies) =>
          this.#merged(session, command, argv, replies),
        );
    }
  }

  /** One reply for the client out of a reply for each part. */
  scatter(
    session: Session,
    command: RoutedCommand,
    parts: readonly Part[],
    merge: (replies: readonly Buffer[]) => Buffer,
  ): void {
    const { delivery, dispatcher } = this.#options;
    const head = dispatcher.open(session, command, noSlot);
    session.pending.push(head);
    if (parts.length === 0) {
      delivery.answer(
        head,
        errorReply("CLUSTERDOWN slotlog router: no node of the cluster is known"),
      );
      return;
    }
    const gather = new Gather(parts.length, (replies) => delivery.answer(head, merge(replies)));
    for (const [index, part] of parts.entries()) this.#send(session, command, gather, index, part);
  }

  #send(
    session: Session,
    command: RoutedCommand,
    gather: Gather,
    index: number,
    part: Part,
  ): Request {
    const { cluster, dispatcher } = this.#options;
    const request = dispatcher.open(session, command, part.slot);
    request.owner = gather;
    request.part = index;
    const node = part.node ?? cluster.primaryOf(part.slot);
    if (part.slot === noSlot) request.target = node;
    if (node === undefined) dispatcher.withoutNode(request, part.argv);
    else dispatcher.send(session, request, node, part.argv);
    return request;
  }

  #parts(command: RoutedCommand, argv: readonly Argument[]): Part[] {
    const { shards } = this.#options.cluster;
    // By a slot of its own a part finds its node again after a failover.
    const parts: Part[] = shards.map(({ firstSlot, primary }) => ({
      slot: firstSlot,
      node: primary,
      argv: [...argv],
    }));
    if (command.plan === "shards") return parts;
    for (const { replicas } of shards) {
      for (const node of replicas) {
        if (node.isReachable) parts.push({ slot: noSlot, node, argv: [...argv] });
      }
    }
    return parts;
  }

  #merged(
    session: Session,
    command: RoutedCommand,
    argv: readonly Argument[],
    replies: readonly Buffer[],
  ): Buffer {
    switch (command.fullName) {
      case "randomkey": {
        const some = replies.filter((reply) => !isNil(reply));
        return some[Math.floor(this.#options.random() * some.length)] ?? replies[0]!;
      }
      case "info":
        return mergeInfo(session.protocol, argv, replies, this.#options);
      case "pubsub|channels":
      case "pubsub|shardchannels":
        return union(replies);
      case "pubsub|numsub":
      case "pubsub|shardnumsub":
        return sumByName(replies);
      default:
        return mergeReplies(command.merge, replies);
    }
  }

  /**
   * A cursor says which primary is being walked, by its first slot, and that node's own cursor:
   * nothing is kept here, and a cursor may be given to another router.
   */
  #scan(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const { cluster, dispatcher } = this.#options;
    const { shards } = cluster;
    const cursor = cursorOf(argv[1]);
    if (cursor === undefined) {
      dispatcher.reply(session, errorReply("ERR invalid cursor"), command);
      return;
    }
    const slot = cursor === 0n ? (shards[0]?.firstSlot ?? 0) : Number(cursor & slotMask);
    const primary = cluster.primaryOf(slot);
    const words = [argv[0] ?? "", String(cursor >> slotBits), ...argv.slice(2)];
    const parts = [{ slot, node: primary, argv: words }];
    this.scatter(session, command, parts, ([reply]) => {
      if (reply === undefined || isError(reply)) return reply ?? errorReply("ERR no reply");
      const [own, keys] = elementsOf(reply);
      const next = BigInt(replyText(valueOf(own ?? Buffer.alloc(0))) ?? "0");
      const following = shards.find((shard) => shard.firstSlot > slot && shard.primary !== primary);
      const given =
        next !== 0n
          ? (next << slotBits) | BigInt(slot)
          : following === undefined
            ? 0n
            : BigInt(following.firstSlot);
      return arrayOf([bulkOf(String(given)), keys ?? Buffer.from("*0\r\n")]);
    });
  }

  /**
   * The writes that WAIT is about went over shared connections, so it has to go there too, and
   * would keep everybody else waiting: so it is asked in short slices.
   */
  #wait(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const { delivery, dispatcher } = this.#options;
    const words = argv.map(String);
    const timeout = Number(words.at(-1));
    if (!Number.isInteger(timeout) || timeout < 0) {
      // What is wrong with it the node says.
      dispatcher.sendAnywhere(session, command, argv);
      return;
    }
    const deadline = timeout === 0 ? Number.POSITIVE_INFINITY : delivery.now + timeout;
    const head = dispatcher.open(session, command, noSlot);
    session.pending.push(head);
    session.holds++;
    const slice = [
      ...words.slice(0, -1),
      String(timeout === 0 ? waitSliceMs : Math.min(timeout, waitSliceMs)),
    ];
    const ask = (): void => {
      const parts = this.#parts(command, slice);
      const gather = new Gather(parts.length, (replies) => {
        const merged = mergeReplies(command.merge, replies);
        const isOver = session.isClosed || delivery.now >= deadline || isError(merged);
        if (isOver || isEnough(merged, words)) {
          session.holds--;
          delivery.answer(head, merged);
          session.resumeSoon();
        } else {
          delivery.clock.after(1, ask);
        }
      });
      for (const [index, part] of parts.entries())
        this.#send(session, command, gather, index, part);
    };
    ask();
  }
}

const waitSliceMs = 20;
const slotBits = 14n;
const slotMask = (1n << slotBits) - 1n;

/** `WAIT n t` and `WAITAOF local replicas t`: as many as was asked for. */
function isEnough(reply: Buffer, words: readonly string[]): boolean {
  const wanted = words.slice(1, -1).map(Number);
  const value: ReplyValue = valueOf(reply);
  const found = Array.isArray(value) ? value.map(Number) : [Number(value)];
  return wanted.every((count, index) => (found[index] ?? 0) >= count);
}

function cursorOf(word: Argument | undefined): bigint | undefined {
  if (typeof word !== "string" || !/^\d{1,20}$/.test(word)) return undefined;
  const cursor = BigInt(word);
  return cursor > 0xffff_ffff_ffff_ffffn ? undefined : cursor;
}

function isNil(reply: Buffer): boolean {
  return reply[0] === 0x5f || (reply[0] === 0x24 && reply[1] === 0x2d);
}

/** The elements of a list, as bytes. */
export function elementsOf(reply: Buffer): Buffer[] {
  const scanner = new ReplyScanner();
  const items: Buffer[] = [];
  let p = reply.indexOf("\r\n", 0, "latin1") + 2;
  while (p < reply.length) {
    const end = scanner.scan(reply, p, reply.length);
    if (end === -1) break;
    items.push(reply.subarray(p, end));
    p = end;
  }
  return items;
}
