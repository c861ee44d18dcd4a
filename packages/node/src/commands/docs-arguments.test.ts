import assert from "node:assert/strict";
import { test } from "node:test";
import { families } from "./index.js";
import { type DocsArgument, docsArguments } from "./docs-arguments.js";
import type { CommandSpec } from "./spec.js";

/** A tree in one line: what a reader can compare. */
function drawn(list: readonly DocsArgument[]): string {
  return list.map(drawnOne).join(" ");
}

function drawnOne(argument: DocsArgument): string {
  const { name, type, token, displayText, keySpecIndex, since, deprecatedSince, flags } = argument;
  const marks = [
    token === undefined ? "" : `=${token}`,
    displayText === undefined || displayText === name ? "" : `(${displayText})`,
    keySpecIndex === undefined ? "" : `#${keySpecIndex}`,
    since === undefined ? "" : `@${since}`,
    deprecatedSince === undefined ? "" : `@-${deprecatedSince}`,
    flags.map((flag) => `!${flag}`).join(""),
  ].join("");
  const members = argument.arguments === undefined ? "" : `{${drawn(argument.arguments)}}`;
  return `${name}:${type}${marks}${members}`;
}

const cases: readonly (readonly [syntax: string, tree: string])[] = [
  ["", ""],
  ["key value", "key:key#0 value:string"],
  ["key [key ...]", "key:key#0!multiple"],
  ["[field ...]", "field:string!optional!multiple"],
  ["source destination", "source:key#0 destination:key#1"],
  ["[COUNT count]", "count:integer=COUNT!optional"],
  ["[LIMIT limit{offset count}]", "limit:block=LIMIT!optional{offset:integer count:integer}"],
  ["[GET pattern....]", "pattern:pattern=GET!optional!multiple!multiple_token"],
  ["[PREFIX prefix [PREFIX prefix ...]]", "prefix:string=PREFIX!optional!multiple!multiple_token"],
  ["data{field value}...", "data:block!multiple{field:string value:string}"],
  [
    "condition@2.6.12[NX | XX]",
    "condition:oneof@2.6.12!optional{nx:pure-token=NX xx:pure-token=XX}",
  ],
  ["key [member...]", "key:key#0 member:string!optional!multiple"],
  [
    "operator['='/equal | '~'/approximately]",
    "operator:oneof!optional{equal:pure-token== approximately:pure-token=~}",
  ],
  ["old(ip:port)@-2.8.12", "old:string(ip:port)@-2.8.12"],
  ["timeout:integer key#1", "timeout:integer key:key#1"],
  [
    "from{FROMMEMBER member | FROMLONLAT fromlonlat{longitude latitude}}",
    "from:oneof{member:string=FROMMEMBER fromlonlat:block=FROMLONLAT{longitude:double latitude:double}}",
  ],
];

for (const [syntax, tree] of cases) {
  test(`syntax '${syntax}'`, () => {
    assert.equal(drawn(docsArguments(syntax)), tree);
  });
}

test("every declared syntax is read to its end, with names for all arguments", () => {
  const walk = (list: readonly DocsArgument[], where: string): void => {
    for (const argument of list) {
      assert.match(
        argument.name,
        /^[a-z0-9*=~<>$+!:-]*[a-z0-9_.-]*$/i,
        `${where}: ${argument.name}`,
      );
      if (argument.arguments !== undefined) walk(argument.arguments, where);
    }
  };
  const check = (spec: CommandSpec, parent: string): void => {
    walk(docsArguments(spec.docs.syntax), `${parent}${spec.name}`);
    for (const sub of spec.subcommands ?? []) check(sub, `${spec.name}|`);
  };
  for (const spec of families.flat()) check(spec, "");
});
