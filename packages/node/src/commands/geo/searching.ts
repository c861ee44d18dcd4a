/** The declarations of GEOSEARCH, GEOSEARCHSTORE, and GEORADIUS with its relatives. */
import {
  type CommandDocs,
  type CommandFlag,
  type CommandSpec,
  keyAt,
  type KeySpec,
} from "../spec.js";
import { unitSyntax } from "./positions.js";
import { type QueryForm, runQuery } from "./queries.js";

const complexity = "O(N+log(M)) for N members in the cells around the shape and M members in all";
const upperCaseUnits: readonly [string, string] = ["7.0.0", "Takes units in upper case."];
const anyOption: readonly [string, string] = ["6.2.0", "Takes `ANY` with `COUNT`."];

const shapeSyntax =
  "from{FROMMEMBER member | FROMLONLAT fromlonlat{longitude latitude}} " +
  `by{circle{BYRADIUS radius ${unitSyntax}} | box{BYBOX width height ${unitSyntax}}} ` +
  "order[ASC | DESC] ";

const geosearch: CommandSpec = {
  name: "geosearch",
  arity: -7,
  flags: ["readonly"],
  categories: ["geo"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the members inside a circle or a box.",
    since: "6.2.0",
    group: "geo",
    complexity,
    syntax:
      `key ${shapeSyntax}` + "count-block[COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
    history: [upperCaseUnits],
  },
  run(context, argv) {
    runQuery(context, argv, { kind: "search", stores: "no" });
  },
};

const geosearchstore: CommandSpec = {
  name: "geosearchstore",
  arity: -8,
  flags: ["write", "denyoom"],
  categories: ["geo"],
  keys: [keyAt(1, "OW", "update"), keyAt(2, "RO", "access")],
  docs: {
    summary: "Stores the members inside a circle or a box under a key.",
    since: "6.2.0",
    group: "geo",
    complexity,
    syntax: `destination source ${shapeSyntax}count-block[COUNT count [ANY]] [STOREDIST]`,
    history: [upperCaseUnits],
  },
  run(context, argv) {
    runQuery(context, argv, { kind: "search", stores: "target" });
  },
};

/** The key behind STORE or STOREDIST. */
function storeKey(keyword: string, startFrom: number): KeySpec {
  return {
    flags: ["OW", "update"],
    begin: { type: "keyword", keyword, startFrom },
    find: { type: "range", last: 0, step: 1, limit: 0 },
  };
}

function radiusCommand(
  name: string,
  form: QueryForm,
  docs: Pick<CommandDocs, "summary" | "since" | "replacedBy" | "history" | "syntax">,
): CommandSpec {
  const words = form.kind === "radius" ? 6 : 5;
  const stores = form.stores === "option";
  const readsKey = keyAt(1, "RO", "access");
  const flags: readonly CommandFlag[] = stores ? ["write", "denyoom"] : ["readonly"];
  return {
    name,
    arity: -words,
    flags,
    categories: ["geo"],
    keys: stores ? [readsKey, storeKey("STORE", words), storeKey("STOREDIST", words)] : [readsKey],
    docs: { ...docs, group: "geo", complexity, deprecatedSince: "6.2.0" },
    run(context, argv) {
      runQuery(context, argv, form);
    },
  };
}

const aroundPosition = `key longitude latitude radius ${unitSyntax} `;
const aroundMember = `key member radius ${unitSyntax} `;
const withOptions = "[WITHCOORD] [WITHDIST] [WITHHASH] ";
const orderOption = "order[ASC | DESC]";
const storeOption = " store[STORE storekey(key) | STOREDIST storedistkey(key)]";

export const searching: readonly CommandSpec[] = [
  geosearch,
  geosearchstore,
  radiusCommand(
    "georadius",
    { kind: "radius", stores: "option" },
    {
      summary: "Returns or stores the members within a distance of a position.",
      since: "3.2.0",
      replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
      history: [anyOption, upperCaseUnits],
      syntax: `${aroundPosition}${withOptions}count-block[COUNT count [ANY@6.2.0]] ${orderOption}${storeOption}`,
    },
  ),
  radiusCommand(
    "georadius_ro",
    { kind: "radius", stores: "no" },
    {
      summary: "Returns the members within a distance of a position.",
      since: "3.2.10",
      replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
      history: [anyOption],
      syntax: `${aroundPosition}${withOptions}count-block[COUNT count [ANY@6.2.0]] ${orderOption}`,
    },
  ),
  radiusCommand(
    "georadiusbymember",
    { kind: "member", stores: "option" },
    {
      summary: "Returns or stores the members within a distance of a member.",
      since: "3.2.0",
      replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
      history: [upperCaseUnits],
      syntax: `${aroundMember}${withOptions}count-block[COUNT count [ANY]] ${orderOption}${storeOption}`,
    },
  ),
  radiusCommand(
    "georadiusbymember_ro",
    { kind: "member", stores: "no" },
    {
      summary: "Returns the members within a distance of a member.",
      since: "3.2.10",
      replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
      syntax: `${aroundMember}${withOptions}count-block[COUNT count [ANY]] ${orderOption}`,
    },
  ),
];
