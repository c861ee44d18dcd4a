/** HELP of commands with subcommands: the form that `redis-cli` prints line by line. */
import type { ReplyWriter } from "@slotlog/resp";
import type { CommandDocs, CommandSpec } from "./spec.js";

export interface HelpOptions {
  /** The container, lower case. */
  readonly container: string;
  readonly since: string;
  readonly group: CommandDocs["group"];
  /** Alternating usage and indented explanation, as Redis prints them. */
  readonly lines: readonly string[];
  readonly flags?: CommandSpec["flags"];
  readonly categories?: CommandSpec["categories"];
}

/** The reply to `<CONTAINER> HELP`. */
export function helpReply(reply: ReplyWriter, container: string, lines: readonly string[]): void {
  const title = `${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. `;
  reply.array(lines.length + 3);
  reply.simple(`${title}Subcommands are:`);
  for (const line of lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Print this help.");
}

const quotedCharsMax = 128;

/** What Redis answers where a subcommand exists and its words do not fit it. */
export function subcommandError(argv: readonly string[]): string {
  const quoted = (argv[1] ?? "").slice(0, quotedCharsMax);
  const container = (argv[0] ?? "").toUpperCase();
  return `ERR unknown subcommand or wrong number of arguments for '${quoted}'. Try ${container} HELP.`;
}

/** The HELP subcommand of a container. */
export function helpSubcommand(options: HelpOptions): CommandSpec {
  const { container, lines } = options;
  return {
    name: "help",
    arity: 2,
    flags: options.flags ?? ["loading", "stale"],
    categories: options.categories ?? [],
    docs: {
      summary: `Lists the subcommands of ${container.toUpperCase()}.`,
      since: options.since,
      group: options.group,
      complexity: "O(1)",
      syntax: "",
    },
    run({ reply }) {
      helpReply(reply, container, lines);
    },
  };
}
