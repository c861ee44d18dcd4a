/**
 * All directives in the order in which CONFIG GET lists them, and the type of the record of their
 * values, derived from the declarations. A name that is declared twice ends the process at once.
 */

import type { AnyDirective, Directive } from "../directive.js";
import { networkDirectives, processDirectives, tlsDirectives } from "./network.js";
import { observationDirectives } from "./observation.js";
import { slotlogDirectives } from "./slotlog.js";
import { datasetDirectives, memoryDirectives, persistenceDirectives } from "./storage.js";
import { clusterDirectives, replicationDirectives } from "./topology.js";

const declared = [
  ...networkDirectives,
  ...processDirectives,
  ...datasetDirectives,
  ...memoryDirectives,
  ...persistenceDirectives,
  ...replicationDirectives,
  ...clusterDirectives,
  ...observationDirectives,
  ...tlsDirectives,
  ...slotlogDirectives,
] as const;

type Declared = (typeof declared)[number];

/** `max-len` → `maxLen`; the field of `NodeConfig` that holds a directive. */
export type FieldOf<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<FieldOf<Tail>>}`
  : Name extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<FieldOf<Tail>>}`
    : Name;

type ValueOf<Each> = Each extends Directive<string, infer Value> ? Value : never;

/** The values in force, numbers in base units. Readers never write; CONFIG SET changes in place. */
export type NodeConfig = {
  readonly [Each in Declared as FieldOf<Each["name"]>]: ValueOf<Each>;
};

export type DirectiveName = Declared["name"];
export type DirectiveValue<Name extends DirectiveName> = NodeConfig[FieldOf<Name> &
  keyof NodeConfig];

/** A name under which a directive is found: its own, or its older one. */
export interface Entry {
  readonly name: string;
  readonly isAlias: boolean;
  readonly directive: AnyDirective;
  readonly field: keyof NodeConfig;
}

export const directives: readonly AnyDirective[] = declared;

/** Names and aliases, each in its own entry, in listing order. */
export const entries: readonly Entry[] = directives.flatMap((directive) => {
  const field = fieldOf(directive.name);
  const own: Entry = { name: directive.name, isAlias: false, directive, field };
  if (directive.alias === undefined) return [own];
  return [own, { name: directive.alias, isAlias: true, directive, field }];
});

const byName: ReadonlyMap<string, Entry> = indexByName(entries);

/** Finds a directive by name or alias, in any case. */
export function findEntry(name: string): Entry | undefined {
  return byName.get(name.toLowerCase());
}

function fieldOf(name: string): keyof NodeConfig {
  return name.replaceAll(/[-_](.)/g, (_, letter: string) =>
    letter.toUpperCase(),
  ) as keyof NodeConfig;
}

function indexByName(all: readonly Entry[]): ReadonlyMap<string, Entry> {
  const index = new Map<string, Entry>();
  for (const entry of all) {
    if (index.has(entry.name)) throw new Error(`directive ${entry.name} is declared twice`);
    index.set(entry.name, entry);
  }
  return index;
}
