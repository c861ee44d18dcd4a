/**
 * By which address a client reaches a node: behind Docker or NAT it is not the one that the nodes
 * use among themselves, and it is not the same for all clients. Rules are read from the first to
 * the last; who fits none is told the cluster's own address. Pure.
 *
 * A rule is `[CLIENTS] NODE=HOST:PORT`. CLIENTS is an address or CIDR range from which clients
 * come, all without it. NODE is `host:port` as the cluster says it, `*` standing for any host or
 * any port. HOST and PORT may hold `{host}`, `{port}`, `{port+N}` and `{port-N}` of the node.
 */
import { BlockList, isIP } from "node:net";

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

interface Rule {
  readonly clients: BlockList | undefined;
  readonly host: string;
  readonly port: string;
  readonly toHost: string;
  readonly toPort: string;
}

const form = /^(?:(\S+)\s+)?(\[[^\]]+\]|[^\s:=]+):(\d{1,5}|\*)=(\[[^\]]+\]|[^\s:=]+):(\S+)$/;
const placeholder = /\{(host|port)(?:([-+])(\d{1,5}))?\}/g;

export class AddressRules {
  readonly #rules: readonly Rule[];

  /** Throws a `RangeError` that says which rule is none, and why. */
  constructor(lines: readonly string[]) {
    this.#rules = lines.map(parseRule);
  }

  addressFor(client: string, node: NodeAddress): NodeAddress {
    const rule = this.#rules.find((each) => fits(each, client, node));
    if (rule === undefined) return node;
    return { host: filled(rule.toHost, node), port: Number(filled(rule.toPort, node)) };
  }
}

function parseRule(line: string): Rule {
  const [, clients, host, port, toHost, toPort] = form.exec(line.trim()) ?? [];
  if (host === undefined || port === undefined || toHost === undefined || toPort === undefined) {
    throw new RangeError(`'${line}' is not of the form [CLIENTS] NODE=HOST:PORT`);
  }
  const example = { host: "h", port: 30_000 };
  const number = Number(filled(toPort, example));
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new RangeError(
      `'${toPort}' in '${line}' is no port: a number, {port}, {port+N}, {port-N}`,
    );
  }
  if (/[{}]/.test(filled(toHost, example))) {
    throw new RangeError(`'${toHost}' in '${line}' is no host: a name, an address or {host}`);
  }
  return { clients: rangeOf(clients, line), host: bare(host), port, toHost: bare(toHost), toPort };
}

function rangeOf(clients: string | undefined, line: string): BlockList | undefined {
  if (clients === undefined || clients === "*") return undefined;
  const [address = "", prefix] = clients.split("/");
  const version = isIP(address);
  const bits = Number(prefix ?? (version === 6 ? 128 : 32));
  if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32)) {
    throw new RangeError(`'${clients}' in '${line}' is no address and no CIDR range`);
  }
  const range = new BlockList();
  range.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
  return range;
}

function fits({ clients, host, port }: Rule, client: string, node: NodeAddress): boolean {
  if (host !== "*" && host !== node.host) return false;
  if (port !== "*" && Number(port) !== node.port) return false;
  if (clients === undefined) return true;
  const version = isIP(client);
  return version !== 0 && clients.check(client, version === 6 ? "ipv6" : "ipv4");
}

function filled(text: string, node: NodeAddress): string {
  return text.replace(placeholder, (_, field: string, sign: string, operand: string) => {
    if (field === "host") return node.host;
    if (sign === "+") return String(node.port + Number(operand));
    return String(sign === "-" ? node.port - Number(operand) : node.port);
  });
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
