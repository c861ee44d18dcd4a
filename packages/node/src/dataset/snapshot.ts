/**
 * The data set as an RDB, in chunks. This first form encodes everything at once, between two turns,
 * so it is exact and it stalls; the walker that works in slices takes its place behind the same
 * function.
 */
import { RdbEncoder, type RdbEncoderOptions, type RdbHeader } from "../rdb/index.js";
import { toNeutral } from "../rdb/values-bridge.js";
import type { DatabaseSet } from "../store/database-set.js";

/** Chunks are taken from the encoder when about this much is ready. */
const chunkBytes = 1024 * 1024;

export interface SnapshotOptions {
  readonly databases: DatabaseSet;
  readonly header: RdbHeader;
  readonly encoder: RdbEncoderOptions;
  /** Source code of the function libraries. */
  readonly functions: readonly string[];
  readonly includeData: boolean;
}

export function snapshotChunks(options: SnapshotOptions): Buffer[] {
  const encoder = new RdbEncoder(options.encoder);
  const chunks: Buffer[] = [];
  encoder.header(options.header);
  for (const code of options.functions) encoder.function(code);
  if (options.includeData) {
    for (const database of options.databases.databases) {
      if (database.size === 0) continue;
      encoder.selectDb(database.index);
      encoder.resizeDb(database.size, database.volatileSize);
      database.forEach((key, value, expireAt) => {
        const meta = { key, expireAt: expireAt === Number.POSITIVE_INFINITY ? -1 : expireAt };
        encoder.key(meta, toNeutral(value));
        if (encoder.pendingBytes >= chunkBytes) chunks.push(...encoder.takeChunks());
      });
    }
  }
  encoder.end();
  chunks.push(...encoder.takeChunks());
  return chunks;
}
