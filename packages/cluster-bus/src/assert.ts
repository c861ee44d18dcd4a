/**
 * Assertions of the bus. They stay on in production: a node that goes on with a wrong view of the
 * cluster does more harm than one that stops.
 */

export class BusAssertionError extends Error {
  override readonly name = "BusAssertionError";
}

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new BusAssertionError(what);
}
