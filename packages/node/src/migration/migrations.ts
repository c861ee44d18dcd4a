/**
 * MIGRATE under way: the client that said it is blocked, the loop is not. While a key is on its way
 * (dumped, and not known to have arrived) commands that name it wait; confirmed, it is deleted
 * here, and they are routed anew; failed or unknown, it stays here and they run here.
 *
 * It owns which keys are on their way and who waits for them. Redis needs none of that, since
 * nothing else runs while it migrates.
 */
import type { Argument } from "@slotlog/resp";
import type { Command } from "../commands/registry.js";
import { thresholdsOf } from "../dataset/thresholds.js";
import type { LateClient } from "../dispatch/late-replies.js";
import type { NodeServices } from "../dispatch/services.js";
import type { Client } from "../net/client.js";
import type { Database } from "../store/database.js";
import type { TargetAddress, TargetConnection } from "./target-connection.js";
import { TargetPool } from "./target-pool.js";
import { dumpKeys, Transfer, type TransferOptions } from "./transfer.js";

export interface MigrationRequest {
  readonly address: TargetAddress;
  /** They exist here. */
  readonly keys: readonly string[];
  /** They stay here too: then nothing waits for them. */
  readonly copy: boolean;
  readonly transfer: TransferOptions;
}

/** Keys that go at once, and who waits for one of them. */
class Batch {
  readonly waiting: { readonly client: Client; readonly argv: readonly Argument[] }[] = [];
}

export class Migrations {
  readonly #node: NodeServices;
  readonly #pool: TargetPool;
  /** By database; bounded by the size of a batch and the number of MIGRATEs. */
  readonly #onTheWay = new Map<Database, Map<string, Batch>>();
  readonly #connections = new Set<TargetConnection>();
  #stopped = false;
  /** Grows when this node ceases to be a primary: what was begun before may delete nothing. */
  #term = 0;

  constructor(node: NodeServices) {
    this.#node = node;
    this.#pool = new TargetPool(node.ports);
  }

  /** Some key is on its way: commands must be looked at. */
  get active(): boolean {
    return this.#onTheWay.size > 0;
  }

  /** Connections to targets: those at work, and those that are kept for the next MIGRATE. */
  get connectionCount(): number {
    return this.#connections.size + this.#pool.idleCount;
  }

