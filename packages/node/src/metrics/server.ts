/**
 * The HTTP side of `metrics-port`: `/metrics` for Prometheus, `/healthz` (the process answers) and
 * `/readyz` (the node serves what it should; else 503 and why). Plain HTTP without a password, as
 * exporters have it: for the machines that watch, not for the world. The port stays closed unless
 * it is asked for, and then nothing of the disk is timed either.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { NodeConfig } from "../config/config.js";
import { textOfBytes } from "../config/byte-string.js";
import type { Node } from "../node.js";
import type { Clock, Disk, Log } from "../ports.js";
import { NodeMetrics } from "./node-metrics.js";
import { TimedDisk } from "./timed-disk.js";

/** Requests beyond it wait in the kernel: a page is for a few machines, not for a crowd. */
const connectionsMax = 32;
const requestTimeoutMs = 10_000;

export interface MetricsServerOptions {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
}

export class MetricsServer {
  /** The disk for the node. */
  readonly disk: Disk;
  readonly #options: MetricsServerOptions;
  readonly #metrics: NodeMetrics | undefined;
  readonly #timedDisk: TimedDisk | undefined;
  #server: Server | undefined;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
    const { clock, config, disk } = options;
    this.disk = disk;
    if (config.metricsPort === 0) return;
    this.#metrics = new NodeMetrics();
    this.#timedDisk = new TimedDisk({
      disk,
      clock,
      times: this.#metrics,
      isWatched: (path) => path.includes(`/${textOfBytes(config.appenddirname)}/`),
    });
    this.disk = this.#timedDisk.disk;
  }

  /** Rejects with an error that names the address if the port cannot be had. */
  async listen(node: Node): Promise<void> {
    const { config, log } = this.#options;
    if (this.#metrics === undefined) return;
    const server = createServer((request, response) => this.#answer(node, request, response));
    server.maxConnections = connectionsMax;
    server.requestTimeout = requestTimeoutMs;
    const host = metricsHost(config.bind);
    const port = config.metricsPort;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "Address already in use" : error.message;
        const message = `cannot serve metrics on ${host}:${port}: ${reason}`;
        reject(Object.assign(new Error(message), { code: error.code ?? "LISTEN" }));
      });
      server.listen({ host, port }, resolve);
    });
    this.#server = server;
    log.notice(`Metrics at http://${host}:${port}/metrics`);
  }

  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#metrics?.close();
    if (server === undefined) return Promise.resolve();
    server.closeAllConnections();
    return new Promise((resolve) => {
      server.close(() => resolve());
    });
  }

  #answer(node: Node, request: IncomingMessage, response: ServerResponse): void {
    const say = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "Content-Type": type }).end(text);
    };
    const { metrics, disk } = { metrics: this.#metrics, disk: this.#timedDisk };
    const path = request.url?.split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") say(405, "GET only\n");
    else if (path === "/healthz") say(200, "ok\n");
    else if (path === "/readyz") {
      const reason = unreadiness(node);
      say(reason === undefined ? 200 : 503, `${reason ?? "ok"}\n`);
    } else if (path === "/metrics" && metrics !== undefined && disk !== undefined) {
      metrics.text(node, disk).then(
        (text) => say(200, text, metrics.contentType),
        (error: unknown) => say(500, `${String(error)}\n`),
      );
    } else say(404, "There are /metrics, /healthz and /readyz.\n");
  }
}

/** Where clients are served, metrics are too: the first address of `bind`. */
function metricsHost(bind: readonly string[]): string {
  const [first = "*"] = bind.filter((address) => !address.startsWith("-"));
  if (first === "*") return "0.0.0.0";
  return first === "::*" ? "::" : first;
}

/** Why a client should not be sent here now; `undefined` if it may. */
function unreadiness(node: Node): string | undefined {
  if (node.loading) return "the data set is being loaded";
  if (node.role.isReplica && !node.role.linkUp) {
    return "the link to the primary is down, or the first synchronisation is not done";
  }
  if (node.cluster?.serving === false) return "the cluster is down: see CLUSTER INFO";
  return node.persistence.misconfiguration;
}
