/**
 * Replies that were encoded and may not be sent any more, since what they confirm is not durable:
 * each is replaced by one error, so that a client still gets as many replies as it sent commands.
 * Push messages between them are kept, and so are errors: they confirm nothing, and a client must
 * be able to tell a command that was refused from one that was applied.
 */
export interface Unconfirmed {
  readonly bytes: Buffer;
  /** How many replies were replaced. */
  readonly replies: number;
}

const carriageReturn = 0x0d;
const push = 0x3e;
const simpleError = 0x2d;
const bulkError = 0x21;

/** `error` is the text without its leading `-`. */
export function unconfirmed(chunks: readonly Buffer[], error: string): Unconfirmed {
  const whole = Buffer.concat(chunks);
  const errorReply = Buffer.from(`-${error}\r\n`, "latin1");
  const parts: Buffer[] = [];
  let replies = 0;
  for (let at = 0; at < whole.length; ) {
    const end = replyEnd(whole, at);
    const type = whole[at];
    if (type === push || type === simpleError || type === bulkError) {
      parts.push(whole.subarray(at, end));
    } else {
      parts.push(errorReply);
      replies += 1;
    }
    at = end;
  }
  return { bytes: Buffer.concat(parts), replies };
}

/** Index behind the reply at `start`. We wrote it ourselves, so it is whole. */
function replyEnd(bytes: Buffer, start: number): number {
  let left = 1;
  let at = start;
  while (left > 0) {
    const lineEnd = bytes.indexOf(carriageReturn, at);
    if (lineEnd < 0) return bytes.length;
    const type = String.fromCharCode(bytes[at] as number);
    const count = "$=!*~>%|".includes(type) ? Number(bytes.toString("latin1", at + 1, lineEnd)) : 0;
    at = lineEnd + 2;
    left -= 1;
    if (type === "$" || type === "=" || type === "!") at += count < 0 ? 0 : count + 2;
    else if (type === "*" || type === "~" || type === ">") left += Math.max(0, count);
    else if (type === "%") left += 2 * count;
    // Attributes stand in front of the reply they belong to.
    else if (type === "|") left += 2 * count + 1;
  }
  return Math.min(at, bytes.length);
}
