/** All command families, in the order in which the documentation lists them. */
import type { CommandSpec } from "./spec.js";
import { hashFamily } from "./hash/index.js";
import { listFamily } from "./list/index.js";
import { setFamily } from "./set/index.js";
import { streamFamily } from "./stream/index.js";
import { replication } from "./replication/replication.js";
import { persistence } from "./persistence/persistence.js";
import { transactions } from "./transactions/transactions.js";
import { accessControl } from "./acl/index.js";
import { connection } from "./connection/index.js";
import { server } from "./server/index.js";
import { clusterClient } from "./cluster/client.js";
import { cluster } from "./cluster/cluster.js";
import { publishing } from "./pubsub/publish.js";
import { subscriptions } from "./pubsub/subscribe.js";
import { geoFamily } from "./geo/index.js";
import { sortedSetFamily } from "./sorted-set/index.js";
import { bitmaps } from "./bitmap/index.js";
import { hyperLogLogs } from "./hyperloglog/index.js";
import { generic } from "./generic/index.js";
import { strings } from "./string/index.js";

export const families: readonly (readonly CommandSpec[])[] = [
  cluster,
  clusterClient,
  publishing,
  subscriptions,
  persistence,
  replication,
  transactions,
  accessControl,
  connection,
  server,
  generic,
  strings,
  bitmaps,
  hyperLogLogs,
  hashFamily,
  listFamily,
  setFamily,
  sortedSetFamily,
  geoFamily,
  streamFamily,
];
