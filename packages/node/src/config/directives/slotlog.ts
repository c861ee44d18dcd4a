/**
 * The directives that Redis does not have. A redis.conf without them behaves as it does there; a
 * redis.conf with them does not start a redis-server, so `CONFIG REWRITE` writes one only where it
 * differs from its default.
 */

import { isIP } from "node:net";
import { mapReason } from "../../cluster/address-map.js";
import { choice, numeric, toggle, words } from "../directive.js";
import { INT_MAX } from "../numbers.js";

const MIB = 1024 * 1024;
const PORT_MAX = 65535n;

export const slotlogDirectives = [
  /** Bytes of log records and held replies that may wait for the disk; at it, writers wait. */
  numeric("aof-buffer-max", { initial: 64 * MIB, min: 1024n * 1024n, notation: "memory" }),
  /** Whether each batch in the append-only file is preceded by a checksum annotation. */
  toggle("aof-checksum", true),
  /** Under `appendfsync always`: let reads show what a power loss could still take back. */
  toggle("dirty-reads", false),
  /** HTTP port for Prometheus, `/healthz` and `/readyz`; 0 is off. */
  numeric("metrics-port", { initial: 0, max: PORT_MAX, immutable: true }),
  /** Old values that a snapshot in progress may hold; beyond it the snapshot is retried. */
  numeric("snapshot-preimage-max", { initial: 256 * MIB, min: 1024n * 1024n, notation: "memory" }),
  /** Bytes of a demoted primary's own writes that are kept aside instead of being dropped. */
  numeric("salvage-max", { initial: 64 * MIB, notation: "memory" }),
  /** Replicas that must have a write before its reply leaves; 0 is Redis' behaviour. */
  numeric("replica-acks", { initial: 0, max: INT_MAX }),
  /** How long a reply waits for `replica-acks` before it is answered UNCONFIRMED. */
  numeric("replica-acks-timeout", { initial: 5000, min: 1n, max: INT_MAX }),
  /** Whether an acknowledgement counts only once the replica has it on its disk. */
  toggle("replica-acks-fsync", false),
  /** Addresses and CIDR ranges from which the cluster bus is accepted; none means all. */
  words("cluster-bus-allow", { rule: rangesReason }),
  /** Which addresses of nodes clients are told, by the way they came in; see `AddressMap`. */
  words("client-address-map", { rule: mapReason, immutable: true, hidden: true }),
  /** `host:port[@busport]` where known nodes may be found whose addresses have changed. */
  words("cluster-seeds", { rule: seedsReason }),
  /** How long a restarted primary stays down so that it learns of a failover it slept through. */
  numeric("cluster-rejoin-delay-ms", { initial: 2000, max: INT_MAX }),
  /** Whether a primary that no majority answers stops taking writes before it can be replaced. */
  toggle("cluster-write-lease", true),
  /**
   * Lines as Redis prints them, or one JSON object per line. Hidden from patterns: tools set again
   * what `CONFIG GET *` gave them, and know of Redis' own immutable directives only.
   */
  choice("log-format", ["human", "json"], "human", { immutable: true, hidden: true }),
] as const;

function rangesReason(ranges: readonly string[]): string | undefined {
  for (const range of ranges) {
    const [address, prefix, ...rest] = range.split("/");
    const bits = isIP(address!) === 6 ? 128 : 32;
    const badPrefix = prefix !== undefined && !(/^[0-9]{1,3}$/.test(prefix) && +prefix <= bits);
    if (isIP(address!) === 0 || badPrefix || rest.length > 0) {
      return `'${range}' is no address and no CIDR range`;
    }
  }
  return undefined;
}

function seedsReason(seeds: readonly string[]): string | undefined {
  const bad = seeds.find((seed) => {
    const match = /^.+:([0-9]{1,5})(?:@([0-9]{1,5}))?$/.exec(seed);
    const isPort = (text: string): boolean => Number(text) >= 1 && Number(text) <= 65535;
    return match === null || !isPort(match[1]!) || !isPort(match[2] ?? match[1]!);
  });
  return bad === undefined ? undefined : `'${bad}' is not of the form host:port[@busport]`;
}
