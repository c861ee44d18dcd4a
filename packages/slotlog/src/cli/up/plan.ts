// What `slotlog up` wants to exist: the nodes, their ports and directories, who is whose replica
// and which slots each primary gets. Pure; `form.ts` makes it so.

import { join } from "node:path";
import { usageError } from "../errors.js";

export const slotCount = 16_384;

/** The bus listens on the client port plus this, as in Redis. */
export const busPortOffset = 10_000;

export interface ClusterShape {
  readonly primaries: number;
  /** Replicas of each primary. */
  readonly replicas: number;
  /** Port of the first node; the others follow. */
  readonly port: number;
}

export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

export type NodeRole =
  | { readonly kind: "primary"; readonly slots: SlotRange }
  /** `primary` is an index into the list of nodes. */
  | { readonly kind: "replica"; readonly primary: number };

export interface NodePlan {
  readonly port: number;
  readonly directory: string;
  readonly role: NodeRole;
}

export interface ClusterPlan {
  readonly host: string;
  readonly directory: string;
  readonly shape: ClusterShape;
  readonly nodes: readonly NodePlan[];
}

export function planCluster(shape: ClusterShape, host: string, directory: string): ClusterPlan {
  checkShape(shape);
  const nodes = planRoles(shape).map((role, index) => {
    const port = shape.port + index;
    return { port, directory: join(directory, String(port)), role };
  });
  return { host, directory, shape, nodes };
}

/**
 * Primaries come first, then the replicas in the same order, so that with three of each the fourth
 * node is the replica of the first: what everybody expects who has used Redis' own scripts.
 */
export function planRoles(shape: Pick<ClusterShape, "primaries" | "replicas">): NodeRole[] {
  const roles: NodeRole[] = slotRanges(shape.primaries).map((slots) => ({
    kind: "primary",
    slots,
  }));
  for (let round = 0; round < shape.replicas; round++) {
    for (let primary = 0; primary < shape.primaries; primary++) {
      roles.push({ kind: "replica", primary });
    }
  }
  return roles;
}

/** The same division as `redis-cli --cluster create` makes: equal parts, rounded. */
export function slotRanges(primaries: number): SlotRange[] {
  const share = slotCount / primaries;
  return Array.from({ length: primaries }, (_, index) => ({
    first: index === 0 ? 0 : Math.round(index * share - 1) + 1,
    last: index === primaries - 1 ? slotCount - 1 : Math.round((index + 1) * share - 1),
  }));
}

function checkShape({ primaries, replicas, port }: ClusterShape): void {
  checkInteger("--primaries", primaries, 1, 1000);
  checkInteger("--replicas", replicas, 0, 100);
  const nodes = primaries * (replicas + 1);
  // The bus port of the last node must exist too.
  const portMax = 65_535 - busPortOffset - (nodes - 1);
  checkInteger("--port", port, 1, 65_535);
  if (port > portMax) {
    throw usageError(
      `--port ${port} is too high for ${nodes} nodes: each also uses its port + ${busPortOffset}`,
      `The highest that works is ${portMax}.`,
    );
  }
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw usageError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
