// What an operator sees of the connections between nodes, and of those that MIGRATE keeps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { expectOk, TestCluster } from "../harness/cluster.js";
import { textOf } from "../harness/reply.js";
import { eventually, subject } from "../harness/server.js";

const tag = "{b}"; // Slot 3300, of the first.
const slot = "3300";

test("DEBUG CLUSTERLINK KILL cuts links, which come back; INFO counts links and MIGRATE's sockets", async () => {
  await using cluster = await TestCluster.start({
    programs: [subject(), subject()],
    primaries: 2,
    directives: ["--enable-debug-command", "yes", "--save", ""],
  });
  const [first, second] = cluster.servers;
  assert.ok(first !== undefined && second !== undefined);
  using client = await first.client();
  using other = await second.client();
  const peer = textOf(await other.call("CLUSTER", "MYID"));
  const links = async (): Promise<string> => (await client.call("CLUSTER", "LINKS")).toString();
  const field = async (section: string, name: string): Promise<number> => {
    const info = textOf(await client.call("INFO", section));
    return Number(new RegExp(`^${name}:(\\d+)\r?$`, "m").exec(info)?.[1]);
  };
  await eventually("both links stand", async () => {
    const seen = await links();
    return seen.includes("to") && seen.includes("from") ? undefined : seen;
  });

  const before = createTimes(await links());
  assert.equal(before.length, 2);
  await expectOk(client, "DEBUG", "CLUSTERLINK", "KILL", "all", peer);
  await eventually("both links are new", async () => {
    const now = createTimes(await links());
    return now.length === 2 && now.every((at) => !before.includes(at)) ? undefined : now.join(" ");
  });
  const unknown = await client.call("DEBUG", "CLUSTERLINK", "KILL", "to", "nobody");
  assert.equal(textOf(unknown), "ERR Unknown node nobody");
  const sideways = await client.call("DEBUG", "CLUSTERLINK", "KILL", "sideways", peer);
  assert.equal(textOf(sideways), "ERR Unknown direction sideways");
  assert.ok((await field("memory", "mem_cluster_links")) >= 0);

  assert.equal(await field("stats", "migrate_cached_sockets"), 0);
  await expectOk(client, "SET", `${tag}key`, "value");
  const mine = textOf(await client.call("CLUSTER", "MYID"));
  await expectOk(other, "CLUSTER", "SETSLOT", slot, "IMPORTING", mine);
  await expectOk(client, "CLUSTER", "SETSLOT", slot, "MIGRATING", peer);
  await expectOk(client, "MIGRATE", "127.0.0.1", String(second.port), `${tag}key`, "0", "5000");
  assert.equal(await field("stats", "migrate_cached_sockets"), 1);
});

/** Of the reply to CLUSTER LINKS; two links of one moment are told apart by nothing else. */
function createTimes(reply: string): string[] {
  return [...reply.matchAll(/create-time\D+(\d{10,})/g)].map(([, at = ""]) => at);
}
