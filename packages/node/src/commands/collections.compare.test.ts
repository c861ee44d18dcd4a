/**
 * Hashes, lists and sets beside a real server under the same random commands. The seed is printed
 * when something differs; `COMPARE_STEPS` and `COMPARE_SEED` make longer and other runs.
 */
import { after, describe, it } from "node:test";
import type { NodeConfig } from "../config/config.js";
import { compareCollections } from "../testing/collection-comparison.js";
import { type CollectionFamily, commandSource } from "../testing/collection-words.js";
import { installedRedisServer, RedisServer, redisServerVersion } from "../testing/redis-server.js";

const steps = Number(process.env["COMPARE_STEPS"] ?? 1500);
const firstSeed = Number(process.env["COMPARE_SEED"] ?? 1);

const unordered = new Set([
  "hgetall",
  "hkeys",
  "hvals",
  "hscan",
  "smembers",
  "sinter",
  "sunion",
  "sdiff",
  "sscan",
]);
const random = new Set(["hrandfield", "srandmember"]);

/** No mistake in a random command may make the real server eat the machine's memory. */
const bounded = ["--client-output-buffer-limit", "normal", "64mb", "0", "0"];

interface Setting {
  readonly name: string;
  readonly args: readonly string[];
  readonly config: Partial<NodeConfig>;
}

const defaults: Setting = { name: "defaults", args: [], config: {} };
const settings: Readonly<Record<CollectionFamily, readonly Setting[]>> = {
  hash: [
    {
      name: "small listpacks",
      args: ["--hash-max-listpack-entries", "8", "--hash-max-listpack-value", "20"],
      config: { hashMaxListpackEntries: 8, hashMaxListpackValue: 20 },
    },
  ],
  list: [
    {
      name: "nodes of 3 elements",
      args: ["--list-max-listpack-size", "3"],
      config: { listMaxListpackSize: 3 },
    },
    {
      name: "nodes of 4 KB",
      args: ["--list-max-listpack-size", "-1"],
      config: { listMaxListpackSize: -1 },
    },
  ],
  sort: [],
  set: [
    {
      name: "small intsets and listpacks",
      args: ["--set-max-intset-entries", "40"],
      config: { setMaxIntsetEntries: 40 },
    },
  ],
};

describe("collections beside a real server", () => {
  const binary = installedRedisServer();
  if (binary === undefined) {
    console.error("NOT COMPARED: no redis-server is installed; REDIS_SERVER names one");
    return;
  }
  // Version 7.0 has no listpack encodings of sets and lists, and lists their members otherwise.
  const isSame = redisServerVersion(binary) >= 702;
  const running: RedisServer[] = [];
  after(() => Promise.all(running.map((server) => server.stop())));

  for (const family of ["hash", "list", "set", "sort"] as const) {
    for (const protocol of [2, 3] as const) {
      for (const setting of [defaults, ...settings[family]]) {
        it(`${family}, RESP${protocol}, ${setting.name}`, async () => {
          const server = await RedisServer.start(binary, [...bounded, ...setting.args]);
          running.push(server);
          await compareCollections(server, {
            seed: firstSeed,
            steps,
            keys: ["a", "b", "c", "d"],
            next: commandSource(family, firstSeed + protocol),
            unordered,
            random,
            protocol,
            harness: { config: setting.config, seed: firstSeed },
            isSameVersion: isSame,
          });
        });
      }
    }
  }
});
