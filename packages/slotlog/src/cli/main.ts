// The command line's entry: runs a command and answers its failures with a line and an exit code.
// `node` does not come near the parser: its arguments are redis-server's, yargs would take `--port`
// for its own, and a node should not carry a parser in memory.

import { CliError, type ExitCode } from "./errors.js";
import { runNodeCommand } from "./node.js";

/** Resolves with the exit code, or with `undefined` while a node goes on running. */
export async function main(argv: readonly string[]): Promise<ExitCode | undefined> {
  try {
    if (argv[0] === "node") return await runNodeCommand(argv.slice(1));
    const { runCommand } = await import("./program.js");
    return await runCommand(argv);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    console.error(`slotlog: ${error.message}`);
    if (error.hint !== undefined) console.error(`  ${error.hint}`);
    return error.exitCode;
  }
}
