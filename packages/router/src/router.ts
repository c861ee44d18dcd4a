/**
 * The router: accepts clients and puts its parts together. What a command does is in `dispatch.ts`
 * and its specialists, what a reply does in `delivery.ts`, who serves what in `topology.ts`.
 */
import { NameCache, type ProtocolError } from "@slotlog/resp";
import { AddressRules } from "./address-rules.js";
import { BufferPool } from "./client-output.js";
import { Catalog, type CommandSource } from "./catalog.js";
import { ClusterMode } from "./cluster-mode.js";
import { ClusterView, type ReadFrom } from "./cluster.js";
import { Dedicated, tooMany } from "./dedicated.js";
import { Delivery } from "./delivery.js";
import { Dispatcher, type Specialists } from "./dispatch.js";
import { type Credentials, Identities } from "./identity.js";
import { withLearned } from "./learned-commands.js";
import { defaultLimits, identitiesMax, type RouterLimits, sweepIntervalMs } from "./limits.js";
import { Link } from "./link.js";
import { LocalCommands } from "./local.js";
import type { Listener, RouterPorts, Socket, Timer } from "./ports.js";
import { errorReply, Renderer } from "./render.js";
import { type Request, RequestPool } from "./request.js";
import { RouterCommands } from "./router-commands.js";
import { Scatter } from "./scatter.js";
import { Session } from "./session.js";
import { Statistics } from "./statistics.js";
import { Subscribers } from "./subscriptions.js";
import { type Address, Topology } from "./topology.js";
import { Transactions } from "./transaction.js";
import type { UpstreamNode } from "./upstream.js";

export interface RouterOptions {
  readonly ports: RouterPorts;
  readonly commands: CommandSource;
  /** Nodes of the cluster to begin with; one that answers is enough. */
  readonly seeds: readonly Address[];
  /** The router's own, for what it asks the cluster; clients say who they are themselves. */
  readonly credentials?: Credentials;
  readonly readFrom?: ReadFrom;
  /** A client that wrote to a slot reads there from the primary. */
  readonly readOwnWrites?: boolean;
  /** Shared connections to each node, per user and protocol. */
  readonly connections?: number;
  /** Speaks as a node of the cluster, which tells each client the addresses by these rules. */
  readonly clusterMode?: readonly string[];
  /** Logs each command that cannot work in a cluster. */
  readonly explain?: boolean;
  readonly limits?: Partial<RouterLimits>;
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly version: string;
}

