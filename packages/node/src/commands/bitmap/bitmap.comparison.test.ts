/** Bitmap commands against a real redis-server: replies byte for byte, and the log. */
import { after, before, test } from "node:test";
import { Choices, compare } from "../../testing/comparison.js";
import { randomBitmapCommand } from "../../testing/random-commands/bitmaps.js";
import { randomGenericCommand } from "../../testing/random-commands/generic.js";
import { randomStringCommand } from "../../testing/random-commands/strings.js";
import {
  installedRedisServer,
  RedisServer,
  redisServerVersion,
} from "../../testing/redis-server.js";

const binary = installedRedisServer();
const steps = Number(process.env["COMPARISON_STEPS"] ?? 3000);
const seed = Number(process.env["COMPARISON_SEED"] ?? 20261121);

if (binary === undefined) {
  console.warn("NOT COMPARED: no redis-server is installed (or named by REDIS_SERVER)");
} else {
  let server: RedisServer;
  const withRecords = redisServerVersion(binary) >= 702;
  before(async () => {
    server = await RedisServer.start(binary);
  });
  after(() => server.stop());

  for (const protocol of [2, 3] as const) {
    test(`bitmap commands in RESP${protocol}, seed ${seed}`, async () => {
      const choices = new Choices(seed + protocol);
      const commands = Array.from({ length: steps }, () => {
        if (choices.chance(0.05)) return randomGenericCommand(choices);
        return choices.chance(0.05) ? randomStringCommand(choices) : randomBitmapCommand(choices);
      });
      await compare(server, commands, { protocol, withRecords });
    });
  }
}
