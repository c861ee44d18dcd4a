// `slotlog aof history`: every change of one key.

import { createDisk, keyHistory, locateAof } from "@slotlog/node/aof";
import { type ExitCode, usageError } from "../errors.js";
import { parseKey } from "./arguments.js";
import { baseKeyJson, baseKeyLine, recordJson, recordLine } from "./format.js";
import { endingOf, Listing } from "./listing.js";
import { answered, ownerOf } from "./owner.js";

export interface HistoryArguments {
  readonly path: string;
  readonly key: string;
  readonly db?: number | undefined;
  readonly values: boolean;
  readonly json: boolean;
}

export async function runHistory(args: HistoryArguments): Promise<ExitCode> {
  const { values, json, db } = args;
  if (db !== undefined && !(Number.isInteger(db) && db >= 0)) {
    throw usageError("--db must be the number of a database");
  }
  return answered(async () => {
    const disk = createDisk();
    const source = await locateAof(disk, args.path);
    const listing = new Listing(source.files.reduce((sum, file) => sum + file.size, 0));
    const walk = await listing.end(() =>
      keyHistory({
        disk,
        source,
        key: parseKey(args.key),
        db,
        sink: {
          record: (record) =>
            listing.line(json ? recordJson(record) : recordLine(record, { values })),
          baseKey: (file, key) =>
            listing.line(json ? baseKeyJson(file, key) : baseKeyLine(file, key)),
          pause: () => listing.pause(),
          stopped: () => listing.stopped(),
          progress: (bytes) => listing.progress(bytes),
        },
      }),
    );
    if (listing.lines === 0 && !json) console.error("slotlog: this log does not name the key");
    return endingOf(walk, (await ownerOf(source.dataDirectory)) !== undefined);
  });
}
