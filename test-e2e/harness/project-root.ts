// The project's directory, from source and from `dist` alike.

import { fileURLToPath } from "node:url";

export function projectRoot(): string {
  const here = fileURLToPath(import.meta.url).replaceAll("\\", "/");
  return here.slice(0, here.lastIndexOf("/test-e2e/"));
}
