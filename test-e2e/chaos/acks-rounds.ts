// What was confirmed by replicas, under kill -9 of the primary right after an acknowledgement:
// whoever takes over must have it. Confirmed is a reply under `replica-acks 1`, or one of WAIT
// that counts a replica. With two replicas one of them lags, because it stood still without a link
// during the writes; it runs again when the primary dies. `silence` also stops its sister, which
// has the writes, for a while, so that neither knows the other's offset.

import { setTimeout as delay } from "node:timers/promises";
import { ask, LiveCluster, type Member } from "../harness/live-cluster.js";
import { textOf } from "../harness/reply.js";
import { eventually, subject } from "../harness/server.js";
import { seeded } from "../harness/seeded.js";

export type Confirmation = "replica-acks" | "WAIT";

export interface AcksOptions {
  readonly rounds: number;
  readonly replicas: 1 | 2;
  readonly seed: number;
  readonly silence?: boolean;
  /** Tries the judge: replies that nobody confirmed count as if somebody had. */
  readonly unconfirmed?: boolean;
  readonly onRound?: (round: number) => void;
}

export interface AcksResult {
  readonly confirmed: Record<Confirmation, number>;
  readonly lost: string[];
  /** The lagging replica took over; it may, once it has waited, if its sister is gone for good. */
  laggingWon: number;
  failovers: number;
}

const primaries = 3;
const writesMax = 20;
const nodeTimeoutMs = 1_000;
const silenceMaxMs = 600;
/** Of the first primary, which is the one that dies. */
const tag = "{b}";

export async function acksRounds(options: AcksOptions): Promise<AcksResult> {
  const random = seeded(options.seed);
  await using cluster = await LiveCluster.start({
    programs: Array.from({ length: primaries + options.replicas }, () => subject()),
    primaries,
    directives: [
      ...["--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0"],
      ...["--cluster-node-timeout", String(nodeTimeoutMs), "--replica-acks", "1"],
      ...["--replica-acks-timeout", "5000"],
    ],
  });
  const shard = [cluster.member(0), ...cluster.members.slice(primaries)];
  for (const member of shard.slice(1)) {
    await eventually(`port ${member.port} joins the shard`, async () => {
      const said = await ask(member.server, "CLUSTER", "REPLICATE", cluster.member(0).id);
      return said === "OK" ? undefined : said;
    });
  }
  const run = new AcksRun(cluster, shard, options, random);
  for (let round = 0; round < options.rounds; round += 1) {
    await run.play(round);
    options.onRound?.(round);
  }
  return run.result;
}

class AcksRun {
  readonly result: AcksResult = {
    confirmed: { "replica-acks": 0, WAIT: 0 },
    lost: [],
    laggingWon: 0,
    failovers: 0,
  };
  readonly #cluster: LiveCluster;
  readonly #shard: readonly Member[];
  readonly #options: AcksOptions;
  readonly #random: (below: number) => number;

  constructor(
    cluster: LiveCluster,
    shard: readonly Member[],
    options: AcksOptions,
    random: (below: number) => number,
  ) {
    this.#cluster = cluster;
    this.#shard = shard;
    this.#options = options;
    this.#random = random;
  }

