/**
 * Random commands of several clients, many of which block, on a real server and on a node in this
 * process: after each, every client must have been told the same by both, and at the end both must
 * have logged the same.
 */
import assert from "node:assert/strict";
import { BlockingWords, clientMark } from "./blocking-words.js";
import { RealClients } from "./real-clients.js";
import type { RedisServer } from "./redis-server.js";
import { SeveralClients } from "./several-clients.js";

type Words = readonly string[];

const clientCount = 6;
/** One more only hears of every change, in the order in which they happen. */
const listener = clientCount;

export async function compareBlocking(
  server: RedisServer,
  options: { readonly seed: number; readonly steps: number; readonly protocol: 2 | 3 },
): Promise<void> {
  const real = await RealClients.connect(server.port, clientCount + 1);
  const ours = new SeveralClients(clientCount + 1, { seed: options.seed });
  const ids = await introduce(real, ours, options.protocol);
  const events = options.protocol === 2 ? "AKEnm" : "KEtl";
  for (const side of [real, ours]) {
    await side.say(listener, ["CONFIG", "SET", "notify-keyspace-events", events]);
    await side.say(listener, ["PSUBSCRIBE", "*"]);
    side.heard(listener);
  }
  const words = new BlockingWords(options.seed, clientCount);
  const said: string[] = [];
  const say = async (client: number, command: Words): Promise<void> => {
    said.push(`${client}: ${command.join(" ")}`);
    ours.say(client, withIds(command, ids.ours));
    await real.say(client, withIds(command, ids.theirs));
    const heard = ours.clients.map((_, index) => [ours.heard(index), real.heard(index)] as const);
    if (heard.every(([our, their]) => our === their)) return;
    const different = heard.flatMap(([our, their], index) =>
      our === their
        ? []
        : [`client ${index}\nours   ${JSON.stringify(our)}\ntheirs ${JSON.stringify(their)}`],
    );
    const before = JSON.stringify(said.slice(-25), undefined, 1);
    assert.fail(`${different.join("\n")}\nafter ${before}`);
  };
  try {
    for (let step = 0; step < options.steps; step++) {
      const isBlocked = (index: number): boolean => ours.clients[index]?.blocked !== undefined;
      const blocked = ours.clients.filter((_, index) => isBlocked(index)).length;
      const free = clientCount - blocked;
      words.isCalm = free >= clientCount - 1;
      const client = words.speaker(isBlocked);
      for (const command of words.next(free > 1 && !isBlocked(client))) await say(client, command);
    }
    assert.deepEqual(recordTexts(ours.records), recordTexts(await server.records()));
  } catch (error) {
    console.error(`comparison failed: seed ${options.seed}, RESP${options.protocol}`);
    throw error;
  } finally {
    real.close();
  }
}

/** Chooses the protocol and learns the ids on both sides. */
async function introduce(
  real: RealClients,
  ours: SeveralClients,
  protocol: 2 | 3,
): Promise<{ readonly ours: readonly string[]; readonly theirs: readonly string[] }> {
  const theirs: string[] = [];
  for (const [index, client] of ours.clients.entries()) {
    client.protocol = protocol;
    await real.say(index, ["HELLO", String(protocol)]);
    real.heard(index);
    await real.say(index, ["CLIENT", "ID"]);
    theirs.push(/\d+/.exec(real.heard(index))?.[0] ?? "");
  }
  return { ours: ours.clients.map(({ id }) => String(id)), theirs };
}

function withIds(words: Words, ids: readonly string[]): Words {
  return words.map((word) => ids.find((_, index) => word === clientMark(index)) ?? word);
}

/** Delivery times differ by the clocks; a SELECT may stand on either side of a MULTI. */
function recordTexts(records: readonly Words[]): readonly string[] {
  let database = "0";
  const texts: string[] = [];
  for (const words of records) {
    if (words[0] === "SELECT") database = words[1] ?? "";
    else if (words[0] === "MULTI") texts.push("MULTI");
    else texts.push(`${database}: ${words.map(timeless).join(" ")}`);
  }
  return texts;
}

function timeless(word: string): string {
  return /^1[6-9]\d{11}$/.test(word) ? "<time>" : word;
}
