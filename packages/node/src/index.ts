/** The public face of a node. */
export { NodeLog } from "./adapters/log.js";
export { ConfigFileError } from "./config/config-file.js";
export { ListenError } from "./net/listeners.js";
export { Node, type NodeOptions } from "./node.js";
export type {
  Clock,
  DialOptions,
  DirectoryLock,
  Disk,
  DiskFile,
  Listener,
  ListenOptions,
  Log,
  Net,
  Ports,
  Random,
  Socket,
  SocketHandlers,
  UnixListenOptions,
  Timer,
} from "./ports.js";
export type { ProcessInfo } from "./process-info.js";
export { runNode, type RunningNode, type RunOptions, systemPorts } from "./run-node.js";
export { systemProcessInfo } from "./adapters/process-info.js";
