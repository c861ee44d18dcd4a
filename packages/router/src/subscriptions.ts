/**
 * Subscriptions of one client, on connections of its own: one to some node for channels and
 * patterns, since a cluster tells everybody of every PUBLISH, and one for each node with a slot of
 * its shard channels. Owns what the client is subscribed to, so that it can be subscribed again
 * when a node is gone; what is published in between is lost, as it is without a router.
 *
 * The nodes are always spoken to in RESP3, where a message cannot be taken for a reply.
 */
import { type Argument, encodeCommand, latin1String, ReplyPush, replyText } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import { tooMany } from "./dedicated.js";
import type { Dispatcher } from "./dispatch.js";
import { attemptsMax, retryDelayMsMax } from "./limits.js";
import type { Link } from "./link.js";
import { bulkOf, valueOf } from "./merge.js";
import { verdictOf } from "./redirect.js";
import { errorReply, isError } from "./render.js";
import type { Router } from "./router.js";
import type { Session, SessionMode } from "./session.js";
import { explainCrossSlot, slotOf } from "./slots.js";

type Kind = "channel" | "pattern" | "shard";

interface Words {
  readonly subscribe: string;
  readonly unsubscribe: string;
}

const words: Readonly<Record<Kind, Words>> = {
  channel: { subscribe: "subscribe", unsubscribe: "unsubscribe" },
  pattern: { subscribe: "psubscribe", unsubscribe: "punsubscribe" },
  shard: { subscribe: "ssubscribe", unsubscribe: "sunsubscribe" },
};

function kindOf(name: string): Kind {
  if (name.startsWith("p")) return "pattern";
  return name.startsWith("ss") || name.startsWith("sun") ? "shard" : "channel";
}

/** Channels on one connection are told apart by its place: any node, or the owner of a slot. */
const anywhere = -1;

export class Subscribers {
  readonly #router: Router;
  readonly #dispatcher: Dispatcher;
  readonly #active = new Set<Subscriptions>();

  constructor(router: Router, dispatcher: Dispatcher) {
    this.#router = router;
    this.#dispatcher = dispatcher;
  }

  /** Nodes that hang say nothing any more, not even that they do. */
  onSlotsChanged(): void {
    for (const mode of this.#active) mode.onSlotsChanged();
  }

  begin(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const mode: Subscriptions = new Subscriptions(session, this.#router, this.#dispatcher, () =>
      this.#active.delete(mode),
    );
    this.#active.add(mode);
    session.subscriptions = mode;
    mode.run(command, argv);
  }
}

class Subscriptions implements SessionMode {
  readonly #session: Session;
  readonly #router: Router;
  readonly #dispatcher: Dispatcher;
  readonly #names: Readonly<Record<Kind, Set<string>>> = {
    channel: new Set(),
    pattern: new Set(),
    shard: new Set(),
  };
  /** By slot of the shard channels on it; `anywhere` has the others. */
  readonly #links = new Map<number, Link>();
  readonly #onOver: () => void;
  #isOver = false;
  #failures = 0;

  constructor(session: Session, router: Router, dispatcher: Dispatcher, onOver: () => void) {
    this.#onOver = onOver;
    this.#session = session;
    this.#router = router;
    this.#dispatcher = dispatcher;
  }

  onCommand(session: Session): boolean {
    const { argv } = session.decoder;
    const command = this.#router.catalog.resolve(argv);
    if (command?.plan === "subscribe") {
      const refusal = this.#dispatcher.refusal(command, argv);
      if (refusal === undefined) this.run(command, argv);
      else this.#dispatcher.reply(session, errorReply(refusal), command);
      return true;
    }
    if (session.protocol === 3 || command?.fullName === "quit" || command?.fullName === "reset") {
      return false;
    }
    if (command?.fullName === "ping") {
      const text = argv[1] ?? "";
      this.#dispatcher.reply(session, this.#message("pong", text), command);
      return true;
    }
    const name = String(argv[0] ?? "").toLowerCase();
    const refusal =
      `ERR Can't execute '${command?.fullName ?? name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / ` +
      "PING / QUIT / RESET are allowed in this context";
    this.#dispatcher.reply(session, errorReply(refusal), command);
    return true;
  }

