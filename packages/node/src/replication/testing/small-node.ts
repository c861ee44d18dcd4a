/**
 * The smallest node that replication can serve: strings in numbered databases, SET and DEL, a turn.
 * It stands in for the real one in the tests of replication.
 */

import { type Argument, CommandDecoder, encodeCommand } from "@slotlog/resp";
import type { Log, SocketHandlers } from "../../ports.js";
import { RdbEncoder, type RdbEvent } from "../../rdb/index.js";
import type { SimClock } from "../../testing/sim-clock.js";
import { SimDisk } from "../../testing/sim-disk.js";
import { ReplicaPeer } from "../replica-peer.js";
import { Replication } from "../replication.js";
import type { ReplicationHost, ReplicationSettings } from "../settings.js";
import type { SimNet } from "./sim-net.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Databases = Map<number, Map<string, string>>;

export class SmallNode {
  readonly replication: Replication;
  readonly port: number;
  readonly settings: Mutable<ReplicationSettings>;
  databases: Databases = new Map();
  readonly messages: string[] = [];
  readonly disk = new SimDisk();
  commits = 0;
  aborts = 0;
  /** Chunks of this size make a snapshot take many steps. */
  snapshotChunkBytes = 100;
  /** Rest before each chunk. */
  snapshotPauseMs = 0;
  #loading: Databases | undefined;
  #batch: Buffer[] = [];
  #streamDatabase = -1;
  #scheduled = false;
  readonly #clock: SimClock;

  constructor(options: { clock: SimClock; net: SimNet; port: number }) {
    const { clock, net, port } = options;
    this.port = port;
    this.disk.makeDirectorySync("/data");
    this.#clock = clock;
    this.settings = {
      backlogBytes: 1024 * 1024,
      backlogTtlSeconds: 3600,
      keepsBacklog: false,
      wantsDurable: false,
      pingPeriodSeconds: 10,
      timeoutSeconds: 60,
      diskless: true,
      fullSyncDelaySeconds: 0,
      outputHardBytes: 0,
      outputSoftBytes: 0,
      outputSoftSeconds: 0,
      announcedPort: port,
      announcedAddress: undefined,
      primaryUser: undefined,
      primaryPassword: undefined,
    };
    const note = (message: string): void => void this.messages.push(message);
    const log: Log = { debug: note, verbose: note, notice: note, warning: note };
    let uid = port;
    const bytes = (length: number): Uint8Array => {
      uid++;
      return Buffer.alloc(length, `${uid}`);
    };
    const random = { uint32: () => 4, bytes };
    this.replication = new Replication({ host: this.#host(), clock, net, log, random });
    void net.listen({ host: "127.0.0.1", port }, (socket) => {
      const client = new SmallClient(this, socket);
      socket.setHandlers(client);
    });
    this.replication.start();
  }

  get offset(): number {
    return this.replication.history.offset;
  }

  write(database: number, ...argv: string[]): void {
    this.execute(this.databases, database, argv);
    if (this.#streamDatabase !== database) {
      this.#streamDatabase = database;
      this.#batch.push(encodeCommand(["SELECT", String(database)]));
    }
    this.#batch.push(encodeCommand(argv));
    this.#schedule();
  }

  follow(primary: SmallNode): void {
    this.replication.follow({ host: "127.0.0.1", port: primary.port });
  }

  get(database: number, key: string): string | undefined {
    return this.databases.get(database)?.get(key);
  }

  execute(databases: Databases, database: number, argv: readonly Argument[]): void {
    const [name, key, value] = argv.map(String);
    let keys = databases.get(database);
    if (keys === undefined) {
      keys = new Map();
      databases.set(database, keys);
    }
    if (name === "SET") keys.set(key ?? "", value ?? "");
    if (name === "DEL") keys.delete(key ?? "");
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      for (const record of this.#batch) this.replication.append(record);
      this.#batch = [];
      this.replication.endTurn();
    });
  }

  #host(): ReplicationHost {
    return {
      keepAside: () => Promise.resolve(),
      spool: () => ({ disk: this.disk, path: "/data/temp-sync.rdb" }),
      settings: this.settings,
      snapshots: { busy: false, begin: () => this.#chunks(this.#snapshot()) },
      load: {
        begin: () => {
          this.#loading = new Map();
        },
        apply: (event) => this.#load(event),
        commit: () => {
          this.databases = this.#loading ?? new Map();
          this.commits++;
        },
        abort: () => {
          this.#loading = undefined;
          this.aborts++;
        },
      },
      stream: { apply: (database, argv) => this.execute(this.databases, database, argv) },
      scheduleTurn: () => this.#schedule(),
      forgetStreamDatabase: () => {
        this.#streamDatabase = -1;
      },
      onReplicasChanged: () => {},
      onRoleChanged: () => {},
      onPrimaryLinkChanged: () => {},
      onHistoryChanged: () => {},
      durableOffset: () => undefined,
    };
  }

  #load(event: RdbEvent): void {
    if (event.kind !== "key" || event.value.type !== "string") return;
    const argv = ["SET", String(event.key), String(event.value.value)];
    this.execute(this.#loading ?? new Map(), event.db, argv);
  }

  async *#chunks(bytes: Buffer): AsyncIterable<Buffer> {
    const { snapshotChunkBytes: size, snapshotPauseMs: pauseMs } = this;
    for (let at = 0; at < bytes.length; at += size) {
      if (pauseMs === 0) await Promise.resolve();
      else await new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve));
      yield bytes.subarray(at, at + size);
    }
  }

  #snapshot(): Buffer {
    // Uncompressed, so that a test can tell how long a transfer takes.
    const encoder = new RdbEncoder({ compress: false });
    encoder.header({ redisVersion: "7.0.0", createdAt: 0, usedMemoryBytes: 0, isAofBase: false });
    for (const [database, keys] of this.databases) {
      if (keys.size === 0) continue;
      encoder.selectDb(database);
      for (const [key, value] of keys) encoder.stringKey({ key }, value);
    }
    encoder.end();
    return Buffer.concat(encoder.takeChunks());
  }
}

