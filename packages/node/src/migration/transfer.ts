/**
 * Some keys on their way to another node: their dumped values, the requests that bring them there,
 * and what the target said about each. It changes nothing here; what was confirmed is the caller's
 * to delete.
 */
import { encodeCommand, ReplyError, type ReplyValue } from "@slotlog/resp";
import { dumpPayload } from "../rdb/index.js";
import { toNeutral } from "../rdb/values-bridge.js";
import type { RdbThresholds } from "../rdb/encode-value.js";
import type { Database } from "../store/database.js";
import type { TargetConnection } from "./target-connection.js";

export interface TransferOptions {
  /** The database at the target. */
  readonly targetDatabase: number;
  readonly replace: boolean;
  /** The words of AUTH, if the target wants it said. */
  readonly authentication: readonly string[] | undefined;
  /** The slot of the keys is being imported there. */
  readonly asking: boolean;
  readonly timeoutMs: number;
}

export interface TransferOutcome {
  /** Keys that are there now. */
  readonly confirmed: readonly string[];
  /** What the target refused with first, if it refused anything. */
  readonly refusal: string | undefined;
  /** In which step the connection ended, if it did. */
  readonly failedIn: "connecting" | "writing" | "reading" | undefined;
  /** It ended before any key was answered, and not by silence: another try may do. */
  readonly mayRetry: boolean;
}

interface DumpedKey {
  readonly key: string;
  readonly payload: Buffer;
  /** Unix ms, -1 without. */
  readonly expireAt: number;
}

/** So many keys or bytes go at once: what is on its way is held here, and waited for. */
const keysMax = 1000;
const bytesMax = 8 * 1024 * 1024;

export class Transfer {
  readonly keys: readonly DumpedKey[];
  readonly #options: TransferOptions;

  constructor(keys: readonly DumpedKey[], options: TransferOptions) {
    this.keys = keys;
    this.#options = options;
  }

  /** Sends all and waits for the answers. */
  async run(connection: TargetConnection, now: number): Promise<TransferOutcome> {
    const { authentication, targetDatabase, timeoutMs } = this.#options;
    const selects = connection.database !== targetDatabase;
    const chunks: Buffer[] = [];
    if (authentication !== undefined) chunks.push(encodeCommand(["AUTH", ...authentication]));
    if (selects) chunks.push(encodeCommand(["SELECT", String(targetDatabase)]));
    const preludes = chunks.length;
    const sent = this.#restores(chunks, now);
    const confirmed: string[] = [];
    let preludeError: string | undefined;
    let refusal: string | undefined;
    const failure = await connection.exchange({
      chunks,
      replies: preludes + sent.length,
      timeoutMs,
      onReply: (reply, index) => {
        const error = errorOf(reply);
        if (index < preludes) preludeError ??= error;
        else if (preludeError !== undefined || error !== undefined) {
          refusal ??= preludeError ?? error;
        } else confirmed.push(sent[index - preludes] as string);
      },
    });
    connection.database = refusal === undefined && preludeError === undefined ? targetDatabase : -1;
    const answered = confirmed.length > 0 || refusal !== undefined;
    const step = failure?.step;
    const timedOut = failure?.timedOut === true;
    const mayRetry = step !== undefined && step !== "connecting" && !answered && !timedOut;
    return { confirmed, refusal, failedIn: step, mayRetry };
  }

  /** Appends a RESTORE for each key that has not expired, and returns those keys. */
  #restores(chunks: Buffer[], now: number): readonly string[] {
    const { asking, replace } = this.#options;
    const sent: string[] = [];
    for (const { expireAt, key, payload } of this.keys) {
      const left = expireAt - now;
      if (expireAt !== -1 && left < 0) continue;
      const ttl = expireAt === -1 ? 0 : Math.max(1, left);
      const argv = [asking ? "RESTORE-ASKING" : "RESTORE", key, String(ttl), payload];
      if (replace) argv.push("REPLACE");
      chunks.push(encodeCommand(argv));
      sent.push(key);
    }
    return sent;
  }
}

/**
 * Dumps keys from `keys[from]` on, as many as may go at once. Returns them and the index of the
 * first that was not looked at.
 */
export function dumpKeys(
  database: Database,
  keys: readonly string[],
  from: number,
  thresholds: Partial<RdbThresholds>,
): { readonly dumped: readonly DumpedKey[]; readonly next: number } {
  const dumped: DumpedKey[] = [];
  let bytes = 0;
  let next = from;
  while (next < keys.length && dumped.length < keysMax && bytes < bytesMax) {
    const key = keys[next] as string;
    next += 1;
    const value = database.peek(key);
    if (value === undefined) continue;
    const payload = dumpPayload(toNeutral(value), { thresholds });
    bytes += payload.length;
    dumped.push({ key, payload, expireAt: database.expireAt(key) });
  }
  return { dumped, next };
}

function errorOf(reply: ReplyValue): string | undefined {
  return reply instanceof ReplyError ? reply.message : undefined;
}