  async play(round: number): Promise<void> {
    const primary = await this.#inStep();
    const replicas = this.#shard.filter((member) => member !== primary);
    const lagging = replicas.length < 2 ? undefined : replicas[this.#random(replicas.length)];
    const sister = replicas.find((member) => member !== lagging) as Member;
    const by: Confirmation = round % 2 === 0 ? "replica-acks" : "WAIT";
    const asks = by === "WAIT" || this.#options.unconfirmed === true ? "0" : "1";
    await ask(primary.server, "CONFIG", "SET", "replica-acks", asks);
    const still = this.#options.unconfirmed === true ? replicas : replicas.filter(isOf(lagging));
    await this.#holdBack(primary, still, replicas.length);
    const keys = await this.#write(primary, by, round);
    await primary.server.kill9();
    if (lagging !== undefined) {
      if (this.#options.silence === true) process.kill(sister.server.pid, "SIGSTOP");
      process.kill(lagging.server.pid, "SIGCONT");
      await delay(this.#random(silenceMaxMs));
    }
    for (const { server } of replicas) process.kill(server.pid, "SIGCONT");
    const winner = await this.#winner(replicas, round);
    this.result.failovers += 1;
    if (winner === lagging) this.result.laggingWon += 1;
    await this.#judge(winner, keys, `round ${round}, confirmed by ${by}`);
    await this.#cluster.revive(primary);
  }

  /** One primary, and its replicas have all that it has. */
  async #inStep(): Promise<Member> {
    let primary: Member | undefined;
    await eventually("one primary, and its replicas are in step", async () => {
      const infos = await Promise.all(
        this.#shard.map(({ server }) => ask(server, "INFO", "replication")),
      );
      const found = infos.findIndex((text) => text.includes("role:master"));
      primary = this.#shard[found];
      const online = infos[found]?.match(/state=online/g)?.length ?? 0;
      if (online < this.#shard.length - 1) return infos.join("\n");
      const offsets = infos.map((text) => /master_repl_offset:(\d+)/.exec(text)?.[1]);
      if (new Set(offsets).size > 1) return offsets.join();
      const state = await ask((primary as Member).server, "CLUSTER", "INFO");
      return state.includes("cluster_state:ok") ? undefined : state;
    });
    return primary as Member;
  }

  /** They stand still, and their links are cut: what is sent would wait in their sockets. */
  async #holdBack(primary: Member, still: readonly Member[], replicas: number): Promise<void> {
    if (still.length === 0) return;
    for (const { server } of still) process.kill(server.pid, "SIGSTOP");
    await ask(primary.server, "CLIENT", "KILL", "TYPE", "replica");
    await eventually("the other replicas are back", async () => {
      const info = await ask(primary.server, "INFO", "replication");
      const online = info.match(/state=online/g)?.length ?? 0;
      return online === replicas - still.length ? undefined : info;
    });
  }

  /** The keys whose writes were confirmed; the primary is to be killed right after. */
  async #write(primary: Member, by: Confirmation, round: number): Promise<string[]> {
    using client = await primary.server.client();
    const keys: string[] = [];
    for (let count = this.#random(writesMax); count >= 0; count -= 1) {
      const key = `${tag}:${round}:${count}`;
      const said = textOf(await client.call("SET", key, key));
      if (said !== "OK") throw new Error(`SET in round ${round}: ${said}`);
      if (by === "WAIT" && this.#options.unconfirmed !== true) {
        const waited = Number(textOf(await client.call("WAIT", "1", "5000")));
        if (waited < 1) throw new Error(`WAIT in round ${round}: ${waited}`);
      }
      keys.push(key);
      this.result.confirmed[by] += 1;
    }
    return keys;
  }

  async #winner(replicas: readonly Member[], round: number): Promise<Member> {
    let winner: Member | undefined;
    await eventually(`a failover in round ${round}`, async () => {
      const roles = await Promise.all(
        replicas.map(({ server }) => ask(server, "INFO", "replication")),
      );
      winner = replicas[roles.findIndex((text) => text.includes("role:master"))];
      if (winner === undefined) return roles.join("\n");
      const state = await ask(winner.server, "CLUSTER", "INFO");
      return state.includes("cluster_state:ok") ? undefined : state;
    });
    return winner as Member;
  }

  async #judge(winner: Member, keys: readonly string[], when: string): Promise<void> {
    using client = await winner.server.client();
    for (const key of keys) {
      const found = textOf(await client.call("GET", key));
      if (found !== key) this.result.lost.push(`${when}: ${key} is ${found}`);
    }
  }
}

function isOf(wanted: Member | undefined): (member: Member) => boolean {
  return (member) => member === wanted;
}
