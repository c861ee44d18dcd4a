/** The thresholds of RDB's packed encodings, as the configuration has them now. */
import type { NodeConfig } from "../config/config.js";
import type { RdbThresholds } from "../rdb/index.js";

export type EncodingLimits = Pick<
  NodeConfig,
  | "hashMaxListpackEntries"
  | "hashMaxListpackValue"
  | "listMaxListpackSize"
  | "setMaxIntsetEntries"
  | "zsetMaxListpackEntries"
  | "zsetMaxListpackValue"
  | "streamNodeMaxBytes"
  | "streamNodeMaxEntries"
>;

/** What -1 to -5 mean for `list-max-listpack-size`; Redis takes -5 for anything below. */
const listNodeBytes = [4096, 8192, 16384, 32768, 65536] as const;
/** A node limited by its number of items still holds at most so much (SIZE_SAFETY_LIMIT). */
const countedNodeBytesMax = 8192;

export function thresholdsOf(config: EncodingLimits): RdbThresholds {
  const size = config.listMaxListpackSize;
  const index = Math.min(-size, listNodeBytes.length) - 1;
  const unlimited = Number.MAX_SAFE_INTEGER;
  return {
    listNodeBytesMax: size < 0 ? (listNodeBytes[index] as number) : countedNodeBytesMax,
    listNodeItemsMax: size < 0 ? unlimited : Math.max(1, size),
    setIntsetEntriesMax: config.setMaxIntsetEntries,
    hashListpackEntriesMax: config.hashMaxListpackEntries,
    hashListpackValueBytesMax: config.hashMaxListpackValue,
    zsetListpackEntriesMax: config.zsetMaxListpackEntries,
    zsetListpackValueBytesMax: config.zsetMaxListpackValue,
    // 0 is no limit in both.
    streamNodeBytesMax: config.streamNodeMaxBytes || unlimited,
    streamNodeEntriesMax: config.streamNodeMaxEntries || unlimited,
  };
}
