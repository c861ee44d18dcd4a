// A client of one node, for forming and watching the cluster: one command, one reply, no retries
// behind our back. A node that is not there yet is the caller's to wait for.

import { Redis } from "ioredis";
import { CliError, reasonOf } from "../errors.js";

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
}

export class NodeClient {
  readonly address: NodeAddress;
  readonly #redis: Redis;

  private constructor(address: NodeAddress, redis: Redis) {
    this.address = address;
    this.#redis = redis;
  }

  /** Rejects at once if nobody listens. */
  static async connect(address: NodeAddress): Promise<NodeClient> {
    const { host, port, password } = address;
    const redis = new Redis({
      host,
      port,
      ...(password === undefined ? {} : { password }),
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      connectTimeout: 2_000,
    });
    // A refused connection or password comes as an event, and connect() then only says "closed".
    let cause: unknown;
    redis.on("error", (error) => {
      cause = error;
    });
    try {
      await redis.connect();
    } catch (error) {
      redis.disconnect();
      throw cause ?? error;
    }
    return new NodeClient(address, redis);
  }

  async call(command: string, ...args: readonly string[]): Promise<string> {
    try {
      return String(await this.#redis.call(command, ...args));
    } catch (error) {
      const said = `${command} ${args.join(" ")}`.trim();
      throw new CliError(`node ${this.address.port} to ${said}: ${reasonOf(error)}`);
    }
  }

  /** As `call`, where words or replies are any bytes, or not a single text. */
  async callBuffer(command: string, ...args: readonly (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.#redis.callBuffer(command, ...args);
    } catch (error) {
      const [first = ""] = args;
      const said = `${command} ${String(first)}`.trim();
      throw new CliError(`node ${this.address.port} to ${said}: ${reasonOf(error)}`);
    }
  }

  close(): void {
    this.#redis.disconnect();
  }
}
