// `npm run chaos`: breaks a cluster in every way there is, round after round, and says what became
// of the writes that were acknowledged.

import { parseArgs } from "node:util";
import { chaos, passed, type Round, roundTable } from "@slotlog/test-e2e/chaos/rounds-of-chaos";
import { faults } from "@slotlog/test-e2e/chaos/faults";

const help = `npm run chaos [-- options]

Six processes, writers, and in every round a fault, drawn by a seed. After each round: acknowledged
writes lost, entries there twice or from nobody, replicas beside primaries, and every append-only
file, read by slotlog and by redis-server, beside what its node holds.

  --rounds N         rounds (10)
  --seed S           repeats a run (random)
  --appendfsync P    always, everysec or no (everysec)
  --replica-acks N   writes wait for so many replicas (1); 0: failovers may lose some
  --only NAME        only this fault; may be given several times
  --json             one line of JSON per round

Faults: ${faults.map(({ name }) => name).join(", ")}.
Exit codes: 0 nothing wrong, 1 something lost or wrong, 2 wrong usage.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      appendfsync: { type: "string", default: "everysec" },
      "replica-acks": { type: "string", default: "1" },
      only: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !faults.some((fault) => fault.name === name));
  if (values.help || unknown !== undefined) {
    console.error(unknown === undefined ? help : `there is no fault "${unknown}"\n\n${help}`);
    return values.help ? 0 : 2;
  }
  const { appendfsync, json, only } = values;
  const replicaAcks = Number(values["replica-acks"]);
  const settings = `--appendfsync ${appendfsync} --replica-acks ${replicaAcks}`;
  if (!json) console.log(`repeat with: --seed ${values.seed} ${settings}`);
  const rounds: Round[] = [];
  await chaos({
    rounds: Number(values.rounds),
    seed: Number(values.seed),
    appendfsync,
    replicaAcks,
    only,
    onRound: (round) => {
      rounds.push(round);
      if (json) console.log(JSON.stringify(round));
      else report(round);
    },
  });
  const bad = rounds.filter((round) => !passed(round));
  if (!json) {
    console.log(`\n${roundTable(rounds)}\n`);
    const writes = rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    const verdict = bad.length === 0 ? "nothing is wrong" : `${bad.length} rounds went wrong`;
    console.log(
      `${rounds.length} rounds, ${writes} acknowledged writes, seed ${values.seed}: ${verdict}`,
    );
  }
  return bad.length === 0 ? 0 : 1;
}

function report(round: Round): void {
  const { fault, lost, unequal, wrong } = round;
  console.log(`round ${round.round}: ${fault}: ${passed(round) ? "ok" : "WRONG"}`);
  for (const text of [...lost, ...wrong, ...unequal].slice(0, 10)) console.log(`  ${text}`);
}

process.exitCode = await main();
