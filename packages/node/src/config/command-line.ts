/**
 * redis-server's way with arguments: an optional file, `-` for standard input, then directives as
 * `--name value…`, each of which becomes a line as it could stand in the file. Owns the cutting
 * into lines; what they mean is `config-file.ts`'s.
 */

import { byteString } from "./byte-string.js";
import { quoteArgument, splitArguments } from "./split-arguments.js";

export interface CommandLine {
  readonly file: string | undefined;
  readonly standardInput: boolean;
  /** Lines of configuration, to be read after the file and standard input. */
  readonly lines: readonly string[];
}

/**
 * A `--word` is a name if the directive before it has a value, else it is that directive's value:
 * `--logfile --name.log` sets the log file. Only a bare `--save` may stand before the next name.
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const first = args[0];
  const file = first !== undefined && !first.startsWith("-") ? first : undefined;
  let standardInput = false;
  let options = "";
  let hasValue = true;

  const start = file === undefined ? 0 : 1;
  for (let i = start; i < args.length; i++) {
    const argument = byteString(args[i]!);
    const isLast = i === args.length - 1;
    if (argument === "-" && (i === 0 || isLast)) {
      standardInput = true;
    } else if (hasValue && argument.startsWith("--")) {
      if (options !== "") options += "\n";
      options += `${argument.slice(2)} `;
      // `--port 6380` in one argument brings its value along.
      hasValue = (splitArguments(argument) ?? []).length !== 1;
      if (hasValue) continue;
      const bare = isLast || args[i + 1]!.startsWith("--");
      if (bare && argument.toLowerCase() === "--save") {
        options += '""';
        hasValue = !isLast;
      }
    } else {
      options += `${quoteArgument(argument)} `;
      hasValue = true;
    }
  }
  return { file, standardInput, lines: options === "" ? [] : options.split("\n") };
}
