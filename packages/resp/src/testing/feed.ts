/**
 * Feeding decoders in tests: the same bytes whole, byte by byte and cut at every place must give
 * the same outcome. Each chunk is destroyed as soon as a decoder may no longer borrow it, so that a
 * reader of freed memory shows. Refuses to judge outcomes: it returns them.
 */
import { CommandDecoder } from "../command-decoder.js";
import { ProtocolError } from "../errors.js";
import type { RequestLimits } from "../limits.js";

/** What a decoder made of some bytes: the commands, then the fatal error if there was one. */
export interface DecodedCommands {
  readonly commands: readonly (readonly string[])[];
  readonly error: string | undefined;
}

export interface FeedOptions {
  readonly limits?: Partial<RequestLimits>;
  readonly authenticated?: boolean;
  /** Stop and park after each command, as a blocked client does. */
  readonly park?: boolean;
}

/** Pushes the chunks one after another into a new decoder and collects every command. */
export function decodeCommands(
  chunks: readonly Buffer[],
  options: FeedOptions = {},
): DecodedCommands {
  const decoder = new CommandDecoder(options.limits);
  decoder.authenticated = options.authenticated ?? true;
  const commands: string[][] = [];
  try {
    for (const chunk of chunks) {
      const lent = Buffer.from(chunk);
      decoder.push(lent);
      while (decoder.next()) {
        commands.push(decoder.argv.map(textOf));
        assertRaw(decoder, commands[commands.length - 1]!);
        if (options.park === true) {
          decoder.park();
          lent.fill(0xee);
        }
      }
      lent.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { commands, error: error.message };
  }
  return { commands, error: undefined };
}

/** The command's own bytes must be a request for exactly these arguments. */
function assertRaw(decoder: CommandDecoder, argv: readonly string[]): void {
  if (decoder.rawStart === -1) return;
  const raw = decoder.source.subarray(decoder.rawStart, decoder.rawEnd);
  const again = new CommandDecoder();
  again.push(raw);
  if (!again.next() || again.argv.join("\0") !== argv.join("\0") || again.next()) {
    throw new Error(`raw bytes differ: ${raw.toString("latin1")}`);
  }
}

export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** Every way to cut the bytes in two, and the whole. */
export function everySplit(bytes: Buffer): Buffer[][] {
  return Array.from({ length: bytes.length + 1 }, (_, i) =>
    [bytes.subarray(0, i), bytes.subarray(i)].filter((part) => part.length > 0),
  );
}

/** Cuts the bytes behind each of the lengths, which are used in turn. */
export function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const end = Math.min(bytes.length, start + Math.max(1, lengths[i % lengths.length] ?? 1));
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

/** An argument as a string, whichever form it has. */
export function textOf(argument: string | Buffer): string {
  return typeof argument === "string" ? argument : argument.toString("latin1");
}

/** The RESP request for these arguments, made independently of the code under test. */
export function request(argv: readonly string[]): Buffer {
  const bulks = argv.map((argument) => `$${argument.length}\r\n${argument}\r\n`);
  return Buffer.from(`*${argv.length}\r\n${bulks.join("")}`, "latin1");
}
