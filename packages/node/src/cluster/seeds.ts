/**
 * `cluster-seeds`: names under which the nodes of this cluster can be found again when their
 * addresses have changed, as those of containers do. While a node that we know does not answer,
 * every seed is resolved and looked at; whoever is there and known is taken over with its new
 * address, and learns ours. Nobody is added: a node of another cluster, on a volume that was mixed
 * up, is left alone, and CLUSTER MEET remains the only way in.
 */
import type { BusDriver } from "@slotlog/cluster-bus";
import type { NodeConfig } from "../config/config.js";
import type { Ports, Timer } from "../ports.js";

const lookEveryMs = 1_000;
/** As Redis has it, where no bus port is named. */
const busPortOffset = 10_000;

export interface Seed {
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
}

export class Seeds {
  readonly #bus: BusDriver;
  readonly #config: NodeConfig;
  readonly #ports: Ports;
  /** Names that could not be resolved, to say so once and not every second. */
  readonly #unresolved = new Set<string>();
  #timer: Timer | undefined;
  #looking = false;

  constructor(bus: BusDriver, config: NodeConfig, ports: Ports) {
    this.#bus = bus;
    this.#config = config;
    this.#ports = ports;
  }

  start(): void {
    const look = (): void => void this.#look();
    look();
    this.#timer = this.#ports.clock.every(lookEveryMs, look);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const { core } = this.#bus;
    if (this.#looking || this.#config.clusterSeeds.length === 0 || !core.missesNodes) return;
    this.#looking = true;
    for (const text of this.#config.clusterSeeds) {
      const seed = parseSeed(text);
      const ip = await this.#resolve(seed.host);
      if (this.#timer === undefined) break;
      if (ip === undefined || core.isLinkedAt(ip, seed.port)) continue;
      this.#bus.run({ kind: "find", ip, port: seed.port, busPort: seed.busPort });
    }
    this.#looking = false;
  }

  async #resolve(host: string): Promise<string | undefined> {
    const { log, net } = this.#ports;
    try {
      const ip = await net.lookup(host);
      this.#unresolved.delete(host);
      return ip;
    } catch (error) {
      if (!this.#unresolved.has(host)) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warning(
          `cluster-seeds: ${host} cannot be resolved (${reason}); it is tried again every second`,
        );
      }
      this.#unresolved.add(host);
      return undefined;
    }
  }
}

/** `host:port[@busport]`, as `cluster-seeds` accepts it. */
export function parseSeed(text: string): Seed {
  const [, host = "", port = "", busPort] = /^(.+):(\d+)(?:@(\d+))?$/.exec(text) ?? [];
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  const bus = busPort === undefined ? Number(port) + busPortOffset : Number(busPort);
  return { host: plain, port: Number(port), busPort: bus };
}
