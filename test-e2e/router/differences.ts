// Where a client can tell the router from one server. docs/router.md says the same in prose; an
// entry that nothing meets fails the test.

import type { Reply } from "../interop/known-differences.js";

export interface RouterDifference {
  readonly id: string;
  readonly matches: (reply: Reply) => boolean;
}

const refusedDatabases =
  /^-ERR (SELECT is not allowed|SWAPDB is not allowed|MOVE is not allowed|Copying to another database is not allowed) in cluster mode\r\n$/;
/** Scenarios that go on in a database that a cluster does not have. */
const withDatabases = /^(databases:|RENAME RENAMENX COPY MOVE|WATCH|MULTI and EXEC)/;

export const differences: readonly RouterDifference[] = [
  {
    id: "there is one database",
    matches: ({ line, ours }) =>
      refusedDatabases.test(ours) || (/^COPY .* DB 1/.test(line) && ours.includes("DB index")),
  },
  {
    id: "there is one database: what was not moved elsewhere, or is looked for there",
    matches: ({ line, scenario }) =>
      withDatabases.test(scenario) && /^(~sorted KEYS|DBSIZE|GET|EXEC)/.test(line),
  },
  {
    id: "SCAN walks one primary after the other, so its cursors are others",
    matches: ({ line, ours }) => line.includes("SCAN 0") && ours.startsWith("*2\r\n$"),
  },
  {
    id: "a transaction is one node's: no command for all nodes in it",
    matches: ({ ours }) => /^-ERR slotlog router: .* concerns all nodes/.test(ours),
  },
  {
    id: "DEBUG is a node's own",
    matches: ({ line, ours }) =>
      line.startsWith("DEBUG ") && ours.startsWith("-ERR slotlog router: DEBUG"),
  },
];