  onClosed(): void {
    this.#isOver = true;
    this.#onOver();
    for (const link of this.#links.values()) this.#router.dedicated.drop(link);
    this.#links.clear();
  }

  onSlotsChanged(): void {
    const { cluster } = this.#router;
    for (const [place, link] of this.#links) {
      const isRight =
        place === anywhere ? cluster.has(link.node) : cluster.primaryOf(place) === link.node;
      if (!isRight) this.#onEnd(place, link);
    }
  }

  run(command: RoutedCommand, argv: readonly Argument[]): void {
    const kind = kindOf(command.fullName);
    const names = argv.slice(1).map(textOf);
    // A confirmation must not overtake replies, and messages not the confirmation.
    this.#session.holds++;
    this.#session.whenAnswered(() => {
      if (command.fullName.includes("unsub")) this.#unsubscribe(command, kind, names);
      else this.#subscribe(command, kind, names);
    });
  }

  #subscribe(command: RoutedCommand, kind: Kind, names: readonly string[]): void {
    const session = this.#session;
    const place = kind === "shard" ? slotOf(names[0] ?? "") : anywhere;
    const finish = (reply: Buffer): void => {
      session.holds--;
      this.#dispatcher.reply(session, reply, command);
      this.#leaveIfDone();
      session.resumeSoon();
    };
    if (kind === "shard" && names.some((name) => slotOf(name) !== place)) {
      finish(errorReply(explainCrossSlot(names, [...names.keys()])));
      return;
    }
    const begin = this.#router.delivery.now;
    const attempt = (tries: number): void => {
      if (session.isClosed) return;
      this.#ask(place, kind, names, (reply) => {
        if (reply === undefined) {
          finish(Buffer.concat(names.map((name) => this.#added(kind, name))));
          return;
        }
        const verdict = verdictOf(reply, 0, reply.length);
        const isLost = reply.includes("slotlog router");
        const isLate = this.#router.delivery.now - begin > this.#router.limits.timeoutMs;
        if ((verdict === undefined && !isLost) || isLate || tries >= attemptsMax) {
          finish(reply);
          return;
        }
        if (verdict !== undefined && verdict.kind !== "not-now")
          this.#router.moved(verdict, undefined);
        this.#router.topology.refreshSoon();
        this.#router.delivery.clock.after(Math.min(retryDelayMsMax, 5 * 2 ** tries), () =>
          attempt(tries + 1),
        );
      });
    };
    attempt(0);
  }

  #unsubscribe(command: RoutedCommand, kind: Kind, names: readonly string[]): void {
    const known = this.#names[kind];
    const chosen = names.length > 0 ? names : [...known];
    const word = words[kind].unsubscribe;
    const replies: Buffer[] = [];
    for (const name of chosen) {
      const was = known.delete(name);
      replies.push(this.#confirmation(word, name, kind));
      const place = kind === "shard" ? slotOf(name) : anywhere;
      const link = this.#links.get(place);
      if (was && link !== undefined) this.#say(link, [word, name], () => {});
    }
    if (chosen.length === 0) replies.push(this.#confirmation(word, undefined, kind));
    this.#session.holds--;
    this.#dispatcher.reply(this.#session, Buffer.concat(replies), command);
    this.#leaveIfDone();
    this.#session.resumeSoon();
  }

  #added(kind: Kind, name: string): Buffer {
    this.#names[kind].add(name);
    return this.#confirmation(words[kind].subscribe, name, kind);
  }

  #confirmation(word: string, name: string | undefined, kind: Kind): Buffer {
    const { channel, pattern, shard } = this.#names;
    const count = kind === "shard" ? shard.size : channel.size + pattern.size;
    const isThree = this.#session.protocol === 3;
    const nil = Buffer.from(isThree ? "_\r\n" : "$-1\r\n");
    return Buffer.concat([
      Buffer.from(isThree ? ">3\r\n" : "*3\r\n"),
      bulkOf(word),
      name === undefined ? nil : bulkOf(name),
      Buffer.from(`:${count}\r\n`),
    ]);
  }

  #message(...items: readonly Argument[]): Buffer {
    return Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items.map(bulkOf)]);
  }

  /** `then` gets nothing if the node has subscribed us, or its error. */
  #ask(
    place: number,
    kind: Kind,
    names: readonly string[],
    then: (error: Buffer | undefined) => void,
  ): void {
    const link = this.#linkTo(place);
    if (Buffer.isBuffer(link)) {
      then(link);
      return;
    }
    this.#say(link, [words[kind].subscribe, ...names], (reply) => {
      if (!isError(reply)) {
        then(undefined);
        return;
      }
      // The PONG that follows answers nothing any more: the connection is of no use.
      if (this.#links.get(place) === link) this.#links.delete(place);
      this.#router.dedicated.drop(link, "a subscription was refused");
      this.#restore(place);
      then(reply);
    });
  }

  /** Confirmations are pushes and no replies: the reply to a PING behind it tells that all came. */
  #say(link: Link, argv: readonly string[], then: (reply: Buffer) => void): void {
    const request = this.#router.takeRequest();
    request.startedAt = this.#router.delivery.now;
    request.owner = { takesRedirects: true, onReply: (_, reply) => then(reply) };
    request.parts = [encodeCommand(argv), encodeCommand(["PING"])];
    request.bytes = request.parts.reduce((sum, part) => sum + part.length, 0);
    link.sendAgain(request);
  }

  #linkTo(place: number): Link | Buffer {
    const known = this.#links.get(place);
    if (known !== undefined && known.state !== "closed") return known;
    const { cluster, dedicated, identities, limits } = this.#router;
    const node =
      place === anywhere ? this.#dispatcher.anyNode(this.#session) : cluster.primaryOf(place);
    const identity = identities.get(3, this.#session.identity.credentials);
    if (node === undefined || identity === undefined) {
      return errorReply("CLUSTERDOWN slotlog router: no node serves this channel now");
    }
    const link = dedicated.acquire(node, identity);
    if (link === undefined) return errorReply(tooMany(limits.dedicatedMax));
    link.onPush = (bytes) => this.#onPush(place, bytes);
    link.onEnd = () => this.#onEnd(place, link);
    this.#links.set(place, link);
    return link;
  }

  #onPush(place: number, bytes: Buffer): void {
    const value = valueOf(bytes);
    const items = value instanceof ReplyPush ? value.items : [];
    const word = replyText(items[0]);
    switch (word) {
      case "message":
      case "pmessage":
      case "smessage": {
        const kind = word === "message" ? "channel" : word === "pmessage" ? "pattern" : "shard";
        const name = textOf(replyText(items[1]) ?? "");
        if (this.#names[kind].has(name)) this.#forward(bytes);
        return;
      }
      case "sunsubscribe":
        // The slot moved: its new node has to be asked.
        if (this.#names.shard.has(replyText(items[1]) ?? "")) {
          this.#router.topology.refreshSoon();
          this.#restoreLater(place);
        }
        return;
      default:
    }
  }

  /** In RESP2 a message is a list; what is in it is the same. */
  #forward(bytes: Buffer): void {
    if (this.#session.isClosed) return;
    const own = Buffer.from(bytes);
    if (this.#session.protocol === 2) own[0] = 0x2a;
    this.#session.write(own, 0, own.length);
    this.#router.delivery.boundOutput(this.#session);
  }

  #onEnd(place: number, link: Link): void {
    if (this.#links.get(place) !== link) return;
    this.#links.delete(place);
    this.#router.dedicated.drop(link);
    if (!this.#isOver) this.#restoreLater(place);
  }

  #restoreLater(place: number): void {
    const pause = Math.min(1_000, 20 * 2 ** Math.min(this.#failures, 8));
    this.#failures++;
    this.#router.delivery.clock.after(pause, () => this.#restore(place));
  }

  /** Subscribes to everything that belongs to that place again. */
  #restore(place: number): void {
    if (this.#isOver || this.#session.isClosed) return;
    const { channel, pattern, shard } = this.#names;
    const wanted: (readonly [Kind, string[]])[] =
      place === anywhere
        ? [
            ["channel", [...channel]],
            ["pattern", [...pattern]],
          ]
        : [["shard", [...shard].filter((name) => slotOf(name) === place)]];
    for (const [kind, names] of wanted) {
      if (names.length === 0) continue;
      this.#ask(place, kind, names, (error) => {
        if (error === undefined) {
          this.#failures = 0;
          return;
        }
        const verdict = verdictOf(error, 0, error.length);
        if (verdict !== undefined && verdict.kind !== "not-now")
          this.#router.moved(verdict, undefined);
        this.#restoreLater(place);
      });
    }
  }

  #leaveIfDone(): void {
    const { channel, pattern, shard } = this.#names;
    if (channel.size + pattern.size + shard.size > 0) return;
    this.onClosed();
    this.#session.subscriptions = undefined;
  }
}

function textOf(name: Argument): string {
  return typeof name === "string" ? name : latin1String(name, 0, name.length);
}
