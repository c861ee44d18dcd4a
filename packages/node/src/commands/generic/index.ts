/** The generic family: commands about keys whatever they hold. */
import type { CommandSpec } from "../spec.js";
import { dumping } from "./dump.js";
import { expiring } from "./expire.js";
import { wholeDatabases } from "./flush.js";
import { keyspace } from "./keys.js";
import { migrate } from "./migrate.js";
import { object } from "./object.js";
import { renaming } from "./rename.js";
import { scan } from "./scan.js";
import { sorting } from "./sort.js";
import { timesLeft } from "./ttl.js";

export const generic: readonly CommandSpec[] = [
  ...keyspace,
  ...expiring,
  ...timesLeft,
  ...renaming,
  scan,
  object,
  ...dumping,
  migrate,
  ...wholeDatabases,
  ...sorting,
];
