// `npm run soak -- acks`: many failovers right after confirmed writes.

import { parseArgs } from "node:util";
import { textTable } from "../harness/text-table.js";
import { acksRounds } from "./acks-rounds.js";

const help = `npm run soak -- acks [options]

kill -9 of a primary right after a write that a replica has confirmed, by replica-acks and by WAIT
in turn; its replica, or one of its two, takes over by election and must have the write.

  --rounds N     rounds with one replica, and as many with two, one of which lags (100)
  --replicas R   only with 1, or only with 2
  --silence      the sister of the one that lags stands still after the kill for up to 0.6 s
  --seed N       repeats the choices of a run (random); it is printed`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "100" },
      replicas: { type: "string" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
      silence: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const seed = Number(values.seed);
  const rounds = Number(values.rounds);
  console.log(`seed ${seed}`);
  const rows = [["replicas", "failovers", "by replica-acks", "by WAIT", "lagging won", "lost"]];
  const lost: string[] = [];
  for (const replicas of [1, 2] as const) {
    if (values.replicas !== undefined && Number(values.replicas) !== replicas) continue;
    const result = await acksRounds({ rounds, replicas, seed, silence: values.silence });
    const { confirmed, failovers, laggingWon } = result;
    const counts = [failovers, confirmed["replica-acks"], confirmed.WAIT, laggingWon];
    rows.push([replicas, ...counts, result.lost.length].map(String));
    lost.push(...result.lost);
  }
  console.log(textTable(rows));
  for (const line of lost) console.log(line);
  return lost.length === 0 ? 0 : 1;
}

process.exitCode = await main();
