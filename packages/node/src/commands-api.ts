/** The commands as data, for whoever documents or routes them: no node is needed. */
export { type DocsArgument, docsArguments } from "./commands/docs-arguments.js";
export { families } from "./commands/index.js";
export { type KeyPosition, keyPositions } from "./commands/key-positions.js";
export { Command, CommandRegistry } from "./commands/registry.js";
export type { CommandDocs, CommandSpec, KeySpec } from "./commands/spec.js";
