/** All command families, in the order in which the documentation lists them. */
import type { CommandSpec } from "./spec.js";
import { replication } from "./replication/replication.js";
import { bgrewriteaof } from "./persistence/persistence.js";
import { transactions } from "./transactions/transactions.js";
import { ping } from "./connection/ping.js";
import { cluster } from "./cluster/cluster.js";
import { publishing } from "./pubsub/publish.js";
import { subscriptions } from "./pubsub/subscribe.js";
import { get } from "./string/get.js";
import { set } from "./string/set.js";

export const families: readonly (readonly CommandSpec[])[] = [cluster, publishing, subscriptions, [bgrewriteaof], replication, transactions, [ping], [get, set]];
