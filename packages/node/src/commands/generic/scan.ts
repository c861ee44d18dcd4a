/** SCAN: the keys of a database in steps, each key that stays exactly once. */
import { EntryBatch } from "../../store/entry-batch.js";
import { globMatch } from "../../store/glob.js";
import { typeOf, type Value } from "../../store/value.js";
import { scanCursor, scanOptions, replyScanHeader } from "../scan-arguments.js";
import type { CommandSpec } from "../spec.js";

export const scan: CommandSpec = {
  name: "scan",
  arity: -2,
  flags: ["readonly", "touches_arbitrary_keys"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
  docs: {
    summary: "Returns some keys and the cursor of the next step, 0 at the end.",
    since: "2.8.0",
    group: "generic",
    complexity: "O(1) for each step, O(N) for all N keys",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]",
    history: [["6.0.0", "Added the `TYPE` subcommand."]],
  },
  run(context, argv) {
    const cursor = scanCursor(argv[1] as string);
    const { count, pattern, type } = scanOptions(argv, 2, { withType: true });
    const batch = new EntryBatch(type !== undefined);
    const next = context.db.scan(cursor, count, batch);
    let kept = 0;
    for (let index = 0; index < batch.length; index += 1) {
      const key = batch.keys[index] as string;
      if (pattern !== undefined && !globMatch(pattern, key)) continue;
      if (type !== undefined && typeOf(batch.values[index] as Value) !== type) continue;
      if (kept !== index) batch.move(index, kept);
      kept += 1;
    }
    replyScanHeader(context, next, kept);
    for (let index = 0; index < kept; index += 1) context.reply.bulk(batch.keys[index] as string);
  },
};
