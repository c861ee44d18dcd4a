// All scenarios that need one server. Those of clusters are in cluster.ts.

import type { Scenario } from "../scenario.js";
import { connection } from "./connection.js";
import { keys } from "./keys.js";
import { server } from "./server.js";
import { strings } from "./strings.js";
import { transactions } from "./transactions.js";

export const scenarios: readonly Scenario[] = [
  ...strings,
  ...keys,
  ...transactions,
  ...connection,
  ...server,
];
