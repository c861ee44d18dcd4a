/** What can be made to fail on a simulated disk, and the errors of it. */

import { DiskFailure } from "../adapters/disk-error.js";

export type SimOperation =
  | "open"
  | "write"
  | "sync"
  | "read"
  | "truncate"
  | "close"
  | "rename"
  | "remove"
  | "makeDirectory"
  | "syncDirectory";

export interface SimFault {
  readonly operation: SimOperation;
  readonly code: string;
  /** Only paths that contain this. */
  readonly path?: string;
  /** How many matching operations succeed first; default 0. */
  readonly skip?: number;
  /** How many fail then; default 1. */
  readonly times?: number;
  /** Bytes of a failing write that reach the file. */
  readonly written?: number;
  /** Of "sync" and "syncDirectory": success is reported, and nothing is made durable. */
  readonly lies?: boolean;
}

/** Every operation that can be made to fail. */
export const simOperations: readonly SimOperation[] = [
  "open",
  "write",
  "sync",
  "read",
  "truncate",
  "close",
  "rename",
  "remove",
  "makeDirectory",
  "syncDirectory",
];

/** The machine is down: thrown by every operation from the crash on until `restart`. */
export class SimCrashed extends Error {
  constructor() {
    super("the simulated machine is down");
    this.name = "SimCrashed";
  }
}

export function failure(fault: SimFault, operation: SimOperation, path: string): DiskFailure {
  return new DiskFailure(fault.code, `${fault.code}: injected, ${operation} '${path}'`, {
    path,
    ...(fault.written === undefined ? {} : { written: fault.written }),
  });
}
