// Are the ports free? Asked before anything is started, because six nodes that fail one by one say
// it less clearly.

import { createServer } from "node:net";
import { CliError, errnoOf, reasonOf } from "../errors.js";
import { busPortOffset, type ClusterPlan } from "./plan.js";

export async function requireFreePorts(plan: ClusterPlan): Promise<void> {
  for (const { port } of plan.nodes) {
    for (const candidate of [port, port + busPortOffset]) {
      const error = await listenOnce(plan.host, candidate);
      if (error !== undefined) throw portError(plan, candidate, error);
    }
  }
}

/** First of the ports for metrics, one per node, unless asked otherwise: redis_exporter's own. */
export const metricsPortDefault = 9121;

/**
 * The first port for metrics; 0 is off. What was asked for must be free; what nobody asked for is
 * left out if it is not, since several clusters may run on one machine.
 */
export async function chooseMetricsPort(
  plan: ClusterPlan,
  asked: number | undefined,
  onNote: (text: string) => void,
): Promise<number> {
  if (asked === 0) return 0;
  const first = asked ?? metricsPortDefault;
  for (let port = first; port < first + plan.nodes.length; port++) {
    const error = await listenOnce(plan.host, port);
    if (error === undefined) continue;
    if (asked === undefined) {
      onNote(`no metrics: port ${port} is taken (--metrics-port chooses others, 0 is off)`);
      return 0;
    }
    throw new CliError(`port ${port} for metrics cannot be had: ${reasonOf(error)}`, {
      hint: "Choose others with --metrics-port, or turn them off with --metrics-port 0.",
    });
  }
  return first;
}

/** What went wrong when the port was opened for a moment, if anything. */
export function listenOnce(host: string, port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

export function portError(
  plan: ClusterPlan,
  port: number,
  error: unknown,
  platform: string = process.platform,
): CliError {
  const code = errnoOf(error);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new CliError(`${plan.host} is no address of this machine`);
  }
  if (code === "EACCES") {
    return new CliError(`this user may not listen on port ${port}`, {
      hint: "Ports below 1024 need privileges: choose others with --port.",
    });
  }
  if (code !== "EADDRINUSE") {
    return new CliError(`cannot listen on ${plan.host}:${port}: ${reasonOf(error)}`);
  }
  const bus = port >= plan.shape.port + busPortOffset ? " (the cluster bus of a node)" : "";
  // macOS' AirPlay receiver listens on 5000 and 7000.
  const airPlay =
    platform === "darwin" && port === 7000
      ? "On macOS that is AirPlay's: use another port, or turn off AirPlay Receiver. "
      : "";
  return new CliError(`port ${port}${bus} is taken by another program`, {
    hint: `${airPlay}Is this cluster running already? Otherwise: slotlog up --port ${plan.shape.port + 1000}`,
  });
}
