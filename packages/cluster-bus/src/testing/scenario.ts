/**
 * The scenario language: files of blocks, each some commands, a line `----`, and what they print,
 * up to an empty line. Owns the parsing and the verbs; what is asked about is in
 * `scenario-conditions.ts`. A command is a line; `#` begins a comment.
 */

import type { BusConfig } from "../core/config.js";
import type { BusCommand } from "../core/inputs.js";
import type { Millis } from "../message.js";
import { holds, ScenarioError } from "./scenario-conditions.js";
import { SimCluster } from "./sim-cluster.js";
import type { SimNode } from "./sim-node.js";

export interface ScenarioBlock {
  /** Comments and commands, as they stand in the file. */
  readonly source: readonly string[];
  readonly expected: readonly string[];
}

export function parseScenario(text: string): ScenarioBlock[] {
  const blocks: ScenarioBlock[] = [];
  let source: string[] = [];
  let expected: string[] | undefined;
  for (const line of [...text.split("\n"), ""]) {
    if (expected !== undefined) {
      if (line !== "") expected.push(line);
      else {
        blocks.push({ source, expected });
        source = [];
        expected = undefined;
      }
    } else if (line === "----") expected = [];
    else if (line !== "" || source.length > 0) source.push(line);
  }
  if (source.some((line) => line.trim() !== "")) {
    throw new ScenarioError(`commands without ----: ${source.join(" | ")}`);
  }
  return blocks;
}

