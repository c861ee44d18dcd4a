/**
 * ROUTER and its subcommands: what the router is doing, what it would do with a command, and a
 * command for one node. Also the log of commands that cannot work in a cluster.
 */
import { type Argument, unknownCommand } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import { clientOutputPauseBytes } from "./limits.js";
import { arrayOf, bulkOf } from "./merge.js";
import { errorReply, isError, lineOf, okReply } from "./render.js";
import { noSlot } from "./request.js";
import type { Router } from "./router.js";
import type { Session } from "./session.js";
import { commonSlot, explainCrossSlot } from "./slots.js";

/** Commands that were logged already; beyond it the log has seen enough. */
const explainedMax = 1000;

const help = [
  "ROUTER <subcommand> [<arg> ...]. Subcommands are:",
  "STATUS",
  "    What the router knows and does, as name:value lines.",
  "EXPLAIN <command> [<arg> ...]",
  "    Where the command would go, or why it cannot work in a cluster. It is not run.",
  "ON <host:port> <command> [<arg> ...]",
  "    Runs a command on one node.",
  "NODES",
  "    One line for each node: address, role, slots, connections, requests, errors.",
  "REFRESH",
  "    Asks the cluster for its slots now.",
  "HELP",
  "    This text.",
];

export class RouterCommands {
  readonly #router: Router;
  readonly #explained = new Set<string>();

  constructor(router: Router) {
    this.#router = router;
  }

