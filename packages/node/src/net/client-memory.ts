/**
 * What clients take in memory, and `maxmemory-clients`: the largest go when they take too much
 * together, before any key has to go for them.
 */
import type { Client } from "./client.js";

/** A connection's own state in memory, buffers aside: an estimate. */
const connectionBytes = 1024;
/** Below this nobody could talk to the server at all, whatever was configured: Redis' floor. */
const limitBytesMin = 128 * 1024;

export function clientBytes({ link, queuedBytes }: Client): number {
  const { argumentBytes = 0, outputBufferBytes, queryBufferBytes } = link;
  return connectionBytes + outputBufferBytes + queryBufferBytes + argumentBytes + queuedBytes;
}

/** Bytes that clients may take together; infinity without a limit. */
export function clientsBytesMax(settings: {
  readonly maxmemory: number;
  /** Bytes; below zero, percent of `maxmemory`; 0 is no limit. */
  readonly maxmemoryClients: number;
}): number {
  const { maxmemory, maxmemoryClients } = settings;
  if (maxmemoryClients === 0 || (maxmemoryClients < 0 && maxmemory === 0)) {
    return Number.POSITIVE_INFINITY;
  }
  const bytes = maxmemoryClients > 0 ? maxmemoryClients : (maxmemory * -maxmemoryClients) / 100;
  return Math.max(limitBytesMin, bytes);
}

/** The clients to be closed, largest first, so that the others take less than `bytesMax`. */
export function clientsToEvict(clients: Iterable<Client>, bytesMax: number): readonly Client[] {
  if (bytesMax === Number.POSITIVE_INFINITY) return [];
  const candidates: { readonly client: Client; readonly bytes: number }[] = [];
  let total = 0;
  for (const client of clients) {
    if (client.isReplica || client.kind !== "normal" || client.closing) continue;
    const bytes = clientBytes(client);
    total += bytes;
    if (!client.noEvict) candidates.push({ client, bytes });
  }
  if (total < bytesMax) return [];
  candidates.sort((one, other) => other.bytes - one.bytes);
  const evicted: Client[] = [];
  for (const { client, bytes } of candidates) {
    if (total < bytesMax) break;
    evicted.push(client);
    total -= bytes;
  }
  return evicted;
}
