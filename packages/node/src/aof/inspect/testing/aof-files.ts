/**
 * Small AOFs in real temporary directories, for tests of what looks at them from outside. Owns the
 * directory, which is removed when it is disposed of.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createDisk } from "../../../adapters/disk.js";
import { RdbEncoder, type RdbValue } from "../../../rdb/index.js";
import { encodeRecord } from "../../../testing/aof-world.js";
import { type AofWalk, walkAof } from "../replay-order.js";
import { locateAof } from "../source.js";

export const disk = createDisk();

/** A record from words; a word with a leading `#` is an annotation line of its own. */
export function log(...lines: readonly string[]): Buffer {
  return Buffer.concat(
    lines.map((line) =>
      line.startsWith("#")
        ? Buffer.from(`${line}\r\n`, "latin1")
        : encodeRecord(...line.split(" ")),
    ),
  );
}

export interface BaseKeyContent {
  readonly key: string;
  readonly value: RdbValue;
  readonly expireAt?: number;
}

export function rdb(createdAt: number, keys: readonly BaseKeyContent[] = []): Buffer {
  const encoder = new RdbEncoder();
  encoder.header({ redisVersion: "7.0.15", createdAt, usedMemoryBytes: 1, isAofBase: true });
  encoder.selectDb(0);
  encoder.resizeDb(keys.length, keys.filter(({ expireAt }) => expireAt !== undefined).length);
  for (const { key, value, expireAt = -1 } of keys) encoder.key({ key, expireAt }, value);
  encoder.end();
  return Buffer.concat(encoder.takeChunks());
}

export class AofFiles implements Disposable {
  readonly data = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-aof-"));
  readonly directory = path.join(this.data, "appendonlydir");

  /** A base and increments with sequence numbers from 1 on. */
  constructor(base?: Buffer, ...increments: readonly Buffer[]) {
    if (base === undefined) return;
    fs.mkdirSync(this.directory);
    const manifest = ["file appendonly.aof.1.base.rdb seq 1 type b\n"];
    fs.writeFileSync(this.pathOf("appendonly.aof.1.base.rdb"), base);
    for (const [index, content] of increments.entries()) {
      const name = `appendonly.aof.${index + 1}.incr.aof`;
      fs.writeFileSync(this.pathOf(name), content);
      manifest.push(`file ${name} seq ${index + 1} type i\n`);
    }
    fs.writeFileSync(this.pathOf("appendonly.aof.manifest"), manifest.join(""));
  }

  pathOf(name: string): string {
    return path.join(this.directory, name);
  }

  read(name: string): Buffer {
    return fs.readFileSync(this.pathOf(name));
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

/** All records that a directory holds, as text, and how its walk ended. */
export async function recordsIn(directory: string): Promise<{ lines: string[]; walk: AofWalk }> {
  const lines: string[] = [];
  const walk = await walkAof(disk, await locateAof(disk, directory), {
    record: ({ argv }) => lines.push(argv.map(String).join(" ")),
  });
  return { lines, walk };
}

export const nobody = (): Promise<undefined> => Promise.resolve(undefined);