/** Runs a file's blocks one after another and returns the text with what was printed. */
export async function runScenario(text: string): Promise<string> {
  const scenario = new Scenario();
  const parts: string[] = [];
  for (const { source } of parseScenario(text)) {
    parts.push([...source, "----", ...(await printedBy(scenario, source))].join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

/** The first block that prints something else than it says; undefined if none does. */
export async function firstDifference(text: string): Promise<string | undefined> {
  const scenario = new Scenario();
  for (const { source, expected } of parseScenario(text)) {
    const printed = await printedBy(scenario, source);
    if (printed.join("\n") !== expected.join("\n")) return source[0];
  }
  return undefined;
}

async function printedBy(scenario: Scenario, source: readonly string[]): Promise<string[]> {
  const printed: string[] = [];
  for (const line of source) {
    const command = line.replace(/#.*/, "").trim();
    if (command !== "") printed.push(...(await scenario.run(command)));
  }
  return printed;
}

type Verb = (scenario: Scenario, words: string[]) => readonly string[] | Promise<readonly string[]>;

class Scenario {
  #cluster: SimCluster | undefined;

  get cluster(): SimCluster {
    if (this.#cluster === undefined) throw new ScenarioError("a scenario begins with `cluster`");
    return this.#cluster;
  }

  set cluster(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  async run(command: string): Promise<readonly string[]> {
    const [name = "", ...words] = command.split(/\s+/);
    const verb = verbs[name];
    if (verb === undefined) throw new ScenarioError(`no such verb: ${command}`);
    return verb(this, words);
  }
}

const nothing: readonly string[] = [];

const verbs: Readonly<Record<string, Verb>> = {
  cluster: async (scenario, words) => {
    const options = settings(words);
    const number = (name: string): number | undefined =>
      options.has(name) ? Number(options.get(name)) : undefined;
    const replicas = number("replicas");
    scenario.cluster = await SimCluster.form({
      seed: number("seed") ?? 1,
      primaries: number("primaries") ?? 3,
      ...(replicas === undefined ? {} : { replicas }),
      nodeTimeoutMs: duration(options.get("timeout") ?? "2s"),
    });
    return nothing;
  },
  /** `config r1 replicaNoFailover=yes`; `all` for every node. */
  config: ({ cluster }, [name = "", ...words]) => {
    for (const node of name === "all" ? cluster.nodes : [cluster.node(name)]) {
      for (const [key, value] of settings(words)) configure(node.config, key, value);
    }
    return nothing;
  },
  add: ({ cluster }, [name = ""]) => {
    cluster.addNode(name);
    return nothing;
  },
  advance: async ({ cluster }, [time = ""]) => {
    await cluster.advance(duration(time));
    return nothing;
  },
  /** `until 5s r1 is primary` says yes, or no and how things stand. */
  until: async ({ cluster }, [limit = "", ...words]) => {
    const condition = words.join(" ");
    const held = await cluster.advanceUntil(() => holds(cluster, condition), duration(limit));
    return held ? [`${condition}: yes`] : [`${condition}: NO`, ...cluster.show().split("\n")];
  },
  /** `never 5s r1 is primary`: it stays false so long. */
  never: async ({ cluster }, [limit = "", ...words]) => {
    const condition = words.join(" ");
    const held = await cluster.advanceUntil(() => holds(cluster, condition), duration(limit));
    return held ? [`${condition}: YES`, ...cluster.show().split("\n")] : [`${condition}: never`];
  },
  is: ({ cluster }, words) => {
    const condition = words.join(" ");
    return [`${condition}: ${holds(cluster, condition) ? "yes" : "no"}`];
  },
  show: ({ cluster }) => cluster.show().split("\n"),
  isolate: ({ cluster }, [name = ""]) => {
    cluster.isolate(name);
    return nothing;
  },
  partition: ({ cluster }, names) => {
    cluster.partition(names);
    return nothing;
  },
  /** `cut p1 p2` both ways, `cut p1 > p2` what goes from p1 to p2. */
  cut: ({ cluster }, [a = "", b = "", c]) => {
    if (c === undefined) cluster.network.cut(a, b);
    else cluster.network.cutOneWay(a, c);
    return nothing;
  },
  /** `doubled 1000`: of so many packets in a thousand a second copy arrives. */
  doubled: ({ cluster }, [perMille]) => {
    cluster.network.doubledPerMille = Number(perMille);
    return nothing;
  },
  heal: ({ cluster }) => {
    cluster.network.heal();
    return nothing;
  },
  kill: ({ cluster }, names) => forEach(cluster, names, (node) => node.crash("process")),
  "power-off": ({ cluster }, names) => forEach(cluster, names, (node) => node.crash("power")),
  start: ({ cluster }, names) => forEach(cluster, names, (node) => node.restart()),
  pause: ({ cluster }, names) => forEach(cluster, names, (node) => node.pause()),
  resume: ({ cluster }, names) => forEach(cluster, names, (node) => node.resume()),
  /** `offset r1 500`, which then stays. */
  offset: ({ cluster }, [name = "", value]) => {
    const node = cluster.node(name);
    node.offset = Number(value);
    node.offsetFrozen = true;
    return nothing;
  },
  /** The link to its primary is down for the named replicas, whatever the network says. */
  "stop-replication": ({ cluster }, names) =>
    forEach(cluster, names, (node) => {
      node.replicationStopped = true;
    }),
  "resume-replication": ({ cluster }, names) =>
    forEach(cluster, names, (node) => {
      node.replicationStopped = false;
    }),
  keys: ({ cluster }, [name = "", slot, count]) => {
    cluster.node(name).keys.set(Number(slot), Number(count));
    return nothing;
  },
  "forget-logs": ({ cluster }) =>
    forEach(cluster, [], (node) => {
      node.logs.length = 0;
    }),
  /** Epochs, as they are in memory and on the platter. */
  epochs: ({ cluster }, names) =>
    names.map((name) => {
      const { core, durableConf = "" } = cluster.node(name);
      const durable = /lastVoteEpoch (\d+)/.exec(durableConf)?.[1];
      return (
        `${name} current=${core.currentEpoch} config=${core.myself.configEpoch} ` +
        `vote=${core.lastVoteEpoch} vote on disk=${durable}`
      );
    }),
  /** Votes since the last time: who voted for whom, in which epoch. */
  votes: ({ cluster }) => {
    const votes = cluster.checker.takeVotes();
    return votes.length === 0 ? ["no votes"] : votes;
  },
  /** An operator's command on a node; prints the reply. */
  run: ({ cluster }, [name = "", ...words]) => {
    const reply = cluster.node(name).run(busCommand(cluster, words));
    if (reply.kind === "integer") return [String(reply.value)];
    return [reply.kind === "ok" ? "OK" : withNames(cluster, reply.text)];
  },
};

function forEach(
  cluster: SimCluster,
  names: readonly string[],
  act: (node: SimNode) => void,
): readonly string[] {
  const chosen = names.length === 0 ? cluster.nodes : names.map((name) => cluster.node(name));
  for (const node of chosen) act(node);
  return nothing;
}

function busCommand(cluster: SimCluster, [kind = "", ...words]: readonly string[]): BusCommand {
  const [first = "", second = "", third = ""] = words;
  const idOf = (name: string): string => cluster.node(name).core.myId;
  switch (kind) {
    case "failover":
      return { kind, mode: (first || "default") as "default" | "force" | "takeover" };
    case "replicate":
    case "forget":
    case "count-failure-reports":
      return { kind, node: idOf(first) };
    case "bump-epoch":
    case "save-config":
    case "flush-slots":
      return { kind };
    case "set-config-epoch":
      return { kind, epoch: Number(first) };
    case "reset":
      return { kind, hard: first === "hard" };
    case "meet":
      return { kind, ip: cluster.node(first).ip, port: 7000, busPort: 17000 };
    case "add-slots":
    case "delete-slots":
      return { kind, slots: slotList(first) };
    case "set-slot":
      if (second === "stable") return { kind: "set-slot-stable", slot: Number(first) };
      return {
        kind,
        slot: Number(first),
        action: second as "migrating" | "importing" | "node",
        node: idOf(third),
      };
    default:
      throw new ScenarioError(`no such command: ${kind}`);
  }
}

/** `5` or `0-5460`. */
function slotList(text: string): number[] {
  const [first = 0, last = first] = text.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function settings(words: readonly string[]): Map<string, string> {
  return new Map(words.map((word) => word.split("=") as [string, string]));
}

function configure(config: BusConfig, key: string, value: string): void {
  const fields = config as unknown as Record<string, unknown>;
  switch (typeof fields[key]) {
    case "boolean":
      fields[key] = value === "yes";
      break;
    case "number":
      fields[key] = /[a-z]$/.test(value) ? duration(value) : Number(value);
      break;
    default:
      throw new ScenarioError(`no such setting: ${key}`);
  }
}

/** `300ms`, `25s` or `2m`. */
function duration(text: string): Millis {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (match === null) throw new ScenarioError(`no duration: ${text}`);
  const unit = { ms: 1, s: 1000, m: 60_000 }[match[2] as "ms" | "s" | "m"];
  return Number(match[1]) * unit;
}

function withNames(cluster: SimCluster, text: string): string {
  return text.replace(/[0-9a-f]{40}/g, (id) => cluster.nameOf(id));
}