  intercept(session: Session, argv: readonly Argument[]): boolean {
    if (typeof argv[0] !== "string" || argv[0].toLowerCase() !== "router") return false;
    const words = argv.slice();
    const sub = String(words[1] ?? "").toLowerCase();
    const { dispatcher } = this.#router;
    if (sub === "on" && words.length > 3) {
      this.#on(session, String(words[2]), words.slice(3));
      return true;
    }
    // Whoever may not even PING the cluster learns nothing of it here.
    session.holds++;
    this.#router.ask(session, ["PING"], false, (reply) => {
      const isRefused = isError(reply) && /^(NOAUTH|NOPERM)\b/.test(lineOf(reply));
      const finish = (answer: Buffer): void => {
        session.holds--;
        dispatcher.reply(session, answer);
        session.resumeSoon();
      };
      if (isRefused) finish(reply);
      else if (sub === "refresh") this.#refresh(finish);
      else finish(this.#answer(session, sub, words));
    });
    return true;
  }

  #refresh(then: (reply: Buffer) => void): void {
    const { topology } = this.#router;
    void topology.refresh().then(() => {
      const { trouble } = topology;
      then(trouble === undefined ? okReply : errorReply(`CLUSTERDOWN slotlog router: ${trouble}`));
    });
  }

  #answer(session: Session, sub: string, words: readonly Argument[]): Buffer {
    switch (sub) {
      case "status":
        return text(session, `${this.statusLines().join("\r\n")}\r\n`);
      case "nodes":
        return text(session, `${this.#nodeLines().join("\n")}\n`);
      case "explain":
        return words.length > 2
          ? bulkOf(this.explain(words.slice(2)))
          : errorReply("ERR wrong number of arguments for 'router|explain' command");
      case "help":
        return arrayOf(help.map((line) => Buffer.from(`+${line}\r\n`)));
      default:
        return errorReply(`ERR unknown subcommand '${String(words[1] ?? "")}'. Try ROUTER HELP.`);
    }
  }

  /** One line: where it goes, or what stands in its way. */
  explain(argv: readonly Argument[]): string {
    const { catalog } = this.#router;
    const command = catalog.resolve(argv);
    if (command === undefined) return `${unknownCommand(argv)}: some node would be asked`;
    const refusal = this.#router.dispatcher.refusal(command, argv);
    if (refusal !== undefined) return refusal;
    switch (command.plan) {
      case "local":
        return "answered by the router itself";
      case "any":
        return "any primary: it has no keys";
      case "shards":
        return `every primary, ${this.#router.cluster.shards.length} of them; replies: ${command.merge}`;
      case "nodes":
        return `every node, replicas as well; replies: ${command.merge}`;
      case "subscribe":
        return "a connection of the client's own to some node";
      case "transaction":
        return "a connection of the client's own to the node of its first key";
      default:
        return this.#explainKeys(command, argv);
    }
  }

  #explainKeys(command: RoutedCommand, argv: readonly Argument[]): string {
    const indexes = this.#router.catalog.keyIndexes(command, argv);
    if (indexes === undefined) return "its arguments do not fit; some node would say what is wrong";
    const slot = commonSlot(argv, indexes);
    if (slot === undefined && command.plan === "split") {
      const slots = new Set(indexes.map((index) => commonSlot(argv, [index])));
      return `${slots.size} parts, one for each slot; replies: ${command.merge}; not atomic`;
    }
    if (slot === undefined) return explainCrossSlot(argv, indexes);
    if (slot === noSlot) return "any primary: it names no key";
    const node = this.#router.cluster.primaryOf(slot)?.address ?? "nobody serves it now";
    const own = command.plan === "blocking" ? ", on a connection of the client's own" : "";
    return `slot ${slot}, ${node}${own}`;
  }

  /** Logs a command that cannot work in a cluster, once for each command and set of keys' names. */
  explainOnce(session: Session, argv: readonly Argument[], why: string): void {
    this.#router.statistics.crossSlot++;
    if (this.#router.options.explain !== true || this.#explained.size >= explainedMax) return;
    const name = String(argv[0]).toUpperCase();
    const key = `${name} ${why.replace(/\d+/g, "0")}`;
    if (this.#explained.has(key)) return;
    this.#explained.add(key);
    this.#router.options.ports.log.warning(`${name} would break in a cluster: ${why}`, {
      client: session.address,
      ...(session.name === "" ? {} : { name: session.name }),
    });
  }

  #on(session: Session, address: string, words: readonly Argument[]): void {
    const { dispatcher, cluster } = this.#router;
    const node = [...cluster.nodes].find((each) => each.address === address);
    if (node === undefined) {
      const known = [...cluster.nodes].map((each) => each.address).join(", ");
      dispatcher.reply(
        session,
        errorReply(`ERR slotlog router: ${address} is no node of the cluster; there are ${known}`),
      );
      return;
    }
    const command = this.#router.catalog.resolve(words);
    const isApart = command?.plan === "subscribe" || command?.plan === "blocking";
    const isOurs = command?.plan === "transaction" || command?.fullName === "monitor";
    if (isApart || isOurs || command?.fullName === "client|reply") {
      dispatcher.reply(
        session,
        errorReply("ERR slotlog router: not with ROUTER ON: it needs a connection of its own"),
      );
      return;
    }
    session.holds++;
    this.#router.askOnce(session, words.map(String), node, (reply) => {
      session.holds--;
      dispatcher.reply(session, reply);
      session.resumeSoon();
    });
  }

  statusLines(): string[] {
    const { cluster, dedicated, delivery, options, sessions, startedAt, statistics, topology } =
      this.#router;
    let pending = 0;
    let waitingBytes = 0;
    let paused = 0;
    for (const session of sessions.values()) {
      pending += session.pending.length;
      waitingBytes += session.heldBytes + session.output.bytes;
      if (session.isPaused) paused++;
    }
    let connections = 0;
    let unanswered = 0;
    for (const node of cluster.nodes) {
      for (const link of node.links()) {
        connections++;
        unanswered += link.unansweredBytes;
      }
    }
    const uptime = Math.floor((options.ports.clock.now() - startedAt) / 1000);
    return [
      `router_version:${options.version}`,
      `router_uptime_in_seconds:${uptime}`,
      `router_cluster_state:${topology.trouble === undefined && cluster.missingSlots === 0 ? "ok" : "trouble"}`,
      `router_cluster_trouble:${topology.trouble ?? ""}`,
      `router_slots_unserved:${cluster.missingSlots}`,
      `router_primaries:${cluster.shards.length}`,
      `router_nodes:${[...cluster.nodes].length}`,
      `router_clients:${sessions.size}`,
      `router_clients_paused:${paused}`,
      `router_clients_refused:${statistics.refusedClients}`,
      `router_commands_pending:${pending}`,
      `router_reply_bytes_waiting:${waitingBytes}`,
      `router_reply_bytes_pause:${clientOutputPauseBytes}`,
      `router_connections_shared:${connections}`,
      `router_connections_dedicated:${dedicated.count}`,
      `router_request_bytes_unanswered:${unanswered}`,
      `router_requests:${statistics.requests}`,
      `router_errors:${statistics.errors}`,
      `router_retries:${statistics.retries}`,
      `router_topology_refreshes:${statistics.refreshes}`,
      `router_topology_changes:${cluster.version}`,
      `router_cross_slot:${statistics.crossSlot}`,
      `router_read_from:${options.readFrom ?? "primary"}`,
      `router_now_ms:${Math.floor(delivery.now)}`,
    ];
  }

  infoSection(): string {
    return `# Router\r\n${this.statusLines().join("\r\n")}\r\n`;
  }

  #nodeLines(): string[] {
    const { cluster } = this.#router;
    const slots = new Map<string, string[]>();
    for (const { first, last, primary } of cluster.ranges) {
      const key = `${primary.host}|${primary.port}`;
      const own = slots.get(key) ?? [];
      own.push(first === last ? String(first) : `${first}-${last}`);
      slots.set(key, own);
    }
    return [...cluster.nodes].map((node) => {
      const links = [...node.links()];
      const unanswered = links.reduce((sum, link) => sum + link.unansweredBytes, 0);
      return [
        `addr=${node.address}`,
        `id=${node.id}`,
        `role=${node.isReplica ? "replica" : "primary"}`,
        `slots=${(slots.get(`${node.host}|${node.port}`) ?? []).join(",")}`,
        `reachable=${node.isReachable ? 1 : 0}`,
        `connections=${links.length}`,
        `unanswered-bytes=${unanswered}`,
        `requests=${node.requests}`,
        `errors=${node.errors}`,
        `redirects=${node.redirects}`,
      ].join(" ");
    });
  }
}

function text(session: Session, value: string): Buffer {
  return session.protocol === 3
    ? Buffer.from(`=${value.length + 4}\r\ntxt:${value}\r\n`, "latin1")
    : bulkOf(value);
}
