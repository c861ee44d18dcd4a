/**
 * Walks through the RDB part that a base file, or the single file of Redis 4 to 6, begins with:
 * every event to the visitor, its length and checksum verified. Applies nothing.
 */

import type { DiskFile } from "../../ports.js";
import { RdbDecoder, RdbError } from "../../rdb/index.js";
import { positionOfAux, type StreamPosition } from "../stream-position.js";
import type { AofSourceFile } from "./source.js";
import type { FileVisitor } from "./walk.js";

export interface RdbWalk {
  readonly bytes: number;
  readonly keys: number;
  /** Unix seconds, -1 if it does not say. */
  readonly createdAt: number;
  readonly position: StreamPosition | undefined;
  readonly failure: { readonly offset: number; readonly reason: string } | undefined;
}

const signature = "REDIS";
const readBytes = 1024 * 1024;

export async function beginsWithRdb(file: DiskFile): Promise<boolean> {
  return (await file.read(0, signature.length)).toString("latin1") === signature;
}

/** Damage is a result; rejects with a `DiskError` only. */
export async function walkRdb(
  file: DiskFile,
  source: AofSourceFile,
  visitor: FileVisitor,
): Promise<RdbWalk> {
  const decoder = new RdbDecoder();
  let keys = 0;
  let createdAt = -1;
  const replication = new Map<string, string>();
  let position = 0;
  let failure: RdbWalk["failure"];
  try {
    while (!decoder.finished) {
      const chunk = await file.read(position, readBytes);
      if (chunk.length === 0) {
        failure = { offset: position, reason: "the RDB part ends too early" };
        break;
      }
      position += chunk.length;
      decoder.push(chunk);
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        if (event.kind === "key") keys++;
        else if (event.kind === "aux" && event.name === "ctime") createdAt = Number(event.value);
        if (event.kind === "aux" && event.name.startsWith("repl-")) {
          replication.set(event.name, event.value);
        }
        visitor.rdb?.(event, source);
      }
      visitor.progress?.(decoder.consumedBytes);
      await visitor.pause?.();
    }
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    failure = { offset: decoder.consumedBytes, reason: error.message };
  }
  const at = positionOfAux(replication);
  return { bytes: decoder.consumedBytes, keys, createdAt, position: at, failure };
}
