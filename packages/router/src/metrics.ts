/**
 * The router's numbers for Prometheus: per command, per node, per range of slots, and how long
 * commands took. They are kept as plain numbers where they are counted and read when the page is
 * asked for. Serves `/metrics`, `/healthz` (the process answers) and `/readyz` (the cluster does).
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Router } from "./router.js";
import { latencyBoundsMs, slotRangeSize } from "./statistics.js";

/** Requests beyond it wait in the kernel: a page is for a few machines, not for a crowd. */
const connectionsMax = 32;
const requestTimeoutMs = 10_000;

type Labels = Readonly<Record<string, string>>;

export class RouterMetrics {
  readonly #router: Router;
  readonly #registry = new Registry();
  readonly #known = new Map<string, Gauge | Counter>();
  #server: Server | undefined;

  constructor(router: Router) {
    this.#router = router;
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Rejects with an error that names the address if the port cannot be had. */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer((request, response) => this.#answer(request.url, response));
    server.maxConnections = connectionsMax;
    server.requestTimeout = requestTimeoutMs;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(new Error(`cannot serve metrics on ${host}:${port}: ${error.message}`)),
      );
      server.listen({ host, port }, resolve);
    });
    this.#server = server;
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#registry.clear();
  }

  /** The page that Prometheus reads. */
  text(): Promise<string> {
    for (const metric of this.#known.values()) metric.reset();
    this.#setCommands();
    this.#setNodes();
    this.#setSlots();
    this.#setOwn();
    return this.#registry.metrics();
  }

  #answer(url: string | undefined, response: ServerResponse): void {
    const say = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "Content-Type": type }).end(text);
    };
    switch (url?.split("?")[0]) {
      case "/metrics":
        this.text().then(
          (text) => say(200, text, this.#registry.contentType),
          (error: unknown) => say(500, `${String(error)}\n`),
        );
        return;
      case "/healthz":
        say(200, "ok\n");
        return;
      case "/readyz": {
        const { cluster, topology } = this.#router;
        const missing = cluster.missingSlots;
        const trouble =
          topology.trouble ?? (missing > 0 ? `${missing} slots are served by nobody` : undefined);
        say(trouble === undefined ? 200 : 503, `${trouble ?? "ok"}\n`);
        return;
      }
      default:
        say(404, "There are /metrics, /healthz and /readyz.\n");
    }
  }

  #setCommands(): void {
    const { catalog, statistics } = this.#router;
    for (const { fullName, index } of catalog.all()) {
      const numbers = statistics.commands[index];
      if (numbers === undefined) continue;
      const labels = { command: fullName };
      const { requests, errors, milliseconds, buckets } = numbers;
      this.#count("slotlog_router_requests_total", "Commands answered", requests, labels);
      this.#count("slotlog_router_errors_total", "Of those, with an error", errors, labels);
      const name = "slotlog_router_request_seconds";
      const help = "Commands by the time from reading them to having their reply";
      let sum = 0;
      for (const [at, bound] of latencyBoundsMs.entries()) {
        sum += buckets[at] ?? 0;
        this.#count(`${name}_bucket`, help, sum, { ...labels, le: String(bound / 1000) });
      }
      this.#count(`${name}_bucket`, help, requests, { ...labels, le: "+Inf" });
      this.#count(`${name}_sum`, help, milliseconds / 1000, labels);
      this.#count(`${name}_count`, help, requests, labels);
    }
  }

  #setNodes(): void {
    for (const node of this.#router.cluster.nodes) {
      const links = [...node.links()];
      const labels = { node: node.address };
      const unanswered = links.reduce((sum, link) => sum + link.unansweredBytes, 0);
      this.#count("slotlog_router_node_requests_total", "Sent to a node", node.requests, labels);
      this.#count("slotlog_router_node_errors_total", "Errors of a node", node.errors, labels);
      const redirects = "MOVED, ASK and other replies that sent a command elsewhere or again";
      this.#count("slotlog_router_node_redirects_total", redirects, node.redirects, labels);
      this.#show("slotlog_router_node_connections", "Shared connections", links.length, labels);
      const bytes = "slotlog_router_node_unanswered_bytes";
      this.#show(bytes, "Requests that a node has not answered", unanswered, labels);
      const reachable = node.isReachable ? 1 : 0;
      this.#show(
        "slotlog_router_node_reachable",
        "0: the last connection failed",
        reachable,
        labels,
      );
    }
  }

  #setSlots(): void {
    const { rangeErrors, rangeRequests } = this.#router.statistics;
    for (const [at, requests] of rangeRequests.entries()) {
      const first = at * slotRangeSize;
      const labels = { slots: `${first}-${first + slotRangeSize - 1}` };
      this.#count("slotlog_router_slots_requests_total", "Commands by slots", requests, labels);
      const errors = rangeErrors[at] ?? 0;
      this.#count("slotlog_router_slots_errors_total", "Errors by slots", errors, labels);
    }
  }

  #setOwn(): void {
    const { cluster, dedicated, sessions, statistics, topology } = this.#router;
    let waiting = 0;
    let paused = 0;
    for (const session of sessions.values()) {
      waiting += session.heldBytes + session.output.bytes;
      if (session.isPaused) paused++;
    }
    const up = topology.trouble === undefined ? 1 : 0;
    this.#show("slotlog_router_clients", "Clients", sessions.size);
    this.#show("slotlog_router_clients_paused", "Clients that are not read now", paused);
    this.#show("slotlog_router_reply_bytes_waiting", "Replies not yet with clients", waiting);
    this.#show("slotlog_router_dedicated_connections", "Of one client each", dedicated.count);
    this.#show("slotlog_router_cluster_up", "0: no node answers", up);
    this.#show("slotlog_router_slots_unserved", "Slots of nobody", cluster.missingSlots);
    const { crossSlot, refreshes, refusedClients, retries } = statistics;
    this.#count("slotlog_router_retries_total", "Commands sent again", retries);
    this.#count("slotlog_router_refreshes_total", "Times the slots were asked for", refreshes);
    this.#count("slotlog_router_clients_refused_total", "Clients too many", refusedClients);
    this.#count("slotlog_router_cross_slot_total", "Commands no cluster can run", crossSlot);
  }

  #count(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#metric(name, help, labels, Counter).inc(labels, value);
  }

  #show(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#metric(name, help, labels, Gauge).inc(labels, value);
  }

  #metric(
    name: string,
    help: string,
    labels: Labels,
    Kind: typeof Counter | typeof Gauge,
  ): Counter | Gauge {
    let metric = this.#known.get(name);
    if (metric === undefined) {
      metric = new Kind({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      });
      this.#known.set(name, metric);
    }
    return metric;
  }
}
