/** Messages to subscribers as bytes: arrays in RESP2, pushes in RESP3. */

/** Strings are bulks, numbers integers, `undefined` is nil. */
export type MessageWords = readonly (string | number | undefined)[];

export function encodeMessage(words: MessageWords, protocol: 2 | 3): Buffer {
  const parts: string[] = [`${protocol === 3 ? ">" : "*"}${words.length}\r\n`];
  for (const word of words) {
    if (word === undefined) parts.push(protocol === 3 ? "_\r\n" : "$-1\r\n");
    else if (typeof word === "number") parts.push(`:${word}\r\n`);
    else parts.push(`$${word.length}\r\n`, word, "\r\n");
  }
  // Parts are written one by one: a long message is never concatenated into one string.
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const part of parts) at += buffer.write(part, at, "latin1");
  return buffer;
}