/** A connection to the node until it becomes a replica. */
class SmallClient implements SocketHandlers {
  readonly #node: SmallNode;
  readonly #socket: Parameters<Parameters<SimNet["listen"]>[1]>[0];
  readonly #decoder = new CommandDecoder();
  readonly #peer = new ReplicaPeer();
  #taken: SocketHandlers | undefined;

  constructor(node: SmallNode, socket: Parameters<Parameters<SimNet["listen"]>[1]>[0]) {
    this.#node = node;
    this.#socket = socket;
  }

  onData(chunk: Buffer): void {
    if (this.#taken !== undefined) {
      this.#taken.onData(chunk);
      return;
    }
    this.#decoder.push(chunk);
    while (this.#taken === undefined && this.#decoder.next()) {
      const reply = this.#command([...this.#decoder.argv]);
      if (reply !== "") this.#socket.write(Buffer.from(`${reply}\r\n`));
    }
  }

  #command(argv: readonly Argument[]): string {
    const { replication } = this.#node;
    switch (String(argv[0])) {
      case "PING":
        return "+PONG";
      case "REPLCONF": {
        const answer = replication.replconf(this.#peer, argv);
        if (answer.kind === "none") return "";
        return answer.kind === "ok" ? "+OK" : `-${answer.text}`;
      }
      default: {
        const error = replication.sync({
          argv,
          peer: this.#peer,
          hasPendingOutput: false,
          takeOver: (handlers) => {
            this.#taken = handlers;
            return { socket: this.#socket, rest: this.#decoder.takeRest() };
          },
        });
        return error === undefined ? "" : `-${error}`;
      }
    }
  }

  onDrain(): void {
    this.#taken?.onDrain?.();
  }

  onClose(error: Error | undefined): void {
    this.#taken?.onClose(error);
  }
}
