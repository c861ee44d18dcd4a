// Failures that end a command with one clear line and a code, and the codes themselves. Anything
// else that is thrown is a defect and keeps its stack trace.

export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** What the user can do about it; printed on a line of its own. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode?: ExitCode; hint?: string } = {}) {
    super(message);
    this.name = "CliError";
    this.exitCode = options.exitCode ?? exitCodes.failure;
    this.hint = options.hint;
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, {
    exitCode: exitCodes.usage,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The name of a system error (`ENOENT`), if it is one. */
export function errnoOf(error: unknown): string | undefined {
  const named = error instanceof Error && "code" in error && typeof error.code === "string";
  return named ? String(error.code) : undefined;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
