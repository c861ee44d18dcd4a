/**
 * Binds the core to sockets, timers and disk, and hands its effects to the node. Owns the order of
 * effects (a `persist` that peers rely on is durable before the next effect runs) and re-entry: an
 * input that arrives while effects run waits until they are done. Decides nothing.
 */

import { ClusterCore } from "../core/cluster.js";
import type { BusConfig } from "../core/config.js";
import { listenBusPort } from "../core/config.js";
import type { BusEffect, LinkId, LocalRole } from "../core/effects.js";
import type { BusCommand, BusHost, BusInput, BusRandom, CommandReply } from "../core/inputs.js";
import type { LinkView } from "../core/views.js";
import type { Millis } from "../message.js";
import { AllowList } from "./allow-list.js";
import { ConfFile } from "./conf-file.js";
import { Links } from "./links.js";
import type {
  BusClock,
  BusDisk,
  BusListener,
  BusLog,
  BusNet,
  BusSocket,
  BusTimer,
} from "./ports.js";

const tickMs = 100;

/** What the bus asks of the node it belongs to. Called in order, never re-entrantly. */
export interface BusNode extends BusHost {
  onSlotsChanged(slots: readonly number[]): void;
  onDeleteSlotKeys(slots: readonly number[]): void;
  onRoleChanged(role: LocalRole): void;
  onStateChanged(ok: boolean): void;
  /** Until when writes may be taken without asking `core.mayWrite`, by the monotonic clock. */
  onLeaseChanged(until: Millis): void;
  onPublish(message: {
    readonly sharded: boolean;
    readonly channel: Uint8Array;
    readonly payload: Uint8Array;
  }): void;
  onPauseWrites(until: Millis): void;
  onUnpauseWrites(): void;
  onFlushData(): void;
  /** `nodes.conf` could not be made durable although peers must rely on it: the node must stop. */
  onFatal(error: unknown): void;
}

export interface BusDriverOptions {
  readonly config: BusConfig;
  readonly node: BusNode;
  readonly clock: BusClock;
  readonly random: BusRandom;
  readonly disk: BusDisk;
  readonly net: BusNet;
  readonly log: BusLog;
  /** Where `nodes.conf` lies. */
  readonly directory: string;
  readonly confName: string;
  /** Its content; undefined if there is none. The node reads it under its directory lock. */
  readonly confText: string | undefined;
  /** Addresses to listen on. */
  readonly hosts: readonly string[];
  readonly myId?: string;
}

/** A link as CLUSTER LINKS shows it. */
export interface LinkReport extends LinkView {
  readonly events: string;
  readonly sendBufferAllocated: number;
  readonly sendBufferUsed: number;
}

export class BusDriver {
  readonly core: ClusterCore;
  readonly #options: BusDriverOptions;
  readonly #links: Links;
  readonly #conf: ConfFile;
  readonly #listeners: BusListener[] = [];
  readonly #allowList = new AllowList();
  readonly #pending: (readonly BusEffect[])[] = [];
  readonly #wallStart: number;
  readonly #monotonicStart: number;
  #applying = false;
  #ticker: BusTimer | undefined;
  #stopped = false;
  /** The configuration could not be made durable: nothing leaves this node any more. */
  #failed = false;

