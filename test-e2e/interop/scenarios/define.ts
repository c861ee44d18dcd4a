// How the tables beside this file are written.

import { parseSteps } from "../lines.js";
import type { Scenario } from "../scenario.js";

export function scenario(
  name: string,
  text: string,
  protocols: Scenario["protocols"] = [2, 3],
): Scenario {
  return { name, steps: parseSteps(text), protocols };
}
