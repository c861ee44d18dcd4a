/** Geo commands beside a real redis-server: replies byte for byte, log records. */
import { after, before, test } from "node:test";
import { Choices, compare } from "../../testing/comparison.js";
import { GeoCommands } from "../../testing/random-commands/geo.js";
import {
  installedRedisServer,
  RedisServer,
  redisServerVersion,
} from "../../testing/redis-server.js";

const binary = installedRedisServer();
const steps = Number(process.env["COMPARISON_STEPS"] ?? 2000);
const seed = Number(process.env["COMPARISON_SEED"] ?? 20261121);

/** Stored distances to 13 digits: the last ones are those of the C library's sine. */
function normalize(reply: string, words: readonly string[]): string {
  if (words[0] !== "ZRANGE") return reply;
  return reply.replaceAll(/(?:,|\$\d+\r\n)(\d+\.\d+(?:e[-+]\d+)?)\r\n/g, (_, text: string) =>
    Number(text).toPrecision(13),
  );
}

if (binary === undefined) {
  console.warn("NOT COMPARED: no redis-server is installed (or named by REDIS_SERVER)");
} else {
  const is72 = redisServerVersion(binary) >= 702;
  for (const protocol of [2, 3] as const) {
    let server: RedisServer;
    before(async () => {
      server = await RedisServer.start(binary);
    });
    after(() => server.stop());
    test(`geo commands in RESP${protocol}, seed ${seed}`, async () => {
      const generator = new GeoCommands(new Choices(seed * 2 + protocol), {
        storesDistances: true,
        hugeScores: is72,
      });
      const commands: string[][] = [["SET", "text", "x"]];
      for (let step = 0; step < steps; step++) commands.push(generator.next());
      await compare(server, commands, { protocol, withRecords: is72, normalize });
    });
  }
}
