// Replicas of a server: how they begin to follow, and when they have all of it.

import assert from "node:assert/strict";
import type { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Server } from "../harness/server.js";
import { expiriesOf } from "./state.js";

export async function follow(follower: Server, primary: Server): Promise<void> {
  using client = await follower.client();
  const answer = textOf(await client.call("REPLICAOF", "127.0.0.1", String(primary.port)));
  assert.match(answer, /^OK/);
}

export /** What is about to expire has expired, and every replica has all of it. */
async function settled(primary: Server, replicas: readonly Server[]): Promise<void> {
  using client = await primary.client();
  await eventually("nothing is about to expire", async () => {
    const soon = Date.now() + 3_600_000;
    const left = [...(await expiriesOf(client))].filter(([, at]) => at >= 0 && at < soon);
    if (left.length > 0) return left.map(([key, at]) => `${key} at ${at}`).join();
    return await expiredOf(client);
  });
  for (const replica of replicas) {
    using other = await replica.client();
    await eventually("the replica has caught up", async () => {
      const [ours, theirs] = [
        textOf(await client.call("INFO", "replication")),
        textOf(await other.call("INFO", "replication")),
      ];
      const offset = /master_repl_offset:(\d+)/;
      if (!theirs.includes("master_link_status:up")) return theirs;
      const [there, here] = [offset.exec(ours)?.[1], offset.exec(theirs)?.[1]];
      return there === here ? undefined : `${here} of ${there}`;
    });
  }
}

/** Keys whose time has come are not shown, but counted, digested and replicated until they go. */
async function expiredOf(client: RawClient): Promise<string | undefined> {
  const info = textOf(await client.call("INFO", "keyspace"));
  const counts = [...info.matchAll(/keys=(\d+)/g)].map(([, count]) => Number(count));
  const counted = counts.reduce((sum, count) => sum + count, 0);
  const shown = (await expiriesOf(client)).size;
  return counted === shown ? undefined : `${counted} keys, ${shown} of them shown`;
}
