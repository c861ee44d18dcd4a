/**
 * MULTI, EXEC, DISCARD, WATCH and UNWATCH: on a connection of the client's own to the node of their
 * slot, which the first key decides. Commands go to the node as they come, one at a time, so its
 * errors come when they should; a transaction whose node loses the slot before EXEC begins again
 * at the new one, unless keys were watched: then it is answered as one whose keys were changed.
 */
import { type Argument, commandByteLength, replyErrors, unknownCommand } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import { tooMany } from "./dedicated.js";
import type { Dispatcher } from "./dispatch.js";
import { retryDelayMsMax, transactionBytesMax } from "./limits.js";
import type { Link } from "./link.js";
import { verdictOf } from "./redirect.js";
import { errorReply, isError, lineOf, okReply } from "./render.js";
import { noSlot } from "./request.js";
import type { Router } from "./router.js";
import type { Session, SessionMode } from "./session.js";
import { commonSlot, explainCrossSlot } from "./slots.js";
import type { UpstreamNode } from "./upstream.js";

const queued = Buffer.from("+QUEUED\r\n", "latin1");
const execAbort = errorReply("EXECABORT Transaction discarded because of previous errors.");

export class Transactions {
  readonly #router: Router;
  readonly #dispatcher: Dispatcher;

  constructor(router: Router, dispatcher: Dispatcher) {
    this.#router = router;
    this.#dispatcher = dispatcher;
  }

  /** One of the five outside of a transaction. */
  begin(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    switch (command.fullName) {
      case "exec":
      case "discard":
        this.#dispatcher.reply(
          session,
          errorReply(`ERR ${command.fullName.toUpperCase()} without MULTI`),
          command,
        );
        return;
      case "unwatch":
        this.#dispatcher.reply(session, okReply, command);
        return;
      default: {
        const transaction = new Transaction(session, this.#router, this.#dispatcher);
        session.transaction = transaction;
        if (command.fullName === "multi") transaction.multi(command);
        else transaction.watch(command, argv);
      }
    }
  }
}

class Transaction implements SessionMode {
  readonly #session: Session;
  readonly #router: Router;
  readonly #dispatcher: Dispatcher;
  #isMulti = false;
  /** A command was refused: EXEC will be. */
  #isDirty = false;
  #isWatching = false;
  /** Watched keys went where we do not see them: as if they were changed. */
  #isBroken = false;
  #slot = noSlot;
  #link: Link | undefined;
  /** What EXEC will run, to send again if the slot moves. */
  #queue: (readonly Argument[])[] = [];
  #queueBytes = 0;
  /** Some node has queued the same. */
  #isSent = false;

  constructor(session: Session, router: Router, dispatcher: Dispatcher) {
    this.#session = session;
    this.#router = router;
    this.#dispatcher = dispatcher;
  }

  multi(command: RoutedCommand): void {
    this.#isMulti = true;
    this.#dispatcher.reply(this.#session, okReply, command);
  }