  /** Blocks the client and begins; called by MIGRATE. */
  start(client: Client, command: Command, request: MigrationRequest): void {
    const late: LateClient = { client, command, isSilent: client.replyMode !== "on" };
    let isThere = true;
    client.blocked = {
      reason: "pause",
      cancel: () => {
        isThere = false;
        client.blocked = undefined;
      },
    };
    const { database } = client;
    // The first keys are dumped here and now: what was asked for is their present value.
    this.#run(database, request).then(
      (error) => {
        if (isThere) this.#answer(late, error);
      },
      (defect: unknown) => {
        this.#node.ports.log.warning(`Defect in MIGRATE, please report it: ${String(defect)}`);
        if (isThere) this.#answer(late, "ERR internal error in 'migrate', see the server's log");
      },
    );
  }

  #answer(late: LateClient, error: string | undefined): void {
    late.client.replyOffset = this.#node.stream.offset;
    late.client.writeOffset = this.#node.stream.offset;
    this.#node.late.answer(late, (reply) => {
      if (error === undefined) reply.ok();
      else reply.error(error);
    });
  }

  /**
   * What a command must wait for since it names a key on its way: call `hold` with it. `keys` are
   * all that it names.
   */
  batchOf(database: Database, keys: readonly string[]): Batch | undefined {
    const onTheWay = this.#onTheWay.get(database);
    if (onTheWay === undefined) return undefined;
    for (const key of keys) {
      const batch = onTheWay.get(key);
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  /** Blocks the client until it is known where the keys are; then its words are processed anew. */
  hold(batch: Batch, client: Client, argv: readonly Argument[]): void {
    const entry = { client, argv: [...argv] };
    batch.waiting.push(entry);
    client.blocked = {
      reason: "pause",
      cancel: () => {
        const index = batch.waiting.indexOf(entry);
        if (index >= 0) batch.waiting.splice(index, 1);
        client.blocked = undefined;
      },
    };
  }

  /** This node is no primary any more: the keys are another's to give away. */
  abandon(): void {
    this.#term += 1;
    for (const connection of this.#connections) connection.close();
  }

  stop(): void {
    this.#stopped = true;
    this.abandon();
    this.#pool.close();
  }

  /** Returns the text of the error reply, if any. */
  async #run(database: Database, request: MigrationRequest): Promise<string | undefined> {
    const term = this.#term;
    let mayRetry = true;
    let refusal: string | undefined;
    for (let next = 0; next < request.keys.length; ) {
      const part = dumpKeys(database, request.keys, next, thresholdsOf(this.#node.config));
      next = part.next;
      const transfer = new Transfer(part.dumped, request.transfer);
      const batch = new Batch();
      if (!request.copy) this.#lock(database, transfer, batch);
      try {
        let outcome = await this.#attempt(transfer, request);
        if (outcome.mayRetry && mayRetry && term === this.#term) {
          // Kept connections are often closed by the other side; a new one tells.
          mayRetry = false;
          outcome = await this.#attempt(transfer, request);
        }
        if (term !== this.#term || this.#stopped) return failureText("reading");
        if (!request.copy) this.#delete(database, outcome.confirmed);
        refusal ??= outcome.refusal;
        if (outcome.failedIn !== undefined) {
          return refusal === undefined ? failureText(outcome.failedIn) : refusalText(refusal);
        }
      } finally {
        if (!request.copy) this.#unlock(database, transfer, batch);
      }
    }
    return refusal === undefined ? undefined : refusalText(refusal);
  }

  async #attempt(transfer: Transfer, { address }: MigrationRequest): ReturnType<Transfer["run"]> {
    const connection = this.#pool.take(address);
    this.#connections.add(connection);
    try {
      const outcome = await transfer.run(connection, this.#node.ports.clock.now());
      if (outcome.failedIn !== undefined || this.#stopped) connection.close();
      else this.#pool.giveBack(connection);
      return outcome;
    } finally {
      this.#connections.delete(connection);
    }
  }

  #lock(database: Database, { keys }: Transfer, batch: Batch): void {
    let onTheWay = this.#onTheWay.get(database);
    if (onTheWay === undefined) this.#onTheWay.set(database, (onTheWay = new Map()));
    for (const { key } of keys) onTheWay.set(key, batch);
  }

  #unlock(database: Database, { keys }: Transfer, batch: Batch): void {
    const onTheWay = this.#onTheWay.get(database);
    for (const { key } of keys) onTheWay?.delete(key);
    if (onTheWay?.size === 0) this.#onTheWay.delete(database);
    if (batch.waiting.length === 0) return;
    // Not at once: this may be called by a command, whose reply is being written.
    this.#node.ports.clock.defer(() => {
      for (const { client, argv } of batch.waiting.splice(0)) {
        client.blocked = undefined;
        client.link.runDeferred?.(argv);
      }
    });
  }

  /** The keys are at the target: here they go, and the log says so. */
  #delete(database: Database, keys: readonly string[]): void {
    if (keys.length === 0) return;
    const node = this.#node;
    node.dispatcher.startBatch();
    for (const key of keys) {
      database.delete(key);
      database.signalModified(key);
      node.notifyKeyspaceEvent("g", "del", key, database.index);
    }
    node.stats.dirty += keys.length;
    node.propagate(database.index, ["DEL", ...keys]);
    node.scheduleTurn();
  }
}

function failureText(step: "connecting" | "writing" | "reading"): string {
  if (step === "connecting") return "IOERR error or timeout connecting to the client";
  return `IOERR error or timeout ${step} to target instance`;
}

function refusalText(error: string): string {
  return `ERR Target instance replied with error: ${error}`;
}
