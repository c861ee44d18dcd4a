/** The public face of a node. */
export { ConfigFileError } from "./config/config-file.js";
export { ListenError } from "./net/listeners.js";
export { Node, type NodeOptions } from "./node.js";
export { runNode, type RunOptions } from "./run-node.js";
