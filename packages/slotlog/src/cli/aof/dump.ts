// `slotlog aof dump`: the log as lines.

import { createDisk, dumpAof, type DumpFilter, locateAof } from "@slotlog/node/aof";
import { CliError, type ExitCode } from "../errors.js";
import { parseKey, parseSlots, parseTime } from "./arguments.js";
import { baseCommandJson, baseCommandLine, baseKeyJson, baseKeyLine } from "./format.js";
import { recordJson, recordLine } from "./format.js";
import { endingOf, Listing } from "./listing.js";
import { answered, ownerOf } from "./owner.js";

export interface DumpArguments {
  readonly path: string;
  readonly key?: readonly string[] | undefined;
  readonly slot?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly base: boolean;
  readonly values: boolean;
  readonly json: boolean;
}

export async function runDump(args: DumpArguments): Promise<ExitCode> {
  const { values, json } = args;
  const filter = filterOf(args, Date.now());
  return answered(async () => {
    const disk = createDisk();
    const source = await locateAof(disk, args.path);
    const listing = new Listing(source.files.reduce((sum, file) => sum + file.size, 0));
    const walk = await listing.end(() =>
      dumpAof({
        disk,
        source,
        filter,
        base: args.base,
        sink: {
          record: (record) =>
            listing.line(json ? recordJson(record) : recordLine(record, { values })),
          baseKey: (file, key) =>
            listing.line(json ? baseKeyJson(file, key) : baseKeyLine(file, key)),
          ...(values && {
            baseCommand: (file, db, argv) =>
              listing.line((json ? baseCommandJson : baseCommandLine)(file, db, argv)),
          }),
          pause: () => listing.pause(),
          stopped: () => listing.stopped(),
          progress: (bytes) => listing.progress(bytes),
        },
      }),
    );
    const timed = filter.since !== undefined || filter.until !== undefined;
    if (timed && !walk.hasTimes) {
      throw new CliError("this AOF holds no times: --since and --until find nothing to go by", {
        hint: "Nodes write them with aof-timestamp-enabled yes.",
      });
    }
    return endingOf(walk, (await ownerOf(source.dataDirectory)) !== undefined);
  });
}

function filterOf(args: DumpArguments, nowMs: number): DumpFilter {
  const timeOf = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseTime(text, nowMs);
  return {
    keys: (args.key ?? []).map(parseKey),
    slots: args.slot === undefined ? new Set() : parseSlots(args.slot),
    commands: new Set((args.command ?? []).map((name) => name.toLowerCase())),
    since: timeOf(args.since),
    until: timeOf(args.until),
  };
}
