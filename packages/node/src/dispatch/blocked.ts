/**
 * Clients that wait for keys (BLPOP, XREAD BLOCK…), and the keys that became ready for them.
 *
 * A client is served by running its command again, first come, first served, at the end of the unit
 * that made the key ready: the command, the transaction or the script. If the run comes away with
 * nothing, the client waits on, at the end of the queue. This owns the queues and the timeouts;
 * what it means that a command is served is the command's business.
 */
import { type ReplySink, ReplyWriter, replyErrors } from "@slotlog/resp";
import type { BlockedState, Client } from "../net/client.js";
import type { Clock, Timer } from "../ports.js";
import type { Database } from "../store/database.js";
import { type CollectionType, typeOf } from "../store/value.js";
import type { Dispatcher } from "./dispatcher.js";
import type { NodeStats } from "./stats.js";

export interface KeyWait {
  readonly keys: readonly string[];
  readonly type: CollectionType;
  /** Unix ms, 0 for never. */
  readonly timeoutAt: number;
  /** The words to run again once a key is ready; kept. */
  readonly argv: readonly string[];
  /** Also when the key is deleted or gets another type (XREADGROUP). */
  readonly evenIfGone?: boolean;
}

export interface BlockedHost {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly stats: NodeStats;
  /** The end of the turn will come, and with it `endTurn`. */
  scheduleTurn(): void;
}

/** Timers of Node.js end at 2^31 - 1 ms, some 24 days; longer waits set another one. */
const timerMsMax = 2 ** 31 - 1;
/** Replies to blocked clients are mostly one element. */
const replyBytes = 16 * 1024;

class Waiting implements BlockedState {
  readonly reason = "keys";
  readonly client: Client;
  readonly wait: KeyWait;
  /** Monotonic ms: the wait neither grows nor shrinks when the wall clock steps. */
  readonly deadline: number;
  /** As the client was when it said the command. */
  readonly asking: boolean;
  readonly isSilent: boolean;
  timer: Timer | undefined;
  readonly #owner: BlockedClients;

  constructor(owner: BlockedClients, client: Client, wait: KeyWait, deadline: number) {
    this.#owner = owner;
    this.client = client;
    this.wait = wait;
    this.deadline = deadline;
    this.asking = client.asking;
    this.isSilent = client.replyMode !== "on";
  }

  cancel(how: "timeout" | "error" | "closed"): void {
    this.#owner.cancel(this, how);
  }
}

/** Who waits for a key, in the order in which they came. */
class KeyQueue {
  readonly waiting = new Set<Waiting>();
  /** How many of them want to know that the key is gone. */
  evenIfGone = 0;
  isReady = false;
}

interface ReadyKey {
  readonly database: Database;
  readonly key: string;
  readonly queue: KeyQueue;
}

export class BlockedClients {
  readonly #host: BlockedHost;
  /** By number of database; they grow with those who wait, not with the data. */
  readonly #queues: Map<string, KeyQueue>[] = [];
  #waitingCount = 0;
  #ready: ReadyKey[] = [];
  #serving = false;
  /** The wait whose command is being run again. */
  #repeating: Waiting | undefined;
  /** Clients whose further requests have been held back. */
  #released: Client[] = [];
  /** The node's own writer is attached to the client whose command made the key ready. */
  readonly #reply = new ReplyWriter(replyBytes);

  constructor(host: BlockedHost) {
    this.#host = host;
    this.#reply.onError = (text) => host.stats.countError(text);
  }

  /** Clients that wait for keys. */
  get count(): number {
    return this.#waitingCount;
  }

  /** Keys that somebody waits for (INFO total_blocking_keys). */
  get keyCount(): number {
    return this.#queues.reduce((sum, queues) => sum + (queues?.size ?? 0), 0);
  }

  /** Keys for whose deletion somebody waits (INFO total_blocking_keys_on_nokey). */
  get goneKeyCount(): number {
    let count = 0;
    for (const queues of this.#queues) {
      for (const queue of queues?.values() ?? []) if (queue.evenIfGone > 0) count += 1;
    }
    return count;
  }

