/**
 * Clients that wait for keys of a slot which went elsewhere, or of a cluster that is down, would
 * wait for ever: they get the answer that their command would get now.
 */
import type { Client } from "../net/client.js";
import { route } from "./route.js";
import type { NodeServices } from "./services.js";

/** Called now and then in a cluster, as Redis does. */
export function redirectWaiting(node: NodeServices): void {
  if (node.cluster === undefined || node.blocked.count === 0) return;
  node.blocked.redirect((client: Client, argv: readonly string[]) => {
    const command = node.registry.resolve(argv);
    const text = command === undefined ? undefined : route(node, client, command, argv);
    // A slot that is only on its way is still ours: no ASK and no TRYAGAIN.
    return text?.startsWith("MOVED") || text?.startsWith("CLUSTERDOWN") ? text : undefined;
  });
}
