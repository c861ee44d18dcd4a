// Whether nodes that are to be one cluster can be: what each of them knows already must be the
// same cluster, or nothing. Two clusters that meet become one, and the slots of one of them lose;
// a volume that was mixed up must not do that. Pure.

import type { KnownNode } from "./cluster-nodes.js";
import { slotsOf } from "../cluster/slots.js";

export interface Belonging {
  /** What messages call it. */
  readonly label: string;
  /** Its CLUSTER NODES. */
  readonly known: readonly KnownNode[];
  /** It is to own slots of its own, and would take them now if it has none. */
  readonly becomesPrimary: boolean;
}

/** Why these nodes cannot become one cluster; undefined if they can. */
export function obstacle(asked: readonly Belonging[]): string | undefined {
  // A node in handshake goes by an invented id, and is nobody yet.
  const members = asked.map((member) => ({
    ...member,
    known: member.known.filter(({ flags }) => !flags.includes("handshake")),
  }));
  const formed = members.filter(({ known }) => known.length > 1);
  const [first, ...others] = formed;
  if (first === undefined) return doubleClaim(members);
  const idsOfFirst = new Set(first.known.map(({ id }) => id));
  for (const other of others) {
    if (other.known.some(({ id }) => idsOfFirst.has(id))) continue;
    return `${other.label} belongs to another cluster than ${first.label}`;
  }
  const ownedThere = new Set(first.known.flatMap(({ slots }) => slotsOf(slots)));
  for (const { becomesPrimary, known, label } of members) {
    const own = known.find(({ flags }) => flags.includes("myself"));
    if (known.length > 1 || own === undefined || idsOfFirst.has(own.id)) continue;
    if (slotsOf(own.slots).some((slot) => ownedThere.has(slot))) {
      return `${label} belongs to another cluster than ${first.label}`;
    }
    if (own.slots.length === 0 && becomesPrimary) {
      return `${label} is empty, while ${first.label} is in a cluster already`;
    }
  }
  return undefined;
}

/** Nodes that know nobody yet, as after a start that was cut short: no slot may be owned twice. */
function doubleClaim(members: readonly Belonging[]): string | undefined {
  const owners = new Map<number, string>();
  for (const { label, known } of members) {
    const own = known.find(({ flags }) => flags.includes("myself"));
    for (const slot of slotsOf(own?.slots ?? [])) {
      const owner = owners.get(slot);
      if (owner !== undefined) return `slot ${slot} is owned by ${owner} and by ${label}`;
      owners.set(slot, label);
    }
  }
  return undefined;
}
