/**
 * Dispatch: from the words of a request to a body that runs, its reply and its log record.
 *
 * It is synchronous throughout. It knows no socket: the client's link is behind `ReplySink`.
 */
import {
  type Argument,
  CommandError,
  latin1String,
  replyErrors,
  type ReplyMark,
  type ReplyWriter,
} from "@slotlog/resp";
import { type Command, Flag } from "../commands/registry.js";
import { keyPositions } from "../commands/key-positions.js";
import { cString } from "../commands/errors.js";
import type { CommandBody } from "../commands/spec.js";
import type { Client } from "../net/client.js";
import type { MemoryTally } from "../store/memory-tally.js";
import { LatencyHistogram } from "../observe/latency-histogram.js";
import { redacted } from "../observe/redact.js";
import { admit, argumentCount } from "./admission.js";
import { CommandContext } from "./context.js";
import { namedKeys, queuedKeys, route } from "./route.js";
import type { NodeServices } from "./services.js";

/**
 * The bytes of a request as they stand in the read buffer, to be copied into the log as they are.
 */
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

/** What one read brings of usual requests takes less. */
const batchMsMax = 4;

export class Dispatcher {
  readonly #node: NodeServices;
  #reply: ReplyWriter;
  /** The command ran before and blocked its client. */
  #repeats = false;
  readonly #tally: MemoryTally;
  readonly #context: CommandContext;
  /** Monotonic time at the end of the last command: the next one's start. */
  #lastTick = 0;
  /** Error replies that belong to a command already: one inside EXEC is not EXEC's own. */
  #errorsSeen = 0;
  /** Depth of bodies that run bodies (EXEC, scripts). */
  #depth = 0;
  /** The name that came last and its command: pipelines repeat themselves. */
  #lastName = "";
  #lastFound: Command | undefined;
  /** Commands of constant time that ran one after the other and have not been timed yet. */
  #run: Command | undefined;
  #runLength = 0;
  /** Nothing in the node's state could refuse a command; see `#isCalm`. */
  #calm = false;
  now = 0;
  /** Monotonic time at which the present batch of requests began. */
  batchBeganAt = 0;
  #isClockStale = false;

  constructor(node: NodeServices, reply: ReplyWriter, nobody: Client) {
    this.#node = node;
    this.#reply = reply;
    this.#tally = node.databases.parts.tally;
    const [anyCommand] = node.registry.all();
    if (anyCommand === undefined) throw new Error("the registry is empty");
    this.#context = new CommandContext({ node, reply, client: nobody, command: anyCommand });
  }

  /** Reads the clocks: called once in front of each batch of requests. */
  startBatch(): void {
    const { clock } = this.#node.ports;
    this.now = clock.now();
    this.#lastTick = clock.monotonic();
    this.batchBeganAt = this.#lastTick;
    this.#calm = this.#isCalm();
  }

  /** The batch of requests has had its time; those that are left can wait for a turn. */
  get batchIsOver(): boolean {
    return this.#node.ports.clock.monotonic() - this.batchBeganAt > batchMsMax;
  }

  /** The batch is over. */
  endBatch(): void {
    if (this.#run !== undefined) this.#timeRun();
  }

  /**
   * In most batches of most nodes no guard but the argument count and the slot has anything to
   * say. Then only these two are asked: the whole list costs a tenth of a GET.
   */
  #isCalm(): boolean {
    const node = this.#node;
    return (
      !node.loading &&
      !node.role.isReplica &&
      node.config.minReplicasToWrite === 0 &&
      node.persistence.misconfiguration === undefined &&
      node.pause.mode === undefined &&
      !node.migrations.active
    );
  }

