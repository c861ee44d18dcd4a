// Runs a program to its end and returns what it printed.

import { execFile } from "node:child_process";

export interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Standard output and standard error together, in the order they came. */
export function run(command: string, args: readonly string[], timeoutMs = 120_000): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 64 * 2 ** 20, encoding: "utf8" } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") {
        reject(new Error(`${command} ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`));
        return;
      }
      resolve({ code: Number(error?.code ?? 0), out: stdout + stderr });
    });
  });
}

export async function mustRun(command: string, args: readonly string[]): Promise<string> {
  const { code, out } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${out}`);
  return out;
}
