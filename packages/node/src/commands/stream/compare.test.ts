/**
 * Streams beside a real server under the same random commands. The seed is printed when something
 * differs; `COMPARE_STEPS` and `COMPARE_SEED` make longer and other runs.
 */
import { after, describe, it } from "node:test";
import type { NodeConfig } from "../../config/config.js";
import {
  installedRedisServer,
  RedisServer,
  redisServerVersion,
} from "../../testing/redis-server.js";
import { compare } from "../../testing/comparison.js";
import {
  compareDumps,
  compareStreamEvents,
  compareStreams,
  longStream,
} from "../../testing/stream-comparison.js";

const steps = Number(process.env["COMPARE_STEPS"] ?? 2000);
const firstSeed = Number(process.env["COMPARE_SEED"] ?? 1);

interface Setting {
  readonly name: string;
  readonly args: readonly string[];
  readonly config: Partial<NodeConfig>;
}

function nodes(entries: number, bytes: number): Setting {
  return {
    name: `nodes of ${entries} entries and ${bytes} bytes`,
    args: ["--stream-node-max-entries", String(entries), "--stream-node-max-bytes", String(bytes)],
    config: { streamNodeMaxEntries: entries, streamNodeMaxBytes: bytes },
  };
}

const settings = [nodes(100, 4096), nodes(4, 4096), nodes(0, 300), nodes(10, 0)];

describe("streams beside a real server", () => {
  const binary = installedRedisServer();
  if (binary === undefined) {
    console.error("NOT COMPARED: no redis-server is installed; REDIS_SERVER names one");
    return;
  }
  const isSameVersion = redisServerVersion(binary) >= 702;
  const running: RedisServer[] = [];
  after(() => Promise.all(running.map((server) => server.stop())));

  it("trims the same entries of long streams", async () => {
    for (const setting of settings) {
      const server = await RedisServer.start(binary, setting.args);
      running.push(server);
      const harness = { config: setting.config };
      await compare(server, longStream(firstSeed), { harness, withRecords: isSameVersion });
    }
  });

  if (isSameVersion) {
    it("takes and gives dumps", async () => {
      const server = await RedisServer.start(binary);
      running.push(server);
      await compareDumps(server, firstSeed);
    });

    it("tells of the same events", async () => {
      const server = await RedisServer.start(binary);
      running.push(server);
      await compareStreamEvents(server, firstSeed);
    });
  }

  for (const protocol of [2, 3] as const) {
    for (const setting of settings) {
      it(`RESP${protocol}, ${setting.name}`, async () => {
        const server = await RedisServer.start(binary, setting.args);
        running.push(server);
        const harness = { config: setting.config, seed: firstSeed };
        await compareStreams(server, {
          seed: firstSeed * 10 + protocol,
          steps,
          protocol,
          harness,
          isSameVersion,
        });
      });
    }
  }
});
