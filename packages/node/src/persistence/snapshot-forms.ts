/**
 * In which form snapshots are written: RDB files, bases of the AOF, full synchronisations. It puts
 * together what the configuration says, what the node knows of itself, and the moment's position in
 * the replication history.
 */
import { BaseSeal } from "../aof/batch-header.js";
import type { BaseFormat } from "../aof/rewrite.js";
import type { NodeConfig } from "../config/config.js";
import { CommandForm } from "../dataset/command-form.js";
import { RdbForm, type UseStatistics } from "../dataset/rdb-form.js";
import type { SnapshotForm } from "../dataset/snapshot-form.js";
import type { SnapshotClaim, Snapshots } from "../dataset/snapshots.js";
import { thresholdsOf } from "../dataset/thresholds.js";
import type { Clock } from "../ports.js";
import type { SnapshotRequest, SnapshotSource } from "../replication/settings.js";
import type { DatabaseSet } from "../store/database-set.js";
import { redisVersion } from "../version.js";

/** Where a data set stands in a replication history, as an RDB tells it. */
export interface DatasetPosition {
  readonly id: string;
  readonly offset: number;
  readonly streamDatabase: number;
}

export interface SnapshotFormsParts {
  readonly clock: Clock;
  readonly config: NodeConfig;
  readonly databases: DatabaseSet;
  readonly snapshots: Snapshots;
  usedMemory(): number;
  /** Where the data set stands now, what was flushed included. */
  position(): DatasetPosition;
  /** The same, if the stream is counted. */
  countedPosition(): DatasetPosition | undefined;
  /** Source code of the function libraries. */
  functionSources(): readonly string[];
}

export class SnapshotForms {
  readonly #parts: SnapshotFormsParts;

  constructor(parts: SnapshotFormsParts) {
    this.#parts = parts;
  }

  /** `dbfilename` */
  file(): SnapshotForm {
    const { functionSources, position } = this.#parts;
    return this.#rdb(false, position(), functionSources());
  }

  /** The base of the AOF. */
  base(format: BaseFormat): SnapshotForm {
    const { config, countedPosition, functionSources } = this.#parts;
    // A loader goes by it, so it must not tell an offset that nobody counted.
    const position = countedPosition();
    if (format === "rdb") return this.#rdb(true, position, functionSources());
    return new CommandForm({
      ...(config.aofChecksum && { batches: new BaseSeal(position) }),
      timestamp: config.aofTimestampEnabled ? this.#seconds() : undefined,
      functions: functionSources(),
    });
  }

  /** Full synchronisations. */
  syncSource(): SnapshotSource {
    const { functionSources, snapshots } = this.#parts;
    return {
      get busy() {
        return snapshots.active !== undefined;
      },
      begin: (request: SnapshotRequest) => {
        const { includeData, includeFunctions, position, streamDatabase } = request;
        const claim = snapshots.claim("sync");
        if (claim === undefined) throw new Error("two snapshots at once");
        const functions = includeFunctions ? functionSources() : [];
        const form = this.#rdb(false, { ...position, streamDatabase }, functions);
        return released(claim.begin(form, includeData), claim);
      },
    };
  }

  #rdb(isAofBase: boolean, at: DatasetPosition | undefined, functions: readonly string[]): RdbForm {
    const { config, databases, snapshots, usedMemory } = this.#parts;
    return new RdbForm({
      header: {
        redisVersion,
        createdAt: this.#seconds(),
        usedMemoryBytes: usedMemory(),
        ...(at && {
          replication: { id: at.id, offset: at.offset, streamDb: at.streamDatabase },
        }),
        isAofBase,
      },
      encoder: {
        compress: config.rdbcompression,
        checksum: config.rdbchecksum,
        thresholds: thresholdsOf(config),
      },
      functions,
      counts: snapshots.counts(),
      access: databases.parts.access,
      statistics: statisticsOf(config.maxmemoryPolicy),
    });
  }

  #seconds(): number {
    return Math.floor(this.#parts.clock.now() / 1000);
  }
}

/** Gives the claim back when the reader has all, or wants no more. */
async function* released(
  chunks: AsyncIterable<Buffer>,
  claim: SnapshotClaim,
): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } finally {
    claim.release();
  }
}

function statisticsOf(policy: string): UseStatistics {
  if (policy.endsWith("-lru")) return "lru";
  return policy.endsWith("-lfu") ? "lfu" : "none";
}
