// The Python that has redis-py: CI makes a virtual environment with the latest one; elsewhere the
// system's will do.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "./project-root.js";

export function pythonWithRedis(): string {
  const candidates = [join(projectRoot(), ".venv/bin/python"), "python3"];
  const found = candidates.find((each) => spawnSync(each, ["-c", "import redis"]).status === 0);
  if (found === undefined) throw new Error("no Python with redis-py: see docs/testing.md");
  return found;
}
