/**
 * What a command's body sees while it runs. A node has one, refilled for each command, so that the
 * hot path allocates nothing.
 */
import type { Argument, ReplyWriter } from "@slotlog/resp";
import type { Command } from "../commands/registry.js";
import type { Client } from "../net/client.js";
import type { Database } from "../store/database.js";
import type { KeyWait } from "./blocked.js";
import type { NodeServices } from "./services.js";

/** Classes of keyspace events, by the letter that `notify-keyspace-events` gives them. */
export type EventClass = "g" | "$" | "l" | "s" | "h" | "z" | "x" | "e" | "t" | "m" | "n" | "d";

export class CommandContext {
  readonly node: NodeServices;
  /** The writer of the client that is answered. */
  reply: ReplyWriter;
  client: Client;
  db: Database;
  command: Command;
  /** The command's flags, with those of the queue for EXEC. */
  flags = 0;
  /** Flags that the command lacks, or, for EXEC, that some queued command lacks. */
  missingFlags = 0;
  /** The clock of this command, Unix ms: every look at the time within it sees the same. */
  now = 0;
  /** Changes made so far by this command; 0 at its end means that nothing is logged. */
  dirty = 0;

  /** True inside EXEC or a script: a command must not block and is part of a larger unit. */
  denyBlocking = false;

  #replacement: readonly Argument[] | undefined;
  #silent = false;

  constructor(options: {
    readonly node: NodeServices;
    readonly reply: ReplyWriter;
    readonly client: Client;
    readonly command: Command;
  }) {
    this.node = options.node;
    this.reply = options.reply;
    this.client = options.client;
    this.command = options.command;
    this.db = options.client.database;
  }

  /** Called by dispatch in front of each body. */
  begin(client: Client, command: Command): void {
    this.client = client;
    this.db = client.database;
    this.command = command;
    this.flags = command.flags;
    this.missingFlags = ~command.flags;
    if (command.runsQueue) {
      this.flags |= client.queuedFlags;
      this.missingFlags |= client.queuedMissingFlags;
    }
    this.dirty = 0;
    this.#replacement = undefined;
    this.#silent = false;
  }

  /** The log record of this command's change is `argv` instead of its own words. */
  propagateAs(argv: readonly Argument[]): void {
    this.#replacement = argv;
  }

  /** The body logs its changes itself, or they must not be logged. */
  propagateNothing(): void {
    this.#silent = true;
  }

  /** Logs one more record, now: it comes in front of the command's own. */
  propagateAlso(argv: readonly Argument[], database = this.db.index): void {
    this.node.propagate(database, argv);
  }

  /** Clients that wait for this key may get what they wait for. */
  keyReady(key: string): void {
    this.node.blocked.keyReady(this.db, key);
  }

  /** Blocks the client until one of the keys is ready; its reply is then another run's. */
  waitForKeys(wait: KeyWait): void {
    this.node.blocked.wait(this.client, wait);
  }

  /** False inside EXEC and scripts, and for what comes from the log: then nothing may wait. */
  get mayBlock(): boolean {
    return !this.denyBlocking && this.client.kind === "normal";
  }

  get replacement(): readonly Argument[] | undefined {
    return this.#replacement;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Tells the subscribers of keyspace notifications, if that class is switched on. */
  notify(eventClass: EventClass, event: string, key: string): void {
    this.node.notifyKeyspaceEvent(eventClass, event, key, this.db.index);
  }
}
