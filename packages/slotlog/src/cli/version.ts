// Our version, as package.json says it.

import { readFileSync } from "node:fs";

export function version(): string {
  // Two levels above both `src/cli` and `dist/cli`.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const found = typeof parsed === "object" && parsed !== null && "version" in parsed;
  return found && typeof parsed.version === "string" ? parsed.version : "unknown";
}
