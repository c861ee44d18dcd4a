/**
 * Which keys a record names, by the key positions of its command. Owns the treatment of what the
 * command table cannot tell: of a command that we do not have, any argument may be a key.
 */

import type { Argument } from "@slotlog/resp";
import { families } from "../../commands/index.js";
import { keyPositions } from "../../commands/key-positions.js";
import { CommandRegistry } from "../../commands/registry.js";

/** Longer arguments are no counts or keywords, and cannot become strings if they are very long. */
const textBytesMax = 1024 * 1024;

export class KeyFinder {
  private readonly registry = new CommandRegistry(families);

  /** False of a command that no slotlog node could load. */
  knows(argv: readonly Argument[]): boolean {
    return this.registry.find(nameOf(argv)) !== undefined;
  }

  /** Keys as byte strings; `undefined` if they cannot be told from other arguments. */
  keysOf(argv: readonly Argument[]): readonly string[] | undefined {
    const words = argv.map(textOf);
    const command = this.registry.resolve(words);
    if (command === undefined) return undefined;
    return keyPositions(command, words)?.map(({ index }) => words[index] ?? "");
  }

  /** Whether the record names the key, or may do so. */
  names(argv: readonly Argument[], key: string): boolean {
    // Spares most records the look at their command.
    if (!argv.some((argument) => textOf(argument) === key)) return false;
    return (this.keysOf(argv) ?? argv.slice(1).map(textOf)).includes(key);
  }
}

/** In lower case. */
export function nameOf(argv: readonly Argument[]): string {
  return textOf(argv[0] ?? "").toLowerCase();
}

export function textOf(argument: Argument): string {
  if (typeof argument === "string") return argument;
  return argument.length > textBytesMax ? "" : argument.toString("latin1");
}
