/**
 * MONITOR's listeners. It writes the line that describes a command and hands it to them; which
 * commands are shown, and what is hidden in them, is the caller's business.
 */
import { quoteArgument } from "../config/split-arguments.js";
import type { Client } from "../net/client.js";
import { isUnixSocket } from "../net/addresses.js";

export interface MonitoredCommand {
  /** Unix milliseconds, with fraction. */
  readonly now: number;
  readonly client: Client;
  readonly argv: readonly string[];
}

export class Monitors {
  readonly #clients = new Set<Client>();

  get active(): boolean {
    return this.#clients.size > 0;
  }

  add(client: Client): void {
    client.monitor = true;
    this.#clients.add(client);
  }

  remove(client: Client): void {
    client.monitor = false;
    this.#clients.delete(client);
  }

  tell(command: MonitoredCommand): void {
    const line = Buffer.from(monitorLine(command), "latin1");
    for (const client of this.#clients) client.link.push(line);
  }
}

function monitorLine({ now, client, argv }: MonitoredCommand): string {
  const seconds = Math.floor(now / 1000);
  const micros = String(Math.floor((now - seconds * 1000) * 1000)).padStart(6, "0");
  const address = client.link.remoteAddress;
  const from = isUnixSocket(address)
    ? `unix:${address.slice(0, address.lastIndexOf(":"))}`
    : address;
  const words = argv.map((word) => quoteArgument(word)).join(" ");
  return `+${seconds}.${micros} [${client.database.index} ${from}] ${words}\r\n`;
}
