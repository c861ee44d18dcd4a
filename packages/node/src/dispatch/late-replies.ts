/**
 * Replies that come outside of their command: to a client whose command waited for something else
 * than keys (replicas, disks, a migration). Such a reply has a writer of its own, since the node's
 * may be in use for the client whose command ended the wait.
 *
 * A client that is answered reads on at the end of the turn, not inside of what answered it.
 */
import { type ReplySink, ReplyWriter } from "@slotlog/resp";
import type { Command } from "../commands/registry.js";
import type { Client } from "../net/client.js";
import type { NodeStats } from "./stats.js";

/** Such replies are short. */
const replyBytes = 4 * 1024;

export interface LateRepliesHost {
  readonly stats: NodeStats;
  /** The end of the turn will come, and with it `endTurn`. */
  scheduleTurn(): void;
}

/** Who is answered, and how the client was when it said the command. */
export interface LateClient {
  readonly client: Client;
  readonly command: Command;
  /** CLIENT REPLY was off or skipped this one. */
  readonly isSilent: boolean;
}

export class LateReplies {
  readonly #host: LateRepliesHost;
  readonly #reply = new ReplyWriter(replyBytes);
  #answered: Client[] = [];

  constructor(host: LateRepliesHost) {
    this.#host = host;
    this.#reply.onError = (text) => host.stats.countError(text);
  }

  /** Ends the wait of a client: `write` writes the reply; the command counts as done. */
  answer({ client, command, isSilent }: LateClient, write: (reply: ReplyWriter) => void): void {
    const reply = this.#reply;
    const errorsBefore = reply.errorCount;
    client.blocked = undefined;
    reply.attach(copiesTo(client.link), client.protocol);
    try {
      write(reply);
    } finally {
      if (isSilent) reply.rollback(0);
      reply.detach();
      reply.recycle();
    }
    command.calls += 1;
    if (reply.errorCount !== errorsBefore) command.failedCalls += 1;
    this.#host.stats.commandsProcessed += 1;
    this.#answered.push(client);
    this.#host.scheduleTurn();
  }

  /** Reads on what clients sent while they waited. */
  endTurn(): void {
    while (this.#answered.length > 0) {
      const answered = this.#answered;
      this.#answered = [];
      for (const client of answered) {
        if (client.blocked === undefined && !client.closing) client.link.resume();
      }
    }
  }
}

/** The writer's memory is used again at once, so what it gives out is copied. */
function copiesTo(sink: ReplySink): ReplySink {
  return { chunk: (bytes) => sink.chunk(Buffer.from(bytes)) };
}
