/**
 * Runs what must not be refused and is answered to nobody: the records of the AOF that is being
 * loaded, and the commands of our primary's stream. To them nothing has expired.
 */
import { type Argument, type CommandDecoder, latin1String, type ReplyWriter } from "@slotlog/resp";
import type { Command, CommandRegistry } from "../commands/registry.js";
import type { LogStream } from "../log/stream.js";
import { Client, type ClientKind, type ClientLink } from "../net/client.js";
import type { DatabaseSet } from "../store/database-set.js";
import { argumentCount } from "./admission.js";
import type { Dispatcher } from "./dispatcher.js";

/** Where replies go that nobody asked for by a connection. */
export const nowhere: ClientLink = {
  remoteAddress: "?:0",
  localAddress: "?:0",
  queryBufferBytes: 0,
  outputBufferBytes: 0,
  outputChunks: 0,
  chunk: () => {},
  push: () => {},
  closeAfterReplies: () => {},
  closeNow: () => {},
  resume: () => {},
};

/** A client without a connection, which may do everything. */
export function internalClient(
  kind: ClientKind,
  at: { readonly startedAt: number; readonly databases: DatabaseSet },
): Client {
  const client = new Client({
    id: 0,
    kind,
    link: nowhere,
    now: at.startedAt,
    database: at.databases.first,
  });
  client.authenticated = true;
  return client;
}

/** A millisecond of loading, about. */
const recordsPerClockReading = 1000;

export interface StreamApplierParts {
  readonly dispatcher: Dispatcher;
  readonly registry: CommandRegistry;
  readonly databases: DatabaseSet;
  readonly reply: ReplyWriter;
  readonly stream: LogStream;
  readonly loader: Client;
  readonly primary: Client;
}

export class StreamApplier {
  readonly #parts: StreamApplierParts;
  /** True while such a command runs. */
  applying = false;
  /** The name that came last in an AOF, and its command: logs repeat themselves. */
  #lastName = "";
  #lastFound: Command | undefined;
  #loaded = 0;

  constructor(parts: StreamApplierParts) {
    this.#parts = parts;
  }

  /**
   * One record of the AOF; false if there is no such command or database. No guard has a say in
   * what was done already: only the number of arguments is looked at.
   */
  applyLoaded(argv: readonly Argument[], index: number): boolean {
    const { databases, dispatcher, loader, reply } = this.#parts;
    const database = databases.get(index);
    const command = this.#commandOf(argv);
    if (database === undefined || command === undefined) return false;
    if (argumentCount(command, argv as readonly string[]) !== undefined) return true;
    loader.database = database;
    const asIs = command.largeArguments || !hasLargeArgument(argv);
    const words = (asIs ? argv : argv.map(textArgument)) as readonly string[];
    // Reading the clocks takes longer than a SET.
    if (this.#loaded++ % recordsPerClockReading === 0) dispatcher.startBatch();
    this.applying = true;
    reply.attach(nowhere, 2);
    try {
      dispatcher.runNested(loader, command, words);
    } finally {
      this.applying = false;
      reply.rollback(0);
      reply.detach();
    }
    return true;
  }

  #commandOf(argv: readonly Argument[]): Command | undefined {
    const name = argv[0] as string;
    if (name !== this.#lastName) {
      this.#lastName = name;
      this.#lastFound = this.#parts.registry.find(name);
    }
    const found = this.#lastFound;
    if (found?.subcommands === undefined || argv.length < 2) return found;
    return found.subcommands.get(textArgument(argv[1] as Argument).toLowerCase());
  }

  /** One command of the primary's stream. */
  applyFromPrimary(index: number, argv: readonly Argument[], decoder: CommandDecoder): void {
    const { databases, primary, stream } = this.#parts;
    primary.database = databases.get(index) ?? databases.first;
    this.#apply(primary, argv, decoder.hasLargeArgument, decoder);
    stream.seal();
  }

  #apply(client: Client, argv: readonly Argument[], hasLarge: boolean, raw?: CommandDecoder): void {
    const { dispatcher, reply } = this.#parts;
    this.applying = true;
    dispatcher.startBatch();
    reply.attach(nowhere, 2);
    try {
      dispatcher.process(client, argv, hasLarge, raw);
    } finally {
      this.applying = false;
      reply.rollback(0);
      reply.detach();
    }
  }
}

function hasLargeArgument(argv: readonly Argument[]): boolean {
  for (let index = 0; index < argv.length; index += 1) {
    if (typeof argv[index] !== "string") return true;
  }
  return false;
}

function textArgument(word: Argument): string {
  return typeof word === "string" ? word : latin1String(word, 0, word.length);
}
