/** Where a data set stands in a replication history, and how an RDB tells it. */

export interface StreamPosition {
  readonly id: string;
  readonly offset: number;
  /** The database that the stream has selected there. */
  readonly streamDatabase: number;
}

/** What the auxiliary fields of an RDB say; `undefined` if they do not, or not all of it. */
export function positionOfAux(aux: ReadonlyMap<string, string>): StreamPosition | undefined {
  const id = aux.get("repl-id") ?? "";
  const offset = Number(aux.get("repl-offset") ?? Number.NaN);
  const streamDatabase = Number(aux.get("repl-stream-db") ?? -1);
  if (!/^[0-9a-f]{40}$/.test(id) || !Number.isSafeInteger(offset) || streamDatabase < 0) {
    return undefined;
  }
  return { id, offset, streamDatabase };
}
