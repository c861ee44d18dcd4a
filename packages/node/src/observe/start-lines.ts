/**
 * What a node says of itself when it starts, before it listens: version, mode, port, process.
 * Scripts that start servers find the process in the log by ` PID: N`, which redis-server draws
 * beside its logo; we draw no logo but say the same, always (`always-show-logo` changes nothing).
 */
import { redisVersion, slotlogVersion } from "../version.js";

export interface StartFacts {
  readonly clusterEnabled: boolean;
  readonly port: number;
  readonly processId: number;
}

/** The lines, in order. */
export function startLines({ clusterEnabled, port, processId }: StartFacts): readonly string[] {
  return [
    `slotlog ${slotlogVersion}, compatible with Redis ${redisVersion}`,
    `Running in ${clusterEnabled ? "cluster" : "standalone"} mode, Port: ${port}, PID: ${processId}`,
  ];
}
