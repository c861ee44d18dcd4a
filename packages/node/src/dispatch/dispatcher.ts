/**
 * Dispatch: from the words of a request to a body that runs, its reply and its log record.
 *
 * It is synchronous throughout. It knows no socket: the client's link is behind `ReplySink`.
 */
import { type Argument, CommandError, latin1String, type ReplyMark, type ReplyWriter } from "@slotlog/resp";
import { type Command, Flag } from "../commands/registry.js";
import type { CommandBody } from "../commands/spec.js";
import type { Client } from "../net/client.js";
import { LatencyHistogram } from "../observe/latency-histogram.js";
import { redacted } from "../observe/redact.js";
import { admit } from "./admission.js";
import { CommandContext } from "./context.js";
import type { NodeServices } from "./services.js";

/** The bytes of a request as they stand in the read buffer, to be copied into the log as they are. */
export interface EncodedRequest {
  readonly source: Buffer;
  /** -1 if the request does not stand there in one piece. */
  readonly rawStart: number;
  readonly rawEnd: number;
}

/** A command slower than this may have made the cached clock stale. */
const clockRefreshMs = 1;

/** Redis quotes at most so many characters of an unknown command and of its arguments. */
const quotedCharsMax = 128;

export class Dispatcher {
  readonly #node: NodeServices;
  readonly #reply: ReplyWriter;
  readonly #context: CommandContext;
  /** Monotonic time at the end of the last command: the next one's start. */
  #lastTick = 0;
  /** Depth of bodies that run bodies (EXEC, scripts). */
  #depth = 0;
  now = 0;

  constructor(node: NodeServices, reply: ReplyWriter, nobody: Client) {
    this.#node = node;
    this.#reply = reply;
    const [anyCommand] = node.registry.all();
    if (anyCommand === undefined) throw new Error("the registry is empty");
    this.#context = new CommandContext({ node, reply, client: nobody, command: anyCommand });
  }

  /** Reads the clocks: called once in front of each batch of requests. */
  startBatch(): void {
    const { clock } = this.#node.ports;
    this.now = clock.now();
    this.#lastTick = clock.monotonic();
  }

  /** One request of a client. Its reply is written; its change, if any, is in the log stream. */
  process(client: Client, argv: readonly Argument[], hasLarge: boolean, raw?: EncodedRequest): void {
    const name = argv[0] as string;
    const found = this.#node.registry.find(name);
    const words = (hasLarge ? textArguments(argv) : argv) as readonly string[];
    if (found === undefined) {
      client.lastCommand = undefined;
      this.#reject(client, unknownCommand(words));
      return;
    }
    let command = found;
    if (found.subcommands !== undefined && words.length > 1) {
      const sub = found.subcommands.get((words[1] as string).toLowerCase());
      if (sub === undefined) {
        const quoted = (words[1] as string).slice(0, quotedCharsMax);
        const container = found.fullName.toUpperCase();
        this.#reject(client, `ERR unknown subcommand '${quoted}'. Try ${container} HELP.`);
        return;
      }
      command = sub;
    }
    const context = this.#context;
    client.lastCommand = command;
    context.begin(client, command);
    const refusal = admit(context, words);
    if (refusal !== undefined) {
      command.rejectedCalls += 1;
      this.#reject(client, refusal);
      return;
    }
    if (this.#node.pause.mode !== undefined && this.#isPaused(context)) {
      this.#node.pause.defer(client, argv);
      return;
    }
    if (client.inTransaction && !command.immediateInTransaction) {
      this.#queue(client, command, words);
      return;
    }
    const large = hasLarge && command.largeArguments;
    this.#execute(client, command, (large ? argv : words) as readonly string[], raw);
  }

  /**
   * Runs a command inside another one (EXEC, a script): no guards, no unit of its own. The outer
   * body's context is put back afterwards.
   */
  runNested(client: Client, command: Command, argv: readonly string[]): void {
    const context = this.#context;
    const { command: outerCommand, client: outerClient, db, dirty, denyBlocking } = context;
    const { replacement, silent } = context;
    context.denyBlocking = true;
    this.#execute(client, command, argv, undefined);
    context.begin(outerClient, outerCommand);
    context.db = db;
    context.dirty = dirty;
    context.denyBlocking = denyBlocking;
    if (replacement !== undefined) context.propagateAs(replacement);
    if (silent) context.propagateNothing();
  }

