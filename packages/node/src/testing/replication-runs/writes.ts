/**
 * Random writes of every type, most of them such that doing one twice, leaving it out or changing
 * its place shows in the data: counters, lists, appended strings, random members.
 */
type Below = (limit: number) => number;

const writes: readonly ((below: Below, number: string) => readonly string[])[] = [
  (below) => ["INCR", `counter:${below(4)}`],
  (below, number) => ["APPEND", `text:${below(4)}`, number],
  (below, number) => ["RPUSH", `list:${below(4)}`, number, "x".repeat(below(200))],
  (below) => ["LPOP", `list:${below(4)}`, String(1 + below(3))],
  (below, number) => ["SADD", `set:${below(3)}`, number, `${number}:b`],
  (below) => ["SPOP", `set:${below(3)}`],
  (below, number) => ["HSET", `hash:${below(3)}`, `field${below(20)}`, number],
  (below) => ["HINCRBYFLOAT", `hash:${below(3)}`, "float", `0.${1 + below(9)}`],
  (below) => ["ZINCRBY", `zset:${below(3)}`, String(below(10)), `member${below(20)}`],
  (below) => ["ZPOPMIN", `zset:${below(3)}`],
  (below, number) => ["XADD", `stream:${below(2)}`, "MAXLEN", "~", "100", "*", "n", number],
  (below) => ["XTRIM", `stream:${below(2)}`, "MAXLEN", String(20 + below(50))],
  (below) => ["XGROUP", "CREATE", `stream:${below(2)}`, `group${below(3)}`, "0", "MKSTREAM"],
  (below) => [
    ...["XREADGROUP", "GROUP", `group${below(3)}`, `consumer${below(2)}`, "COUNT", "2"],
    ...["STREAMS", `stream:${below(2)}`, ">"],
  ],
  (below) => ["SETBIT", `bits:${below(2)}`, String(below(2000)), String(below(2))],
  (below, number) => ["PFADD", `loglog:${below(2)}`, number],
  (below, number) => ["SET", `short:${below(30)}`, number, "PX", String(1 + below(900))],
  (below, number) => ["SET", `long:${below(30)}`, number, "EX", String(10_000 + below(9999))],
  (below) => ["GETEX", `long:${below(30)}`, "PERSIST"],
  (below) => ["RENAME", `counter:${below(4)}`, `counter:${below(4)}`],
  (below) => ["DEL", `text:${below(4)}`, `hash:${below(9)}`],
  (below, number) => ["SET", `large:${below(3)}`, number.repeat(1 + below(600))],
];

const flush = 1500;

/** The next commands of a client, one or a transaction. */
export function nextWrites(below: Below, number: number): readonly (readonly string[])[] {
  const one = (): readonly string[] => {
    const write = writes[below(writes.length)];
    return write === undefined ? ["PING"] : write(below, String(number));
  };
  if (below(flush) === 0) return [["FLUSHALL"]];
  const select = (): readonly string[] => ["SELECT", String(below(3))];
  if (below(15) === 0) return [select()];
  if (below(10) === 0) return [["MULTI"], one(), one(), one(), ["EXEC"]];
  if (below(30) === 0) return [["MULTI"], one(), select(), one(), ["EXEC"]];
  return [one()];
}