  onCommand(session: Session): boolean {
    const { argv } = session.decoder;
    const command = this.#router.catalog.resolve(argv);
    switch (command?.fullName) {
      case "quit":
      case "reset":
        return false;
      case "multi":
        if (this.#isMulti) this.#refuse(command, "ERR MULTI calls can not be nested", false);
        else this.multi(command);
        return true;
      case "watch":
        if (this.#isMulti) {
          this.#refuse(command, "ERR WATCH inside MULTI is not allowed", false);
          return true;
        }
        if (this.#dispatcher.refusal(command, argv) !== undefined) return false;
        this.watch(command, argv);
        return true;
      case "unwatch":
        if (this.#isMulti) break;
        this.#end("UNWATCH", okReply, command);
        return true;
      case "discard":
        if (!this.#isMulti) return false;
        this.#end("DISCARD", okReply, command);
        return true;
      case "exec":
        if (!this.#isMulti) return false;
        this.#exec(command, this.#dispatcher.refusal(command, argv));
        return true;
      default:
    }
    if (!this.#isMulti) return false;
    this.#enqueue(command, argv);
    return true;
  }

  onClosed(): void {
    if (this.#link !== undefined) this.#router.dedicated.drop(this.#link);
    this.#link = undefined;
  }

  watch(command: RoutedCommand, argv: readonly Argument[]): void {
    const refusal = this.#dispatcher.refusal(command, argv);
    const slot = refusal === undefined ? this.#slotOf(command, argv) : undefined;
    if (slot === undefined) {
      if (refusal !== undefined) this.#refuse(command, refusal, false);
      this.#leaveIfIdle();
      return;
    }
    this.#slot = slot;
    const words = argv.slice();
    this.#step(command, [words], (reply) => {
      if (!isError(reply)) this.#isWatching = true;
      return reply;
    });
  }

  /** The command's slot if it is the transaction's; else the reply is made here. */
  #slotOf(command: RoutedCommand, argv: readonly Argument[]): number | undefined {
    const indexes = this.#router.catalog.keyIndexes(command, argv) ?? [];
    const slot = commonSlot(argv, indexes);
    if (slot === noSlot || slot === this.#slot || (slot !== undefined && this.#slot === noSlot)) {
      return slot === noSlot ? this.#slot : slot;
    }
    const why =
      slot === undefined
        ? explainCrossSlot(argv, indexes)
        : "CROSSSLOT Keys in request don't hash to the same slot: this transaction is about slot " +
          `${this.#slot}, by its first key, and this command about slot ${slot}; keys with the ` +
          "same hash tag, as {user:1}:name, share a slot";
    this.#refuse(command, why, true);
    this.#router.commands.explainOnce(this.#session, argv, why);
    return undefined;
  }

  #refuse(command: RoutedCommand | undefined, text: string, isDirty: boolean): void {
    if (isDirty) this.#isDirty = true;
    this.#dispatcher.reply(this.#session, errorReply(text), command);
  }

  #enqueue(command: RoutedCommand | undefined, argv: readonly Argument[]): void {
    if (command === undefined && this.#slot === noSlot) {
      this.#refuse(command, unknownCommand(argv), true);
      return;
    }
    const refusal = command === undefined ? undefined : this.#refusalInside(command, argv);
    if (refusal !== undefined) {
      this.#refuse(command, refusal, true);
      return;
    }
    const slot = command === undefined ? this.#slot : this.#slotOf(command, argv);
    if (slot === undefined) return;
    this.#slot = slot;
    const words = argv.slice();
    this.#queueBytes += commandByteLength(words);
    if (this.#queueBytes > transactionBytesMax) {
      this.#refuse(
        command,
        `ERR slotlog router: a transaction of more than ${transactionBytesMax} bytes`,
        true,
      );
      return;
    }
    if (slot === noSlot || this.#isBroken || this.#isDirty) {
      // No key yet: which node will run it is not known. Or it will not be run.
      this.#queue.push(words);
      this.#dispatcher.reply(this.#session, queued, command);
      return;
    }
    const unsent = this.#isSent ? [] : [["MULTI"], ...this.#queue];
    this.#isSent = true;
    this.#step(command, [...unsent, words], (reply) => {
      if (!isError(reply)) this.#queue.push(words);
      else this.#isDirty = true;
      return reply;
    });
  }

  #refusalInside(command: RoutedCommand, argv: readonly Argument[]): string | undefined {
    const refusal = this.#dispatcher.refusal(command, argv);
    if (refusal !== undefined) return refusal;
    const isEverywhere = command.plan === "shards" || command.plan === "nodes";
    // They would change a connection that the next transaction takes.
    const isOfConnection = command.plan === "local" && command.fullName !== "select";
    if (command.plan === "subscribe" || isOfConnection) return replyErrors.notAllowedInTransaction;
    if (!isEverywhere) return undefined;
    const name = command.fullName.replace("|", " ").toUpperCase();
    return `ERR slotlog router: ${name} concerns all nodes, and a transaction is one node's`;
  }

  #exec(command: RoutedCommand, refusal: string | undefined): void {
    const { dispatcher } = this.#router;
    if (refusal !== undefined) {
      this.#end("DISCARD", errorReply(refusal), command);
      return;
    }
    if (this.#isDirty) {
      this.#end("DISCARD", execAbort, command);
      return;
    }
    if (this.#isBroken) {
      const nil = this.#session.protocol === 3 ? "_\r\n" : "*-1\r\n";
      this.#end("DISCARD", Buffer.from(nil), command);
      return;
    }
    if (this.#queue.length === 0 && !this.#isWatching) {
      this.#end("DISCARD", Buffer.from("*0\r\n"), command);
      return;
    }
    if (this.#slot === noSlot && dispatcher.anyNode(this.#session) === undefined) {
      this.#end("DISCARD", errorReply("CLUSTERDOWN slotlog router: no node is known"), command);
      return;
    }
    const unsent = this.#isSent ? [] : [["MULTI"], ...this.#queue];
    this.#isSent = true;
    this.#step(command, [...unsent, ["EXEC"]], (reply) => {
      this.#leave();
      return reply;
    });
  }

  /** Ends without running anything. */
  #end(word: string, reply: Buffer, command: RoutedCommand): void {
    const link = this.#link;
    if (link !== undefined) {
      const said = this.#isMulti && !this.#isSent ? "UNWATCH" : word;
      this.#router.dedicated.send(link, [said], () => this.#router.dedicated.release(link));
    }
    this.#link = undefined;
    this.#session.transaction = undefined;
    this.#dispatcher.reply(this.#session, reply, command);
  }

  #leave(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#session.transaction = undefined;
    if (link !== undefined) this.#router.dedicated.release(link);
  }

  #leaveIfIdle(): void {
    if (!this.#isMulti && !this.#isWatching && this.#link === undefined) {
      this.#session.transaction = undefined;
    }
  }

  /**
   * Sends commands, and gives the reply to the last one to the client, which is not read meanwhile.
   * If the node does not have the slot any more, all goes again to the one that has it.
   */
  #step(
    command: RoutedCommand | undefined,
    words: readonly (readonly Argument[])[],
    onReply: (reply: Buffer) => Buffer,
  ): void {
    const session = this.#session;
    const { delivery, limits, topology } = this.#router;
    const head = this.#dispatcher.open(session, command, this.#slot);
    session.holds++;
    const begin = delivery.now;
    const finish = (reply: Buffer): void => {
      session.holds--;
      delivery.answer(head, onReply(reply));
      this.#leaveIfIdle();
      session.resumeSoon();
    };
    const attempt = (batch: readonly (readonly Argument[])[], pause: number): void => {
      this.#attempt(batch, (reply, isLost) => {
        const moved = isError(reply) ? verdictOf(reply, 0, reply.length) : undefined;
        const isExec = batch.at(-1)?.[0] === "EXEC";
        const mayRepeat = moved !== undefined || (isLost && !isExec);
        if (!mayRepeat || session.isClosed) {
          if (isLost && isExec) this.#link = undefined;
          finish(reply);
          return;
        }
        this.#lose();
        topology.refreshSoon();
        if (this.#isWatching) {
          this.#isBroken = true;
          finish(
            isExec
              ? Buffer.from(session.protocol === 3 ? "_\r\n" : "*-1\r\n")
              : this.#isMulti
                ? queued
                : okReply,
          );
        } else if (delivery.now - begin > limits.timeoutMs) {
          finish(reply);
        } else {
          const all = this.#isMulti ? [["MULTI"], ...this.#queue, ...batch.slice(-1)] : batch;
          if (moved?.kind === "moved") this.#router.moved(moved, this.#lastNode);
          const wait = moved?.kind === "moved" && pause === 0 ? 0 : Math.max(5, pause);
          delivery.clock.after(wait, () =>
            attempt(all, Math.min(retryDelayMsMax, Math.max(5, wait * 2))),
          );
        }
      });
    };
    // What it said before goes another way, and must not come after this.
    session.whenAnswered(() => {
      session.pending.push(head);
      attempt(words, 0);
    });
  }

  #lastNode: UpstreamNode | undefined;

  #lose(): void {
    if (this.#link !== undefined) this.#router.dedicated.drop(this.#link, "the slot moved");
    this.#link = undefined;
  }

  #attempt(
    batch: readonly (readonly Argument[])[],
    then: (reply: Buffer, isLost: boolean) => void,
  ): void {
    const { cluster, dedicated, dispatcher, limits } = this.#router;
    const node =
      this.#slot === noSlot ? dispatcher.anyNode(this.#session) : cluster.primaryOf(this.#slot);
    if (this.#link === undefined || this.#link.state === "closed") {
      if (this.#link !== undefined && (this.#isWatching || this.#queue.length > 0)) {
        this.#link = undefined;
        then(errorReply("CLUSTERDOWN slotlog router: the node of this transaction is gone"), true);
        return;
      }
      if (node === undefined) {
        then(errorReply("CLUSTERDOWN Hash slot not served"), true);
        return;
      }
      this.#link = dedicated.acquire(node, this.#session.identity);
      if (this.#link === undefined) {
        then(errorReply(tooMany(limits.dedicatedMax)), false);
        return;
      }
    }
    const link = this.#link;
    this.#lastNode = link.node;
    for (const words of batch.slice(0, -1)) dedicated.send(link, words, () => {});
    dedicated.send(link, batch.at(-1) ?? [], (reply) => {
      const isLost =
        isError(reply) && /^(UNCONFIRMED|CLUSTERDOWN) slotlog router/.test(lineOf(reply));
      then(reply, isLost);
    });
  }
}
