/**
 * Blocking commands beside a real server. The seed is printed when something differs;
 * `COMPARE_STEPS` and `COMPARE_SEED` make longer and other runs.
 */
import { after, describe, it } from "node:test";
import { compareBlocking } from "../testing/blocking-comparison.js";
import { installedRedisServer, RedisServer, redisServerVersion } from "../testing/redis-server.js";

const steps = Number(process.env["COMPARE_STEPS"] ?? 1000);
const firstSeed = Number(process.env["COMPARE_SEED"] ?? 1);

describe("blocking commands beside a real server", () => {
  const binary = installedRedisServer();
  if (binary === undefined || redisServerVersion(binary) < 702) {
    console.error("NOT COMPARED: no redis-server of 7.2 or later; REDIS_SERVER names one");
    return;
  }
  const running: RedisServer[] = [];
  after(() => Promise.all(running.map((server) => server.stop())));

  for (const protocol of [2, 3] as const) {
    it(`RESP${protocol}`, async () => {
      const server = await RedisServer.start(binary);
      running.push(server);
      await compareBlocking(server, { seed: firstSeed * 10 + protocol, steps, protocol });
    });
  }
});
