/**
 * Runs what must not be refused and is answered to nobody: the records of the AOF that is being
 * loaded, and the commands of our primary's stream. To them nothing has expired.
 */
import type { Argument, CommandDecoder, ReplyWriter } from "@slotlog/resp";
import type { CommandRegistry } from "../commands/registry.js";
import type { LogStream } from "../log/stream.js";
import { Client, type ClientKind, type ClientLink } from "../net/client.js";
import type { DatabaseSet } from "../store/database-set.js";
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

  constructor(parts: StreamApplierParts) {
    this.#parts = parts;
  }

  /** One record of the AOF; false if there is no such command or database. */
  applyLoaded(argv: readonly Argument[], index: number): boolean {
    const { databases, registry, loader } = this.#parts;
    const database = databases.get(index);
    if (database === undefined || registry.find(argv[0] as string) === undefined) return false;
    loader.database = database;
    this.#apply(
      loader,
      argv,
      argv.some((word) => typeof word !== "string"),
    );
    return true;
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
