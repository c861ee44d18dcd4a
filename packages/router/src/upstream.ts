/** The nodes of the cluster as the router knows them, and the shared connections to each. */
import type { Identity } from "./identity.js";
import { Link, type LinkHost } from "./link.js";

export class UpstreamNode {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  id = "";
  isReplica = false;
  /** Round trip in ms, as last measured; what `nearest` goes by. */
  roundTripMs = Number.POSITIVE_INFINITY;
  /** The last connection to it ended for a reason of its own; a new one is tried now and then. */
  isReachable = true;
  /** Commands sent to it, and errors it answered: for metrics. */
  requests = 0;
  errors = 0;
  redirects = 0;
  readonly #links: (Link | undefined)[] = [];
  readonly #perIdentity: number;

  constructor(host: string, port: number, connections: number) {
    this.host = host;
    this.port = port;
    this.address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    this.#perIdentity = connections;
  }

  /** The connection of that identity for that client: always the same one, which keeps order. */
  link(host: LinkHost, identity: Identity, client: number, reliefBytes: number): Link {
    const place = identity.index * this.#perIdentity + (client % this.#perIdentity);
    const link = this.#links[place];
    if (link !== undefined && link.state !== "closed") return link;
    const made = new Link(host, this, identity, reliefBytes);
    this.#links[place] = made;
    return made;
  }

  *links(): Iterable<Link> {
    for (const link of this.#links) {
      if (link !== undefined && link.state !== "closed") yield link;
    }
  }

  /** The cluster no longer has it: its connections end once they have nothing left to answer. */
  retire(): void {
    for (const link of this.links())
      if (link.inflight === 0) link.close("the node left the cluster", true);
  }

  /** Ends the connections of an identity that nobody is any more, or all. */
  close(reason: string, identity?: number): void {
    for (const link of this.#links) {
      if (link === undefined || (identity !== undefined && link.identity.index !== identity)) {
        continue;
      }
      link.close(reason, true);
    }
  }
}
