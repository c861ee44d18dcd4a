/**
 * A node as a member of a cluster: makes its bridge to the bus, and does here what the bus says has
 * changed: keys of lost slots go, shard channels that moved are let go, messages are delivered.
 */
import { pathIn, textOfBytes } from "../config/byte-string.js";
import type { Node } from "../node.js";
import { ClusterBridge } from "./bridge.js";

/** Reads nodes.conf and joins. Throws a `NodesConfError` if the file is damaged. */
export async function joinCluster(node: Node): Promise<ClusterBridge> {
  const { config, ports } = node;
  const text = await ports.disk.readFile(pathIn(config.dir, config.clusterConfigFile));
  return new ClusterBridge(
    {
      ports,
      configuration: node.configuration,
      databases: node.databases,
      replication: node.replication,
      directory: textOfBytes(config.dir),
      port: node.port,
      deleteSlotKeys: (slots) => deleteSlotKeys(node, slots),
      onPublish: ({ sharded, channel, payload }) => {
        const name = Buffer.from(channel).toString("latin1");
        const message = Buffer.from(payload).toString("latin1");
        if (sharded) node.pubsub.publishToShard(name, message);
        else node.pubsub.publish(name, message);
      },
      onSlotsChanged: (slots) => dropMovedChannels(node, slots),
      pauseWrites: (until) => node.replicationControl.pauseWrites(until),
      unpauseWrites: () => node.replicationControl.unpauseWrites(),
      flushData: () => flushData(node),
      onFatal: () => void node.stop(),
    },
    text?.toString("latin1"),
  );
}

function dropMovedChannels(node: Node, slots: readonly number[]): void {
  if (node.pubsub.shardChannelCount === 0) return;
  const changed = new Set(slots);
  const core = node.cluster?.bus.core;
  const shard = core === undefined ? undefined : (core.primary?.id ?? core.myId);
  node.pubsub.dropShardChannels((channel) => {
    const slot = node.databases.first.slotOf(channel);
    return changed.has(slot) && core?.ownerOf(slot)?.id !== shard;
  });
}

/** Another node owns these slots now: what is left of them here goes, in the log as well. */
export function deleteSlotKeys(node: Node, slots: readonly number[]): void {
  const database = node.databases.first;
  for (const slot of slots) {
    for (const key of database.keysInSlot(slot, database.slotSize(slot))) {
      database.delete(key);
      node.propagate(database.index, ["DEL", key]);
      node.hooks.modified(database, key);
    }
  }
  node.turn.schedule();
}

/** CLUSTER RESET of a replica. */
function flushData(node: Node): void {
  node.breakWatches();
  node.databases.clear();
  node.tracking.flushed();
  node.propagate(0, ["FLUSHALL"]);
  node.turn.schedule();
}