  #execute(
    client: Client,
    command: Command,
    argv: readonly string[],
    raw: EncodedRequest | undefined,
  ): void {
    const node = this.#node;
    const { stream } = node;
    const context = this.#context;
    const reply = this.#reply;
    context.begin(client, command);
    context.now = this.now;
    const outermost = this.#depth === 0;
    const offsetBefore = stream.offset;
    const errorsBefore = reply.errorCount;
    if (outermost) stream.beginUnit();
    this.#depth += 1;
    const database = context.db.index;
    const replyStart = reply.mark();
    try {
      (command.body as CommandBody)(context, argv);
    } catch (error) {
      this.#answerThrown(error, command, replyStart);
    } finally {
      this.#depth -= 1;
    }
    if (context.dirty > 0) {
      node.stats.dirty += context.dirty;
      if (stream.active && !context.silent) {
        const { replacement } = context;
        if (replacement !== undefined) stream.append(database, replacement);
        else if (raw !== undefined && raw.rawStart >= 0) {
          stream.appendEncoded(database, raw.source, raw.rawStart, raw.rawEnd);
        } else stream.append(database, argv);
      }
    }
    if (outermost) stream.endUnit();
    if (stream.offset !== offsetBefore) client.replyOffset = stream.offset;
    else if (node.readsWait) node.holdRead(client, command, argv);

    const tick = node.ports.clock.monotonic();
    const elapsedMs = tick - this.#lastTick;
    this.#lastTick = tick;
    if (elapsedMs > clockRefreshMs) this.now = node.ports.clock.now();
    command.calls += 1;
    command.microseconds += elapsedMs * 1000;
    if (reply.errorCount !== errorsBefore) command.failedCalls += 1;
    node.stats.commandsProcessed += 1;
    if (outermost && client.asking && !command.has(Flag.asking)) client.asking = false;
    if (node.config.latencyTracking) {
      command.latency ??= new LatencyHistogram();
      command.latency.record(elapsedMs);
    }
    if (elapsedMs >= node.slowCommandMs) node.onSlowCommand(client, command, argv, elapsedMs);
    if (node.monitors.active) this.#tellMonitors(client, command, argv);
  }

  /** Replicas and our own stream are never paused: they would miss what they must follow. */
  #isPaused({ client, flags }: CommandContext): boolean {
    if (client.kind !== "normal" || client.isReplica) return false;
    if (this.#node.pause.mode === "all") return true;
    return (flags & (Flag.write | Flag.mayReplicate)) !== 0;
  }

  /** Administrative commands are not shown: they may hold secrets. */
  #tellMonitors(client: Client, command: Command, argv: readonly string[]): void {
    const { loading, monitors, ports } = this.#node;
    if (loading || command.has(Flag.skipMonitor | Flag.admin)) return;
    const words = redacted(command.fullName, argv);
    monitors.tell({ now: ports.clock.now(), client, argv: words });
  }

  /**
   * A body gave up: by a `CommandError`, which is an ordinary reply, or by a defect of ours, which
   * is told to this client and the log and must not end the process for everybody else.
   */
  #answerThrown(error: unknown, command: Command, replyStart: ReplyMark): void {
    this.#reply.rollback(replyStart);
    if (error instanceof CommandError) {
      this.#reply.error(error.message);
      return;
    }
    const { log } = this.#node.ports;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.warning(`Defect in command ${command.fullName}, please report it: ${detail}`);
    this.#reply.error(`ERR internal error in '${command.fullName}', see the server's log`);
  }

  #queue(client: Client, command: Command, argv: readonly string[]): void {
    if (client.transactionFailed || client.watchBroken) {
      // EXEC will do nothing: what comes now need not be kept.
      this.#reply.simple("QUEUED");
      return;
    }
    client.queue.push({ command, argv: [...argv] });
    client.queuedFlags |= command.flags;
    client.queuedMissingFlags |= ~command.flags;
    for (const word of argv) client.queuedBytes += word.length;
    this.#reply.simple("QUEUED");
  }

  #reject(client: Client, text: string): void {
    if (client.inTransaction) client.transactionFailed = true;
    client.asking = false;
    this.#reply.error(text);
  }
}

function textArguments(argv: readonly Argument[]): readonly string[] {
  return argv.map((word) => (typeof word === "string" ? word : latin1String(word, 0, word.length)));
}

function unknownCommand(argv: readonly string[]): string {
  let args = "";
  for (const word of argv.slice(1)) {
    if (args.length >= quotedCharsMax) break;
    args += `'${word.slice(0, quotedCharsMax - args.length)}' `;
  }
  const name = (argv[0] as string).slice(0, quotedCharsMax);
  return `ERR unknown command '${name}', with args beginning with: ${args}`;
}
