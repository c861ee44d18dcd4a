// One docker compose project of docker-compose.yml: brought up, asked and broken as its users do.

import { projectRoot } from "../harness/project-root.js";
import { mustRun, run } from "../harness/exec.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually } from "../harness/server.js";

export const image = "slotlog:compose-test";

export const services = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"] as const;

export const nodeTimeoutMs = 2000;

const servingWithinMs = 90_000;

export class ComposeProject {
  readonly name: string;
  /** Published ports are these digits and the node's number from 0. */
  readonly #portPrefix: number;
  readonly password: string;
  readonly #environment: readonly string[];

  constructor(options: {
    readonly name: string;
    readonly portPrefix: number;
    readonly password?: string;
    readonly passwordFile?: string;
  }) {
    this.name = options.name;
    this.#portPrefix = options.portPrefix;
    this.password = options.password ?? "";
    this.#environment = [
      `SLOTLOG_IMAGE=${image}`,
      `SLOTLOG_PORTS=${options.portPrefix}`,
      `SLOTLOG_ROUTER_PORT=${options.portPrefix}9`,
      `SLOTLOG_NODE_TIMEOUT=${nodeTimeoutMs}`,
      ...(options.passwordFile === undefined
        ? []
        : [`SLOTLOG_PASSWORD_FILE=${options.passwordFile}`]),
    ];
  }

  /** `docker-compose` or `docker compose`, whichever there is. */
  async compose(...args: readonly string[]): Promise<string> {
    const file = `${projectRoot()}/docker-compose.yml`;
    const { code } = await run("sh", ["-c", "command -v docker-compose"]);
    const command = code === 0 ? ["docker-compose"] : ["docker", "compose"];
    const words = [...this.#environment, ...command, "-f", file, "-p", this.name, ...args];
    return mustRun("env", words);
  }

  async container(service: string): Promise<string> {
    const filter = `label=com.docker.compose.service=${service}`;
    const own = `label=com.docker.compose.project=${this.name}`;
    const ids = await mustRun("docker", ["ps", "-aq", "--filter", filter, "--filter", own]);
    return ids.trim();
  }

  async inspect(service: string, format: string): Promise<string> {
    const words = ["inspect", "-f", format, await this.container(service)];
    return (await mustRun("docker", words)).trim();
  }

  address(service: string): Promise<string> {
    return this.inspect(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
  }

  get network(): string {
    return `${this.name}_default`;
  }

  /** The port of this machine that leads to a node. */
  port(service: string): number {
    return this.#portPrefix * 10 + services.indexOf(service as (typeof services)[number]);
  }

  /** The port on which it listens in its container. */
  innerPort(service: string): number {
    return 7000 + services.indexOf(service as (typeof services)[number]);
  }

  get routerPort(): number {
    return this.#portPrefix * 10 + 9;
  }

  /** Asked from this machine, through the published port. */
  async ask(service: string, ...command: readonly string[]): Promise<string> {
    using client = await RawClient.connect(this.port(service));
    if (this.password !== "") await client.call("AUTH", this.password);
    return textOf(await client.call(...command));
  }

  /** Asked inside the container, which needs no network. */
  async askInside(service: string, ...command: readonly string[]): Promise<string> {
    const script =
      "const [port, ...words] = process.argv.slice(1);" +
      "const socket = require('net').connect(port, '127.0.0.1');" +
      "socket.end(words.map((w) => JSON.stringify(w)).join(' ') + '\\r\\n');" +
      "socket.on('data', (d) => process.stdout.write(d));" +
      "socket.setTimeout(5000, () => process.exit(1));";
    const port = String(this.innerPort(service));
    const node = ["node", "-e", script, port, ...command];
    return mustRun("docker", ["exec", await this.container(service), ...node]);
  }

  async untilServing(asked: readonly string[] = services): Promise<void> {
    const trouble = async (): Promise<string | undefined> => {
      for (const service of asked) {
        try {
          const info = await this.ask(service, "CLUSTER", "INFO");
          if (!info.includes("cluster_state:ok")) return `${service}: ${info}`;
          const replication = await this.ask(service, "INFO", "replication");
          if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) {
            return `${service} is not linked`;
          }
        } catch (error) {
          return `${service}: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
      return undefined;
    };
    await eventually("every node serves", trouble, servingWithinMs);
  }

  async down(...options: readonly string[]): Promise<void> {
    await this.compose("down", "--remove-orphans", ...options);
  }
}
