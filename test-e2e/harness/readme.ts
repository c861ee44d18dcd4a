// The code examples of README.md, which are tested as they stand there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./project-root.js";

/** The first block of `language`, with the README's port replaced by `port`. */
export function readmeExample(language: string, port: number): string {
  const text = readFileSync(join(projectRoot(), "README.md"), "utf8");
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`README.md has no example in ${language}`);
  if (!found.includes("7000")) throw new Error(`the ${language} example names no port 7000`);
  return found.replaceAll("7000", String(port));
}
