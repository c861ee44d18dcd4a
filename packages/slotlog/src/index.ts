// The package's API for programs: clusters and servers inside a test suite. The command line is in
// `cli/`, its process in `bin.ts`.

export {
  type ClusterOptions,
  EmbeddedCluster,
  startCluster,
  type WaitOptions,
} from "./embedding/cluster.js";
export {
  type Directives,
  EmbeddedNode,
  type HostingOptions,
  type NodeOptions,
  type NodeState,
  startNode,
} from "./embedding/node.js";