  /** Blocks a client; called by the command that it runs. */
  wait(client: Client, wait: KeyWait): void {
    const { clock } = this.#host;
    const now = clock.monotonic();
    // Who is served in vain waits on, as long as he first said.
    const before = this.#repeating?.client === client ? this.#repeating : undefined;
    const isEndless = wait.timeoutAt === 0;
    const given = isEndless ? Number.POSITIVE_INFINITY : now + wait.timeoutAt - clock.now();
    const waiting = new Waiting(this, client, wait, before?.deadline ?? given);
    client.blocked = waiting;
    this.#waitingCount += 1;
    const queues = (this.#queues[client.database.index] ??= new Map<string, KeyQueue>());
    for (const key of new Set(wait.keys)) {
      let queue = queues.get(key);
      if (queue === undefined) queues.set(key, (queue = new KeyQueue()));
      queue.waiting.add(waiting);
      if (wait.evenIfGone === true) queue.evenIfGone += 1;
    }
    if (waiting.deadline !== Number.POSITIVE_INFINITY) this.#setTimer(waiting, now);
  }

  /** A key exists that did not, or a stream has news. */
  keyReady(database: Database, key: string): void {
    if (this.#waitingCount === 0) return;
    this.#signal(database, key, this.#queues[database.index]?.get(key));
  }

  /** What was under this key is there no more. */
  keyGone(database: Database, key: string): void {
    if (this.#waitingCount === 0) return;
    const queue = this.#queues[database.index]?.get(key);
    if (queue !== undefined && queue.evenIfGone > 0) this.#signal(database, key, queue);
  }

  /** All keys of a database went at once, and perhaps others came. */
  databaseReplaced(database: Database): void {
    if (this.#waitingCount === 0) return;
    // What is there now is looked at when they are served: a look could make a key expire.
    for (const [key, queue] of this.#queues[database.index] ?? []) {
      this.#signal(database, key, queue);
    }
  }

  /** True if somebody may be served. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Serves those whose keys are ready. What they do may make further keys ready. */
  serve(): void {
    // A command that is run here ends with the same call: fairness wants the queues' order.
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.#ready.length > 0) {
        const ready = this.#ready;
        this.#ready = [];
        for (const { database, key, queue } of ready) {
          queue.isReady = false;
          this.#serveKey(database, key);
        }
      }
    } finally {
      this.#serving = false;
    }
  }

  /** Serves who is left, and reads on what clients sent while they were blocked. */
  endTurn(): void {
    if (this.#ready.length > 0) this.serve();
    while (this.#released.length > 0) {
      const released = this.#released;
      this.#released = [];
      for (const client of released) {
        if (client.blocked === undefined && !client.closing) client.link.resume();
      }
    }
  }

  /** Ends a wait without serving it. */
  cancel(waiting: Waiting, how: "timeout" | "error" | "closed"): void {
    const { client } = waiting;
    if (client.blocked !== waiting) return;
    this.#remove(waiting);
    if (how === "closed") return;
    this.#answer(waiting, (reply) => {
      if (how === "timeout") reply.nilArray();
      else reply.error(replyErrors.unblocked);
    });
    this.#count(client, how === "error");
  }

  /** This node is no primary any more: whoever waits is told, and let go. */
  disconnectAll(): void {
    for (const waiting of this.#all()) {
      this.#remove(waiting);
      this.#answer(waiting, (reply) => reply.error(replyErrors.unblockedByRoleChange));
      this.#count(waiting.client, true);
      waiting.client.link.closeAfterReplies();
    }
  }

  /** Answers those for whom `refusal` has a text: their slot is served elsewhere now. */
  redirect(refusal: (client: Client, argv: readonly string[]) => string | undefined): void {
    if (this.#waitingCount === 0) return;
    for (const waiting of this.#all()) {
      const { client, wait } = waiting;
      client.asking = waiting.asking;
      const text = refusal(client, wait.argv);
      client.asking = false;
      if (text === undefined) continue;
      this.#remove(waiting);
      this.#answer(waiting, (reply) => reply.error(text));
      this.#count(client, true);
    }
  }

  #all(): Set<Waiting> {
    const all = new Set<Waiting>();
    for (const queues of this.#queues) {
      for (const queue of queues?.values() ?? []) {
        for (const waiting of queue.waiting) all.add(waiting);
      }
    }
    return all;
  }

  #signal(database: Database, key: string, queue: KeyQueue | undefined): void {
    if (queue === undefined || queue.isReady) return;
    queue.isReady = true;
    this.#ready.push({ database, key, queue });
    // The end of the unit serves them; what is no command's doing (expiry, a replica's stream) has
    // only the end of the turn.
    this.#host.scheduleTurn();
  }

