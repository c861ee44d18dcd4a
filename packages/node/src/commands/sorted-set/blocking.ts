/** BZPOPMIN, BZPOPMAX, BZMPOP: pops that wait for a member. */
import type { CommandContext } from "../../dispatch/context.js";
import { type CommandSpec, countedKeys, keysFrom } from "../spec.js";
import { timeoutSecondsArgument } from "../timeout.js";
import { writeZset } from "./lookup.js";
import { multiplePop, type PopEnd, popMembers, popRecordName } from "./pop.js";

function wait(
  context: CommandContext,
  argv: readonly string[],
  { keys, timeoutAt }: { readonly keys: readonly string[]; readonly timeoutAt: number },
): void {
  if (!context.mayBlock) {
    context.reply.nilArray();
    return;
  }
  context.waitForKeys({ keys, type: "zset", timeoutAt, argv: [...argv] });
}

function pop(context: CommandContext, argv: readonly string[], end: PopEnd): void {
  const timeoutAt = timeoutSecondsArgument(context, argv[argv.length - 1] as string);
  const { reply } = context;
  for (let at = 1; at < argv.length - 1; at++) {
    const key = argv[at] as string;
    const zset = writeZset(context, key);
    if (zset === undefined) continue;
    reply.array(3);
    reply.bulk(key);
    popMembers(context, { key, zset }, { end, count: 1, nested: false });
    context.propagateAs([popRecordName[end], key]);
    return;
  }
  wait(context, argv, { keys: argv.slice(1, -1), timeoutAt });
}

function blockingPop(name: string, end: PopEnd, summary: string): CommandSpec {
  return {
    name,
    arity: -3,
    flags: ["write", "fast", "blocking"],
    categories: ["sortedset"],
    keys: [keysFrom(1, { last: -2, step: 1 }, "RW", "access", "delete")],
    docs: {
      summary,
      since: "5.0.0",
      group: "sorted_set",
      complexity: "O(log(N)) for N members",
      syntax: "key [key ...] timeout",
      history: [["6.0.0", "`timeout` is interpreted as a double instead of an integer."]],
    },
    run: (context, argv) => pop(context, argv, end),
  };
}

const bzmpop: CommandSpec = {
  name: "bzmpop",
  arity: -5,
  flags: ["write", "blocking"],
  categories: ["sortedset"],
  keys: [countedKeys(2, "RW", "access", "delete")],
  docs: {
    summary: "Pops members of the first sorted set that has any, and waits until there are some.",
    since: "7.0.0",
    group: "sorted_set",
    complexity: "O(K) + O(M*log(N)) for K keys and M members popped from N",
    syntax: "timeout numkeys key [key ...] where{MIN | MAX} [COUNT count]",
  },
  run(context, argv) {
    const { firstKey, endKey, end, count: wanted } = multiplePop(argv, 2);
    const timeoutAt = timeoutSecondsArgument(context, argv[1] as string);
    const { reply } = context;
    for (let at = firstKey; at < endKey; at++) {
      const key = argv[at] as string;
      const zset = writeZset(context, key);
      if (zset === undefined) continue;
      const count = Math.min(wanted, zset.length);
      reply.array(2);
      reply.bulk(key);
      reply.array(count);
      popMembers(context, { key, zset }, { end, count, nested: true });
      context.propagateAs([popRecordName[end], key, String(count)]);
      return;
    }
    wait(context, argv, { keys: argv.slice(firstKey, endKey), timeoutAt });
  },
};

export const blocking: readonly CommandSpec[] = [
  blockingPop(
    "bzpopmin",
    "min",
    "Pops the member with the lowest score of the first set that has any, and waits for one.",
  ),
  blockingPop(
    "bzpopmax",
    "max",
    "Pops the member with the highest score of the first set that has any, and waits for one.",
  ),
  bzmpop,
];
