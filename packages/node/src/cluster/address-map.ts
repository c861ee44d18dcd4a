/**
 * `client-address-map`: which addresses of the cluster's nodes a client is told, by the way it came
 * in. Behind Docker, NAT or a load balancer the addresses that nodes use among themselves are not
 * those that clients reach; one announced address (`cluster-announce-ip`) serves one side only.
 *
 * A rule is `FROM=HOST:PORT`. FROM is a port of this node, on which it then listens as well, or an
 * address or CIDR range of this machine, at which the client came in. HOST and PORT may hold
 * `{ip}`, `{hostname}`, `{name}` and `{port}` of the node that is told, `{port+N}`, `{port-N}` and
 * `{port%N}`. The first rule that fits counts; who fits none is told what the bus says.
 */
import { BlockList, isIP } from "node:net";

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** What is known of a node that a client is sent to. */
export interface MappedNode {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly humanName: string;
}

interface Rule {
  fits(address: string, port: number): boolean;
  /** The port to listen on; undefined if the rule is about addresses. */
  readonly port: number | undefined;
  readonly host: string;
  readonly portText: string;
}

export class AddressMap {
  readonly #rules: readonly Rule[];

  /** Rules as `mapReason` accepts them. */
  constructor(rules: readonly string[]) {
    this.#rules = rules.map(parseRule);
  }

  /** Ports to listen on beside `port`. */
  get ports(): readonly number[] {
    return [...new Set(this.#rules.flatMap(({ port }) => (port === undefined ? [] : [port])))];
  }

  /**
   * What a client that came in at `local` (`ip:port`, as CLIENT LIST prints it) is told of a node;
   * undefined: what everybody is told.
   */
  addressFor(local: string, node: MappedNode): NodeAddress | undefined {
    if (this.#rules.length === 0) return undefined;
    const colon = local.lastIndexOf(":");
    const address = local.slice(0, colon).replace(/^\[|\]$/g, "");
    const port = Number(local.slice(colon + 1));
    const rule = this.#rules.find((each) => each.fits(address, port));
    if (rule === undefined) return undefined;
    return { host: filled(rule.host, node), port: Number(filled(rule.portText, node)) };
  }
}

const placeholder = /\{(ip|hostname|name|port)(?:([-+%])(\d{1,5}))?\}/g;

function filled(text: string, node: MappedNode): string {
  return text.replace(placeholder, (_, field: string, operator: string, operand: string) => {
    if (field === "ip") return node.ip;
    if (field === "hostname") return node.hostname;
    if (field === "name") return node.humanName;
    if (operator === "+") return String(node.port + Number(operand));
    if (operator === "-") return String(node.port - Number(operand));
    if (operator === "%") return String(node.port % Number(operand));
    return String(node.port);
  });
}

function parseRule(text: string): Rule {
  const equals = text.indexOf("=");
  const from = text.slice(0, equals);
  const to = text.slice(equals + 1);
  const colon = to.lastIndexOf(":");
  const target = { host: to.slice(0, colon), portText: to.slice(colon + 1) };
  if (/^\d+$/.test(from)) {
    const listened = Number(from);
    return { ...target, port: listened, fits: (_, port) => port === listened };
  }
  const range = new BlockList();
  const [address = "", prefix] = from.split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  range.addSubnet(address, Number(prefix ?? (family === "ipv6" ? 128 : 32)), family);
  return {
    ...target,
    port: undefined,
    fits: (local) => isIP(local) !== 0 && range.check(local, isIP(local) === 6 ? "ipv6" : "ipv4"),
  };
}

/** Why these are no rules; undefined if they are. */
export function mapReason(rules: readonly string[]): string | undefined {
  for (const rule of rules) {
    const reason = ruleReason(rule);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function ruleReason(rule: string): string | undefined {
  const [, from, host, port] = /^([^=]+)=(.+):([^:]+)$/.exec(rule) ?? [];
  if (from === undefined || host === undefined || port === undefined) {
    return `'${rule}' is not of the form FROM=HOST:PORT`;
  }
  const [address = "", prefix, ...rest] = from.split("/");
  const bits = isIP(address) === 6 ? 128 : 32;
  const isPort = /^\d{1,5}$/.test(from) && Number(from) >= 1 && Number(from) <= 65_535;
  const isRange =
    isIP(address) !== 0 &&
    rest.length === 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
  if (!isPort && !isRange) return `'${from}' in '${rule}' is no port, address or CIDR range`;
  if (/[{}\s]/.test(host.replace(placeholder, ""))) {
    return `'${host}' in '${rule}' is no host: there are {ip}, {hostname}, {name} and {port}`;
  }
  const example = filled(port, { ip: "", hostname: "", humanName: "0", port: 7000 });
  if (!/^-?\d+$/.test(example)) {
    return `'${port}' in '${rule}' is no port: a number, {port}, {port+N}, {port-N} or {port%N}`;
  }
  return undefined;
}