  #serveKey(database: Database, key: string): void {
    const queue = this.#queues[database.index]?.get(key);
    if (queue === undefined) return;
    // Whoever waits again stands at the end of the queue, and must not be met there once more.
    let left = queue.waiting.size;
    for (const waiting of queue.waiting) {
      if (left === 0) break;
      left -= 1;
      // A key that has expired is no key, and is not deleted for somebody's waiting: that is left
      // to the first who asks for it.
      const value = database.isLogicallyExpired(key) ? undefined : database.peek(key);
      const fits = value !== undefined && typeOf(value) === waiting.wait.type;
      if (fits || waiting.wait.evenIfGone === true) this.#repeat(waiting);
    }
  }

  /** Runs the command again. */
  #repeat(waiting: Waiting): void {
    const { client, wait } = waiting;
    const { dispatcher } = this.#host;
    this.#remove(waiting);
    client.asking = waiting.asking;
    this.#repeating = waiting;
    this.#answer(waiting, (reply) => {
      dispatcher.processApart(client, wait.argv, reply);
    });
    this.#repeating = undefined;
  }

  /** What `write` writes goes to the client; if it waits for nothing then, it may go on. */
  #answer({ client, isSilent }: Waiting, write: (reply: ReplyWriter) => void): void {
    const reply = this.#reply;
    reply.attach(copiesTo(client.link), client.protocol);
    try {
      write(reply);
    } finally {
      if (isSilent) reply.rollback(0);
      reply.detach();
      reply.recycle();
    }
    if (client.blocked !== undefined) return;
    this.#released.push(client);
    this.#host.scheduleTurn();
  }

  #remove(waiting: Waiting): void {
    const { client, wait } = waiting;
    waiting.timer?.cancel();
    client.blocked = undefined;
    this.#waitingCount -= 1;
    const queues = this.#queues[client.database.index];
    for (const key of wait.keys) {
      const queue = queues?.get(key);
      if (queue === undefined || !queue.waiting.delete(waiting)) continue;
      if (wait.evenIfGone === true) queue.evenIfGone -= 1;
      if (queue.waiting.size === 0) queues?.delete(key);
    }
  }

  /** A command that ended without running again is counted here. */
  #count(client: Client, failed: boolean): void {
    const command = client.lastCommand;
    this.#host.stats.commandsProcessed += 1;
    if (command === undefined) return;
    command.calls += 1;
    if (failed) command.failedCalls += 1;
  }

  #setTimer(waiting: Waiting, now: number): void {
    const delay = Math.min(Math.max(0, waiting.deadline - now), timerMsMax);
    waiting.timer = this.#host.clock.after(Math.ceil(delay), () => {
      const present = this.#host.clock.monotonic();
      if (present < waiting.deadline) this.#setTimer(waiting, present);
      else waiting.cancel("timeout");
    });
  }
}

/** The writer's memory is used again at once, so what it gives out is copied. */
function copiesTo(sink: ReplySink): ReplySink {
  return { chunk: (bytes) => sink.chunk(Buffer.from(bytes)) };
}
