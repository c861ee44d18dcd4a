/**
 * The addresses a node listens on, and who is let in: `bind`, `unixsocket`, `maxclients`,
 * `protected-mode`. It accepts, refuses with Redis' words, or hands the socket on.
 */
import { AddressMap } from "../cluster/address-map.js";
import { pathIn } from "../config/byte-string.js";
import type { NodeConfig } from "../config/config.js";
import type { Listener, Net, Log, Socket } from "../ports.js";
import { isUnixSocket } from "./addresses.js";

const protectedModeText =
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password " +
  "is set for the default user. In this mode connections are only accepted from the loopback " +
  "interface. If you want to connect from external computers to Redis you may adopt one of the " +
  "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET " +
  "protected-mode no' from the loopback interface by connecting to Redis from the same host the " +
  "server is running, however MAKE SURE Redis is not publicly accessible from internet if you do " +
  "so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable " +
  "the protected mode by editing the Redis configuration file, and setting the protected mode " +
  "option to 'no', and then restarting the server. 3) If you started the server manually just for " +
  "testing, restart it with the '--protected-mode no' option. 4) Set up an authentication " +
  "password for the default user. NOTE: You only need to do one of the above things in order for " +
  "the server to start accepting connections from the outside.\r\n";

const tooManyText = "-ERR max number of clients reached\r\n";

/** A port or address that cannot be had; `message` is what the command line prints. */
export class ListenError extends Error {
  readonly code = "LISTEN";
}

/** Addresses that may be missing on this machine without failing the start (`-::1`). */
const unavailable: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EPROTONOSUPPORT",
  "EINVAL",
]);

export interface ListenersHost {
  readonly net: Net;
  readonly log: Log;
  readonly config: NodeConfig;
  clientCount(): number;
  /** The default user needs no password. */
  defaultUserIsOpen(): boolean;
  onRejected(): void;
  accept(socket: Socket): void;
}

export class Listeners {
  readonly #host: ListenersHost;
  #open: Listener[] = [];
  /** Stays where it is while the addresses change. */
  #unix: Listener | undefined;

  constructor(host: ListenersHost) {
    this.#host = host;
  }

  /** The port in use, also when 0 was asked for; 0 if there is none. */
  get port(): number {
    return this.#open[0]?.port ?? 0;
  }

  /**
   * Listens on every address of `bind`, at `port` and at those that `client-address-map` adds;
   * throws a `ListenError` if a needed one cannot be had.
   */
  async listen(): Promise<void> {
    const { config } = this.#host;
    await this.#listenAt(config.port);
    for (const port of new AddressMap(config.clientAddressMap).ports) {
      if (port !== this.port) await this.#listenAt(port);
    }
  }

  async #listenAt(wanted: number): Promise<void> {
    const { config, net, log } = this.#host;
    let port = wanted;
    for (const entry of config.bind.length === 0 ? ["*", "-::*"] : config.bind) {
      const optional = entry.startsWith("-");
      const address = optional ? entry.slice(1) : entry;
      const host = address === "*" ? "0.0.0.0" : address === "::*" ? "::" : address;
      try {
        const listener = await net.listen({ host, port, backlog: config.tcpBacklog }, (socket) => {
          this.#admit(socket);
        });
        this.#open.push(listener);
        // Every address of a node has the same port, also where the first one chose it.
        port = listener.port;
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        if (optional && unavailable.has(code)) continue;
        const reason = code === "EADDRINUSE" ? "Address already in use" : message;
        log.warning(
          `Warning: Could not create server TCP listening socket ${host}:${port}: ${reason}`,
        );
        log.warning(`Failed listening on port ${port} (tcp), aborting.`);
        await this.#closeAddresses();
        throw new ListenError(`cannot listen on ${host}:${port}: ${reason}`);
      }
    }
  }

  /** The socket of `unixsocket`, if there is to be one. */
  async listenUnix(): Promise<void> {
    const { config, net, log } = this.#host;
    if (config.unixsocket === "") return;
    const path = pathIn(config.dir, config.unixsocket);
    const options = { path, mode: config.unixsocketperm, backlog: config.tcpBacklog };
    try {
      this.#unix = await net.listenUnix(options, (socket) => {
        this.#admit(socket);
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // The system's limit for such paths is 107 bytes on Linux, and the error does not say so.
      const hint = code === "EINVAL" ? " (is the path too long for a socket?)" : "";
      log.warning(`Failed opening Unix socket: bind: ${message}`);
      await this.close();
      throw new ListenError(`cannot listen on the unix socket ${path}: ${message}${hint}`);
    }
  }

  /** As Redis says it; many a script waits for these lines. */
  announce(): void {
    const { log } = this.#host;
    if (this.#open.length > 0) log.notice("Ready to accept connections tcp");
    if (this.#unix !== undefined) log.notice("Ready to accept connections unix");
  }

  /**
   * Listens where the configuration says now. If that fails, `restore` puts the configuration back
   * and the old addresses are taken again; false then. Open connections live on.
   */
  async rebind(restore: () => void): Promise<boolean> {
    // The new addresses may overlap with the old ones, so these must go first.
    await this.#closeAddresses();
    try {
      await this.listen();
      return true;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      restore();
      await this.listen();
      return false;
    }
  }

  async close(): Promise<void> {
    const unix = this.#unix;
    this.#unix = undefined;
    await Promise.all([this.#closeAddresses(), unix?.close()]);
  }

  async #closeAddresses(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open.map((listener) => listener.close()));
  }

  #admit(socket: Socket): void {
    const host = this.#host;
    const { config } = host;
    if (host.clientCount() >= config.maxclients) {
      this.#refuse(socket, tooManyText);
    } else if (
      config.protectedMode &&
      host.defaultUserIsOpen() &&
      !isLoopback(socket.remoteAddress)
    ) {
      this.#refuse(socket, protectedModeText);
    } else host.accept(socket);
  }

  #refuse(socket: Socket, text: string): void {
    this.#host.onRejected();
    socket.setHandlers({ onData: ignore, onClose: ignore });
    socket.write(Buffer.from(text, "latin1"));
    socket.end();
  }
}

function ignore(): void {}

function isLoopback(address: string): boolean {
  return address === "" || isUnixSocket(address) || address === "::1" || address.startsWith("127.");
}
