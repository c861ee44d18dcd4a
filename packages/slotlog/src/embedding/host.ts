// One node in this process, between its ports and the world: started, stopped, killed, made to
// stand still, cut off. Knows nothing of clusters.

import {
  type ProcessInfo,
  runNode,
  type RunningNode,
  systemPorts,
  systemProcessInfo,
} from "@slotlog/node";
import { version } from "../cli/version.js";
import { StoppableClock } from "./clock.js";
import { StoppableDisk } from "./disk.js";
import { Life } from "./life.js";
import { StoppableNet } from "./net.js";

/** What can be done to a node, wherever it runs. */
export interface Host {
  /** Takes the ports before the node needs them, so that nobody else gets them. */
  reserve(options: ReservedPorts): Promise<void>;
  /** Resolves when the node serves. */
  start(args: readonly string[]): Promise<void>;
  /** Ends it in order, as SIGTERM does. */
  stop(): Promise<void>;
  /** Ends it as SIGKILL does: what the kernel has it keeps, and nothing else happens. */
  kill(): Promise<void>;
  /** As SIGSTOP. */
  pause(): Promise<void>;
  /** As SIGCONT. */
  resume(): Promise<void>;
  /** Nothing passes between this node and those at these ports, on connections it made. */
  cutOff(ports: readonly number[]): Promise<void>;
  /** The host is not used any more. */
  dispose(): Promise<void>;
}

export interface ReservedPorts {
  readonly host: string;
  readonly ports: readonly number[];
}

export class LocalHost implements Host {
  readonly #onShutdown: () => void;
  #cutOff: ReadonlySet<number> = new Set();
  #world = new World();
  #node: RunningNode | undefined;

  /** `onShutdown` is called when a client has ended the node with SHUTDOWN. */
  constructor(onShutdown: () => void) {
    this.#onShutdown = onShutdown;
  }

  async reserve({ host, ports }: ReservedPorts): Promise<void> {
    for (const port of ports) await this.#world.net.reserve({ host, port });
  }

  async start(args: readonly string[]): Promise<void> {
    const world = this.#world;
    world.net.cutOff(this.#cutOff);
    const { clock, disk, net, process, random } = world;
    try {
      this.#node = await runNode({
        args,
        product: `slotlog ${version()}`,
        ports: { clock, disk: disk.disk, net, random },
        process,
        onShutdown: () => {
          this.#node = undefined;
          void this.#leave().then(this.#onShutdown);
        },
      });
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#world.thaw();
    const node = this.#node;
    this.#node = undefined;
    await node?.stop({ save: "default" });
    await this.#leave();
  }

  async kill(): Promise<void> {
    this.#node = undefined;
    await this.#leave();
  }

  pause(): Promise<void> {
    this.#world.freeze();
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#world.thaw();
    return Promise.resolve();
  }

  cutOff(ports: readonly number[]): Promise<void> {
    this.#cutOff = new Set(ports);
    this.#world.net.cutOff(this.#cutOff);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return this.kill();
  }

  /** The next node finds a new world. */
  async #leave(): Promise<void> {
    const world = this.#world;
    this.#world = new World();
    await world.end();
  }
}

/** The ports of one life of a node. */
class World {
  readonly #life = new Life();
  readonly #system = systemPorts();
  readonly clock = new StoppableClock(this.#system.clock, this.#life);
  readonly disk = new StoppableDisk(this.#system.disk, this.#life);
  readonly net = new StoppableNet(this.#system.net, this.#life);
  readonly random = this.#system.random;
  readonly process: ProcessInfo = this.#processInfo();
  readonly #observers = new Set<() => void>();

  freeze(): void {
    this.#life.freeze();
    this.net.update();
  }

  thaw(): void {
    this.#life.thaw();
    this.net.update();
  }

  async end(): Promise<void> {
    const settled = this.#life.kill();
    this.clock.cancelAll();
    for (const end of this.#observers) end();
    await this.net.closeAll();
    await settled;
    await this.disk.closeAll();
  }

  #processInfo(): ProcessInfo {
    const system = systemProcessInfo();
    return {
      ...system,
      onMajorCollection: (listener) => {
        const end = system.onMajorCollection?.((bytes) => this.#life.run(() => listener(bytes)));
        const stop = (): void => {
          this.#observers.delete(stop);
          end?.();
        };
        this.#observers.add(stop);
        return stop;
      },
    };
  }
}