  constructor(options: BusDriverOptions) {
    this.#options = options;
    this.#wallStart = options.clock.now();
    this.#monotonicStart = options.clock.monotonic();
    this.core = new ClusterCore({
      config: options.config,
      host: options.node,
      random: options.random,
      now: this.now(),
      nodesConf: options.confText,
      myId: options.myId,
    });
    this.#conf = new ConfFile({
      disk: options.disk,
      clock: options.clock,
      directory: options.directory,
      name: options.confName,
      content: () => this.core.nodesConf(),
      onError: (error) =>
        options.log.warning(`Could not write ${options.confName}: ${String(error)}`),
    });
    this.#links = new Links({
      net: options.net,
      log: options.log,
      events: {
        nextLinkId: () => this.core.nextLinkId(),
        linkIsKnown: (link) => this.core.linkIsKnown(link),
        onAccepted: (link, socket) => {
          const { localAddress, remoteAddress } = socket;
          this.#step({
            kind: "link-accepted",
            now: this.now(),
            link,
            localAddress: plainAddress(localAddress),
            remoteAddress: plainAddress(remoteAddress),
          });
        },
        onConnected: (link, socket) => {
          const { localAddress, remoteAddress } = socket;
          this.#step({
            kind: "link-connected",
            now: this.now(),
            link,
            localAddress: plainAddress(localAddress),
            remoteAddress: plainAddress(remoteAddress),
          });
        },
        onClosed: (link) => this.#step({ kind: "link-closed", now: this.now(), link }),
        onMessage: (link, message) =>
          this.#step({ kind: "message", now: this.now(), link, message }),
      },
    });
  }

  /**
   * Unix milliseconds that never step: the wall clock at start plus what the monotonic clock
   * counted since. A wall clock that jumps would otherwise make every node look dead.
   */
  now(): Millis {
    const elapsed = this.#options.clock.monotonic() - this.#monotonicStart;
    return Math.floor(this.#wallStart + elapsed);
  }

  /** The same moment by the monotonic clock. */
  monotonic(at: Millis): Millis {
    return at - this.#wallStart + this.#monotonicStart;
  }

  /** Listens and starts to tick. Call after the data set was loaded. */
  async start(): Promise<void> {
    const { net, hosts, config, clock } = this.#options;
    this.#apply(this.core.start(this.now()));
    for (const host of hosts) {
      const port = listenBusPort(config);
      try {
        this.#listeners.push(await net.listen({ host, port }, (socket) => this.#accept(socket)));
      } catch (error) {
        throw listenError(error as NodeJS.ErrnoException, `${host}:${port}`);
      }
    }
    this.#ticker = clock.every(tickMs, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ticker?.cancel();
    this.#links.closeAll();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#conf.close();
  }

  /** Runs an operator's command; its effects, disk included, are done when it returns. */
  run(command: BusCommand): CommandReply {
    const { reply, effects } = this.core.run(command, this.now());
    this.#apply(effects);
    return reply;
  }

  publish(message: {
    readonly sharded: boolean;
    readonly channel: Uint8Array;
    readonly payload: Uint8Array;
  }): void {
    this.#step({ kind: "publish", now: this.now(), ...message });
  }

  /** The configuration, the replication offset or the replication link changed. */
  hostChanged(): void {
    this.#step({ kind: "host-changed", now: this.now() });
  }

  linkReports(): readonly LinkReport[] {
    return this.core.linksView().map((view) => {
      const buffered = this.#links.bufferedBytes(view.link);
      return {
        ...view,
        events: view.connected ? (buffered > 0 ? "rw" : "r") : "",
        sendBufferAllocated: buffered,
        sendBufferUsed: buffered,
      };
    });
  }

  /** Bytes that links hold, known and unknown ones. */
  get linkBytes(): number {
    return this.#links.heldBytes;
  }

  /**
   * Closes links with a node, as a reset connection would: for tests and diagnosis. False if there
   * is no such node.
   */
  killLinks(node: string, direction: LinkReport["direction"] | "all"): boolean {
    if (!this.core.knows(node)) return false;
    for (const view of this.core.linksView()) {
      if (view.node !== node || (direction !== "all" && view.direction !== direction)) continue;
      this.#links.disconnect(view.link);
      this.#step({ kind: "link-closed", now: this.now(), link: view.link });
    }
    return true;
  }

  /** Loses all packets of a type that arrive from now on, for tests; undefined: none. */
  dropArriving(typeNumber: number | undefined): void {
    this.#links.droppedType = typeNumber;
  }

  #accept(socket: BusSocket): void {
    const address = plainAddress(socket.remoteAddress);
    if (this.#allowList.allows(address, this.#options.config.allowFrom)) {
      this.#links.accept(socket);
      return;
    }
    this.#options.log.warning(
      `Refused cluster node connection from ${address}:${socket.remotePort}: ` +
        "it is not in cluster-bus-allow. Add the address or its range if it is a node of ours.",
    );
    socket.destroy();
  }

  #tick(): void {
    const limit = this.#options.config.linkSendBufferBytesMax;
    if (limit > 0) for (const link of this.#links.overLimit(limit)) this.#dropOverLimit(link);
    this.#step({ kind: "tick", now: this.now() });
  }

  #dropOverLimit(link: LinkId): void {
    const view = this.core.linksView().find((candidate) => candidate.link === link);
    this.#options.log.warning(
      `Freeing cluster link(${view?.direction ?? "from"} node ${view?.node ?? ""}, ` +
        `used memory: ${this.#links.bufferedBytes(link)}) due to exceeding send buffer memory limit.`,
    );
    this.core.countLinkOverLimit();
    this.#links.disconnect(link);
    this.#step({ kind: "link-closed", now: this.now(), link });
  }

  #step(input: BusInput): void {
    if (!this.#stopped) this.#apply(this.core.step(input));
  }

  #apply(effects: readonly BusEffect[]): void {
    if (effects.length === 0) return;
    this.#pending.push(effects);
    if (this.#applying) return;
    this.#applying = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        for (const effect of next) {
          if (this.#failed) return;
          this.#perform(effect);
        }
      }
    } finally {
      this.#applying = false;
    }
  }

  #perform(effect: BusEffect): void {
    const { node, log } = this.#options;
    switch (effect.kind) {
      case "persist":
        if (effect.fsync) this.#persistNow();
        else this.#conf.saveSoon();
        break;
      case "send":
        this.#links.send(effect.links, effect.message);
        break;
      case "connect":
        this.#links.dial(effect.link, effect.host, effect.port);
        break;
      case "disconnect":
        this.#links.disconnect(effect.link);
        break;
      case "slots-changed":
        node.onSlotsChanged(effect.slots);
        break;
      case "delete-slot-keys":
        node.onDeleteSlotKeys(effect.slots);
        break;
      case "role-changed":
        node.onRoleChanged(effect.role);
        break;
      case "state-changed":
        node.onStateChanged(effect.ok);
        break;
      case "lease-changed":
        node.onLeaseChanged(this.monotonic(effect.until));
        break;
      case "publish":
        node.onPublish(effect);
        break;
      case "pause-writes":
        node.onPauseWrites(effect.until);
        break;
      case "unpause-writes":
        node.onUnpauseWrites();
        break;
      case "flush-data":
        node.onFlushData();
        break;
      case "log":
        log[effect.level](effect.text);
        break;
    }
  }

  #persistNow(): void {
    try {
      this.#conf.saveNow();
    } catch (error) {
      // Going on would break a promise to the other nodes: a vote could be given twice.
      this.#stopped = true;
      this.#failed = true;
      this.#options.log.warning(`Fatal: can't update cluster config file: ${String(error)}`);
      this.#options.node.onFatal(error);
    }
  }
}

/** Sockets that listen on `::` show IPv4 peers as `::ffff:1.2.3.4`; nodes know them without. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** The bus takes a port that nobody wrote down: whoever holds it has to learn what it is for. */
function listenError({ code = "LISTEN", message }: NodeJS.ErrnoException, where: string): Error {
  const reason = code === "EADDRINUSE" ? "Address already in use" : message;
  const hint = "it is port + 10000 unless cluster-port says otherwise";
  return Object.assign(
    new Error(`cannot listen on the cluster bus port ${where}: ${reason} (${hint})`),
    { code },
  );
}