export class Router {
  readonly options: RouterOptions;
  readonly limits: RouterLimits;
  readonly catalog: Catalog;
  readonly cluster: ClusterView;
  readonly topology: Topology;
  readonly statistics = new Statistics();
  readonly sessions = new Map<number, Session>();
  readonly delivery: Delivery;
  readonly dispatcher: Dispatcher;
  readonly dedicated: Dedicated;
  readonly commands: RouterCommands;
  readonly identities: Identities;
  readonly startedAt: number;
  readonly #pool = new RequestPool();
  readonly #buffers = new BufferPool();
  readonly #names: NameCache;
  readonly #renderer = new Renderer();
  readonly #clusterMode: ClusterMode | undefined;
  readonly #listeners: Listener[] = [];
  readonly #reliefBytes: number;
  #sweeper: Timer | undefined;
  #onSlotsChanged: (() => void) | undefined;
  #nextClient = 1;
  #isDraining = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: RouterOptions) {
    const { clock, log, net } = options.ports;
    this.options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.#reliefBytes = this.limits.upstreamBytesMax >> 1;
    this.startedAt = clock.now();
    this.catalog = new Catalog(withLearned(options.commands));
    this.#names = new NameCache(this.catalog.spellings());
    this.cluster = new ClusterView(options.connections ?? 1);
    const fromReplicas = (options.readFrom ?? "primary") !== "primary";
    this.identities = new Identities({ fromReplicas, max: identitiesMax });
    this.identities.onForget = (index) => {
      for (const node of this.cluster.nodes) node.close("its user left", index);
    };
    this.topology = this.#makeTopology();
    this.delivery = new Delivery({
      clock,
      net,
      log,
      cluster: this.cluster,
      pool: this.#pool,
      statistics: this.statistics,
      timeoutMs: this.limits.timeoutMs,
      clientOutputBytesMax: this.limits.clientOutputBytesMax,
      refreshSoon: () => this.topology.refreshSoon(),
      linkTo: (node, session) => this.#linkTo(node, session),
      anyNode: (session) => this.dispatcher.anyNode(session),
    });
    this.#clusterMode = this.#makeClusterMode();
    this.commands = new RouterCommands(this);
    this.dispatcher = this.#makeDispatcher();
    this.dedicated = new Dedicated({
      router: this,
      pool: this.#pool,
      max: this.limits.dedicatedMax,
    });
  }

  /** Asks the cluster and begins to listen. Rejects if the port cannot be had. */
  async start(listen: { readonly host: string; readonly port: number }): Promise<Listener> {
    const { clock, net } = this.options.ports;
    await this.topology.start();
    let listener: Listener;
    try {
      listener = await net.listen(listen, (socket) => this.#accept(socket));
    } catch (error) {
      this.topology.close();
      throw error;
    }
    this.#listeners.push(listener);
    this.#sweeper = clock.every(sweepIntervalMs, () => this.#sweep());
    return listener;
  }

  /**
   * Takes no more clients, answers what is under way, at most for `graceMs`, and ends. Resolves
   * with the number of clients that had to be cut off.
   */
  async stop(graceMs: number): Promise<number> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
    this.#isDraining = true;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const session of this.sessions.values()) session.end();
    if (this.sessions.size === 0) this.#onEmpty?.();
    const timer = this.options.ports.clock.after(graceMs, () => this.#onEmpty?.());
    await empty;
    timer.cancel();
    const left = this.sessions.size;
    for (const session of this.sessions.values()) session.socket.destroy();
    this.#sweeper?.cancel();
    this.topology.close();
    this.dedicated.close();
    for (const node of this.cluster.everyNode()) node.close("the router stops");
    return left;
  }

  /** Asks some node on a client's behalf. `alone`: on a connection that ends with the reply. */
  ask(
    session: Session,
    words: readonly string[],
    alone: boolean,
    then: (reply: Buffer) => void,
    target?: UpstreamNode,
  ): void {
    const node = target ?? this.dispatcher.anyNode(session);
    const nobody = this.identities.get(session.protocol, undefined);
    if (node === undefined || nobody === undefined) {
      then(
        errorReply(`CLUSTERDOWN slotlog router: ${this.topology.trouble ?? "no node is known"}`),
      );
      return;
    }
    const first = this.identities.get(2, undefined) ?? nobody;
    const link = alone
      ? new Link(this.delivery, node, first, this.#reliefBytes)
      : this.#linkTo(node, session);
    const request = this.#pool.take();
    request.startedAt = this.delivery.now;
    request.owner = {
      takesRedirects: true,
      onReply: (_, reply) => {
        if (alone) link.close("it was for one question", true);
        then(reply);
      },
    };
    link.sendCommand(request, words);
  }

  /** As `ask`, on a connection that nobody else's commands wait on. */
  askOnce(
    session: Session,
    words: readonly string[],
    node: UpstreamNode,
    then: (reply: Buffer) => void,
  ): void {
    const link = this.dedicated.acquire(node, session.identity);
    if (link === undefined) {
      then(errorReply(tooMany(this.limits.dedicatedMax)));
      return;
    }
    this.dedicated.send(link, words, (reply) => {
      // What it has changed of the connection's state, if anything, ends with it.
      this.dedicated.drop(link, "it was for one command");
      then(reply);
    });
  }

  takeRequest(): Request {
    return this.#pool.take();
  }

  /** A slot is elsewhere, as a node says on somebody's own connection. */
  moved(
    verdict: { readonly slot: number; readonly host: string; readonly port: number },
    from: UpstreamNode | undefined,
  ): void {
    const host = verdict.host === "" ? from?.host : verdict.host;
    if (host !== undefined) this.cluster.move(verdict.slot, this.cluster.node(host, verdict.port));
    this.topology.refreshSoon();
  }

  #linkTo(node: UpstreamNode, session: Session): Link {
    return node.link(this.delivery, session.identity, session.id, this.#reliefBytes);
  }

  #makeTopology(): Topology {
    const { credentials, ports, seeds } = this.options;
    return new Topology({
      seeds,
      credentials,
      clock: ports.clock,
      log: ports.log,
      cluster: this.cluster,
      onCommands: (commands) => {
        const learned = this.catalog.learn(commands);
        if (learned > 0) ports.log.notice(`learned ${learned} commands from the cluster`);
      },
      onRefreshed: (changed) => {
        this.statistics.refreshes++;
        if (changed) ports.log.notice("the cluster's slots are known", this.#slotFields());
        if (changed) this.#onSlotsChanged?.();
        if (this.options.readFrom === "nearest") this.#measure();
      },
    });
  }

  #makeClusterMode(): ClusterMode | undefined {
    const rules = this.options.clusterMode;
    if (rules === undefined) return undefined;
    return new ClusterMode({
      rules: new AddressRules(rules),
      cluster: this.cluster,
      renderer: this.#renderer,
      ask: (session, words, then) => this.ask(session, words, false, then),
    });
  }

  #slotFields(): Record<string, unknown> {
    return {
      primaries: this.cluster.shards.map(({ primary }) => primary.address).join(","),
      unserved: this.cluster.missingSlots,
    };
  }

  /** How far away each node is: one PING on the connection that reads use. */
  #measure(): void {
    const identity = this.identities.get(2, undefined);
    if (identity === undefined) return;
    const { clock } = this.options.ports;
    for (const node of this.cluster.nodes) {
      const link = node.link(this.delivery, identity, 0, this.#reliefBytes);
      const begin = clock.monotonic();
      const request = this.#pool.take();
      request.startedAt = begin;
      request.owner = {
        takesRedirects: true,
        onReply: (_, reply) => {
          const failed = reply[0] === 0x2d && !reply.toString("latin1").startsWith("-NOAUTH");
          const taken = clock.monotonic() - begin;
          const before = node.roundTripMs;
          node.roundTripMs = failed
            ? Number.POSITIVE_INFINITY
            : Number.isFinite(before)
              ? before * 0.7 + taken * 0.3
              : taken;
        },
      };
      link.sendCommand(request, ["PING"]);
    }
  }

  #makeDispatcher(): Dispatcher {
    const { options } = this;
    const { commands } = this;
    const scatter = (): Scatter => made.scatter;
    const dispatcher = new Dispatcher(
      {
        catalog: this.catalog,
        cluster: this.cluster,
        delivery: this.delivery,
        pool: this.#pool,
        readFrom: options.readFrom ?? "primary",
        readOwnWrites: options.readOwnWrites ?? false,
        upstreamBytesMax: this.limits.upstreamBytesMax,
        linkTo: (node, session) => this.#linkTo(node, session),
        trouble: () => {
          const { trouble } = this.topology;
          return trouble === undefined ? undefined : `CLUSTERDOWN slotlog router: ${trouble}`;
        },
      },
      {
        split: (session, command, argv) => scatter().split(session, command, argv),
        fanOut: (session, command, argv) => scatter().fanOut(session, command, argv),
        block: (session, command, argv) => this.dedicated.block(session, command, argv),
        subscribe: (session, command, argv) => made.subscribers.begin(session, command, argv),
        transact: (session, command, argv) => made.transactions.begin(session, command, argv),
        local: (session, command, argv) => made.local.run(session, command, argv),
        intercept: (session, argv) => commands.intercept(session, argv),
        ...this.#moved(),
        explain: (session, argv, why) => commands.explainOnce(session, argv, why),
      },
    );
    const made = {
      scatter: new Scatter({
        cluster: this.cluster,
        delivery: this.delivery,
        dispatcher,
        random: options.random,
        routerInfo: () => commands.infoSection(),
        speaksAsCluster: this.#clusterMode !== undefined,
      }),
      subscribers: new Subscribers(this, dispatcher),
      transactions: new Transactions(this, dispatcher),
      local: this.#makeLocal(dispatcher),
    };
    this.#onSlotsChanged = () => made.subscribers.onSlotsChanged();
    return dispatcher;
  }

  #moved(): Pick<Specialists, "moved"> {
    const mode = this.#clusterMode;
    return mode === undefined ? {} : { moved: (session, slot) => mode.moved(session, slot) };
  }

  #makeLocal(dispatcher: Dispatcher): LocalCommands {
    return new LocalCommands({
      renderer: this.#renderer,
      identities: this.identities,
      sessions: this.sessions,
      serverVersion: () => this.topology.serverVersion,
      now: () => this.delivery.now,
      reply: (session, bytes, command) => dispatcher.reply(session, bytes, command),
      ask: (session, words, alone, then) => this.ask(session, words, alone, then),
      unblock: (session, asError) => this.dedicated.unblock(session, asError),
      clusterMode: this.#clusterMode,
    });
  }

  #accept(socket: Socket): void {
    const { log } = this.options.ports;
    const identity = this.identities.get(2, undefined);
    if (
      this.#isDraining ||
      identity === undefined ||
      this.sessions.size >= this.limits.clientsMax
    ) {
      this.statistics.refusedClients++;
      const why = this.#isDraining
        ? "slotlog router: it is stopping"
        : "max number of clients reached";
      socket.setHandlers({ onData: () => {}, onClose: () => {} });
      socket.write(errorReply(`ERR ${why}`));
      socket.end();
      return;
    }
    const id = this.#nextClient++;
    const session = new Session({
      id,
      socket,
      identity,
      pool: this.#buffers,
      names: this.#names,
      host: {
        now: () => {
          this.delivery.tick();
          return this.delivery.now;
        },
        onCommand: (each) => this.dispatcher.onCommand(each),
        onUnflushed: (each) => this.delivery.onUnflushed(each),
        onResumable: (each) => this.delivery.onResumable(each),
        onProtocolError: (each, error) => this.#onProtocolError(each, error),
        onClosed: (each) => {
          this.sessions.delete(each.id);
          this.delivery.forget(each);
          this.dedicated.forget(each);
          if (this.#isDraining && this.sessions.size === 0) this.#onEmpty?.();
        },
      },
    });
    this.sessions.set(id, session);
    if (this.sessions.size === this.limits.clientsMax)
      log.warning("the last client that fits came");
  }

  #onProtocolError(session: Session, error: ProtocolError): void {
    this.dispatcher.reply(session, errorReply(`ERR Protocol error: ${error.message}`));
    session.end();
  }

  /** Ends connections to nodes that have not answered for too long. */
  #sweep(): void {
    const now = this.options.ports.clock.monotonic();
    this.delivery.tick();
    const { timeoutMs } = this.limits;
    this.dedicated.sweep(now, timeoutMs);
    for (const node of this.cluster.everyNode()) {
      for (const link of node.links()) {
        const since = link.waitingSince;
        if (since !== undefined && now - since > timeoutMs) {
          link.close(`no reply within ${timeoutMs} ms`);
        }
      }
    }
  }
}