  #mayTakeShortcut(client: Client, command: Command): boolean {
    return (
      this.#calm &&
      this.#tally.bytes <= this.#tally.fullAt &&
      client.kind === "normal" &&
      client.authenticated &&
      (client.account === undefined || client.account.unrestricted) &&
      !client.inTransaction &&
      client.subscriptions === 0 &&
      (command.flags & Flag.protected) === 0
    );
  }

  /** One request of a client. Its reply is written; its change, if any, is in the log stream. */
  process(
    client: Client,
    argv: readonly Argument[],
    hasLarge: boolean,
    raw?: EncodedRequest,
  ): void {
    const name = argv[0] as string;
    let found = this.#lastFound;
    if (name !== this.#lastName) {
      found = this.#node.registry.find(name);
      this.#lastName = name;
      this.#lastFound = found;
    }
    const words = (hasLarge ? textArguments(argv) : argv) as readonly string[];
    if (found === undefined) {
      client.lastCommand = undefined;
      if (attackWords.has(name.toLowerCase())) {
        this.#node.onSuspectedAttack(client);
        return;
      }
      this.#reject(client, unknownCommand(words));
      return;
    }
    let command = found;
    if (found.subcommands !== undefined && words.length > 1) {
      const sub = found.subcommands.get((words[1] as string).toLowerCase());
      if (sub === undefined) {
        const quoted = cString(words[1] as string).slice(0, quotedCharsMax);
        const container = found.fullName.toUpperCase();
        this.#reject(client, `ERR unknown subcommand '${quoted}'. Try ${container} HELP.`);
        return;
      }
      command = sub;
    }
    client.lastCommand = command;
    if (this.#mayTakeShortcut(client, command)) {
      const refusal = argumentCount(command, words) ?? route(this.#node, client, command, words);
      if (refusal === undefined) {
        const large = hasLarge && command.largeArguments;
        this.#execute(client, command, (large ? argv : words) as readonly string[], raw);
        if ((command.flags & Flag.admin) !== 0) this.#calm = this.#isCalm();
      } else this.#refuse(client, command, refusal);
      return;
    }
    const context = this.#context;
    context.begin(client, command);
    const refusal = admit(context, words);
    if (refusal !== undefined) {
      this.#refuse(client, command, refusal);
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
    if (this.#node.migrations.active && this.#waitsForMigration(context, argv, words)) return;
    const large = hasLarge && command.largeArguments;
    this.#execute(client, command, (large ? argv : words) as readonly string[], raw);
    if ((command.flags & Flag.admin) !== 0 || command.runsQueue) this.#calm = this.#isCalm();
  }

  /**
   * Processes a command of a client that blocked on it and is not the one that is answered now: its
   * reply goes to a writer of its own. Only between units.
   */
  processApart(client: Client, argv: readonly string[], reply: ReplyWriter): void {
    const context = this.#context;
    const usual = this.#reply;
    this.#reply = reply;
    context.reply = reply;
    this.#repeats = true;
    try {
      this.process(client, argv, false);
    } finally {
      this.#repeats = false;
      context.reply = usual;
      this.#reply = usual;
    }
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
    node.hooks.noTouch = client.noTouch;
    const outermost = this.#depth === 0;
    const offsetBefore = stream.offset;
    this.#errorsSeen = reply.errorCount;
    // SCAN and RANDOMKEY delete expired keys that have nothing to do with each other: no
    // transaction.
    const isUnit = outermost && (command.flags & Flag.touchesArbitraryKeys) === 0;
    if (isUnit) stream.beginUnit();
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
    if (this.#tally.pendingCount > 0) this.#tally.settle(argumentBytes(argv));
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
    if (isUnit) stream.endUnit();
    if (stream.offset !== offsetBefore) {
      client.replyOffset = stream.offset;
      // What a transaction wrote is for a WAIT behind it, not for one inside.
      if (outermost) client.writeOffset = stream.offset;
      if (node.readsWait) node.holds.wrote(client, command, argv, offsetBefore);
    } else if (node.readsWait) node.holds.hold(client, command, argv);

    const isMonitored = node.monitors.active && !this.#repeats;
    if (outermost && client.blocked !== undefined) {
      // It counts when it is done, and is shown when it is said.
      if (isMonitored) this.#tellMonitors(client, command, argv);
      return;
    }
    command.calls += 1;
    if (reply.errorCount !== this.#errorsSeen) {
      command.failedCalls += 1;
      this.#errorsSeen = reply.errorCount;
    }
    node.stats.commandsProcessed += 1;
    if (client.asking && outermost && !client.inTransaction && !command.keepsAsking) {
      client.asking = false;
    }
    if (command.timedInRuns && node.slowCommandMs >= clockRefreshMs) {
      if (this.#run === command) this.#runLength += 1;
      else this.#beginRun(command);
    } else this.#timeOne(client, command, argv);
    if (isMonitored) this.#tellMonitors(client, command, argv);
    if (client.tracking !== undefined) this.#track(client, command, argv);
    if (outermost && node.blocked.hasReady && client.kind === "normal") node.blocked.serve();
  }

  /**
   * Reading a clock takes as long as a third of a GET. Commands of constant time are timed in runs
   * of the same command, and each is counted as the average of its run.
   */
  #beginRun(command: Command): void {
    if (this.#run !== undefined) this.#timeRun();
    this.#run = command;
    this.#runLength = 1;
  }

  #timeRun(): void {
    const command = this.#run as Command;
    this.#run = undefined;
    const elapsedMs = this.#elapsed();
    command.microseconds += elapsedMs * 1000;
    if (!this.#node.config.latencyTracking) return;
    command.latency ??= new LatencyHistogram();
    command.latency.record(elapsedMs / this.#runLength, this.#runLength);
  }

  #timeOne(client: Client, command: Command, argv: readonly string[]): void {
    const node = this.#node;
    if (this.#run !== undefined) this.#timeRun();
    const elapsedMs = this.#elapsed();
    command.microseconds += elapsedMs * 1000;
    if (node.config.latencyTracking) {
      command.latency ??= new LatencyHistogram();
      command.latency.record(elapsedMs, 1);
    }
    if (elapsedMs >= node.slowCommandMs) node.onSlowCommand(client, command, argv, elapsedMs);
  }

  /** Milliseconds since the last look at the clock. */
  #elapsed(): number {
    const { clock } = this.#node.ports;
    const tick = clock.monotonic();
    const elapsedMs = tick - this.#lastTick;
    this.#lastTick = tick;
    // Within EXEC and scripts time stands still: a key that exists in one command does in the next.
    if (elapsedMs > clockRefreshMs) this.#isClockStale = true;
    if (this.#isClockStale && this.#depth === 0) {
      this.#isClockStale = false;
      this.now = clock.now();
    }
    return elapsedMs;
  }

  /** Replicas and our own stream are never paused: they would miss what they must follow. */
  #isPaused({ client, flags }: CommandContext): boolean {
    if (client.kind !== "normal" || client.isReplica) return false;
    if (this.#node.pause.mode === "all") return true;
    return (flags & (Flag.write | Flag.mayReplicate)) !== 0;
  }

  /** It names a key that is on its way to another node: it waits until that is decided. */
  #waitsForMigration(
    { client, command }: CommandContext,
    argv: readonly Argument[],
    words: readonly string[],
  ): boolean {
    if (client.kind !== "normal") return false;
    const keys = command.runsQueue ? queuedKeys(client) : namedKeys(command, words);
    const { cluster, migrations } = this.#node;
    const batch = migrations.batchOf(client.database, keys);
    if (batch === undefined) return false;
    // Of several keys some would be here and some there, whichever way it ends.
    const isSplit = cluster !== undefined && keys.length > 1 && !command.runsQueue;
    if (isSplit && command.spec.movesKeys !== true) {
      this.#refuse(client, command, replyErrors.tryAgain);
    } else migrations.hold(batch, client, argv);
    return true;
  }

  /** The client whose command runs now. */
  get running(): Client | undefined {
    return this.#depth > 0 ? this.#context.client : undefined;
  }

  /** A command runs within another: in EXEC. */
  get isNested(): boolean {
    return this.#depth > 1;
  }

  /** Client-side caching: what this command read, and what the client must be told of it. */
  #track(client: Client, command: Command, argv: readonly string[]): void {
    const { tracking } = this.#node;
    if ((command.flags & Flag.readonly) !== 0 && (command.flags & Flag.pubsub) === 0) {
      const keys = keyPositions(command, argv)?.map(({ index }) => argv[index] as string);
      if (keys !== undefined && keys.length > 0) tracking.remember(client, keys);
    }
    if (this.#depth > 0) return;
    if (tracking.hasPending) tracking.tellPending(client);
    // CLIENT CACHING is for the next command, whichever it is but one about the client itself.
    if (
      client.tracking !== undefined &&
      !client.inTransaction &&
      command.parent?.spec.name !== "client"
    ) {
      client.tracking.caching = false;
    }
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

  #refuse(client: Client, command: Command, text: string): void {
    command.rejectedCalls += 1;
    if (command.runsQueue) {
      // An EXEC that may not run ends its transaction.
      this.#node.watches.removeAll(client);
      client.resetTransaction();
      if (isRedirection(text)) {
        this.#reject(client, text);
        return;
      }
      const reason = text.startsWith("ERR ") ? text.slice(4) : text;
      this.#reject(client, `EXECABORT Transaction discarded because of: ${reason}`);
      return;
    }
    this.#reject(client, text);
  }

  #reject(client: Client, text: string): void {
    if (client.inTransaction) client.transactionFailed = true;
    else client.asking = false;
    this.#reply.error(text);
  }
}

/**
 * The first words of HTTP requests: a browser was tricked into talking to this port. Its connection
 * is closed before the body of the request can be taken for commands.
 */
const attackWords: ReadonlySet<string> = new Set(["host:", "post"]);

function argumentBytes(argv: readonly Argument[]): number {
  let bytes = 0;
  for (let index = 2; index < argv.length; index += 1) bytes += (argv[index] as Argument).length;
  return bytes;
}

function textArguments(argv: readonly Argument[]): readonly string[] {
  return argv.map((word) => (typeof word === "string" ? word : latin1String(word, 0, word.length)));
}

/** What cluster clients obey must begin with its own word. */
function isRedirection(text: string): boolean {
  return /^(MOVED|ASK|TRYAGAIN|CROSSSLOT|CLUSTERDOWN) /.test(text);
}

function unknownCommand(argv: readonly string[]): string {
  let args = "";
  for (const word of argv.slice(1)) {
    if (args.length >= quotedCharsMax) break;
    args += `'${cString(word).slice(0, quotedCharsMax - args.length)}' `;
  }
  const name = cString(argv[0] as string).slice(0, quotedCharsMax);
  return `ERR unknown command '${name}', with args beginning with: ${args}`;
}
