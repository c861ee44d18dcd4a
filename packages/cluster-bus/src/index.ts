/** The public face of the cluster bus. */

export { BusAssertionError } from "./assert.js";
export type { ClusterCoreOptions, CommandOutcome, NodeView } from "./core/cluster.js";
export { ClusterCore } from "./core/cluster.js";
export type { BusConfig, PreferredEndpointType } from "./core/config.js";
export {
  announcedPorts,
  busPortIncrement,
  defaultBusConfig,
  listenBusPort,
} from "./core/config.js";
export type { BusEffect, BusLogLevel, LinkId, LocalRole } from "./core/effects.js";
export type {
  BusCommand,
  BusHost,
  BusInput,
  BusRandom,
  CommandReply,
} from "./core/inputs.js";
export type { LinkView, Shard, ShardNode, SlotsEntry, SlotsNode } from "./core/views.js";
export type { BusMessage, Millis, NodeId } from "./message.js";
export { isNodeId, messageTypes } from "./message.js";
export type { NodeLine, NodesConf } from "./nodes-conf.js";
export { formatNodesConf, NodesConfError, parseNodesConf } from "./nodes-conf.js";
export { keySlot, keySlotOfBytes, slotCount } from "./slot.js";
export { slotRoutes } from "./slot-map.js";
export type { BusDriverOptions, BusNode, LinkReport } from "./io/driver.js";
export { BusDriver } from "./io/driver.js";
export type {
  BusClock,
  BusDisk,
  BusDiskFile,
  BusListener,
  BusLog,
  BusNet,
  BusSocket,
  BusSocketHandlers,
  BusTimer,
} from "./io/ports.js";
