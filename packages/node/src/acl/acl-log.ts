/** ACL LOG: what was denied to whom, newest first, similar events joined. */

export type DenialReason = "command" | "key" | "channel" | "auth";
export type DenialPlace = "toplevel" | "multi" | "lua" | "module";

export interface AclEvent {
  readonly reason: DenialReason;
  readonly place: DenialPlace;
  /** The command, key or channel. */
  readonly object: string;
  readonly user: string;
  /** A line of CLIENT LIST. */
  readonly clientInfo: string;
  /** Unix ms. */
  readonly at: number;
}

export interface AclLogEntry extends AclEvent {
  readonly id: number;
  readonly count: number;
  readonly createdAt: number;
}

/** Redis looks so many entries back for a similar one, which may be so old. */
const lookBack = 10;
const joinedWithinMs = 60_000;

export class AclLog {
  #entries: AclLogEntry[] = [];
  #nextId = 0;
  readonly denied: Record<DenialReason, number> = { command: 0, key: 0, channel: 0, auth: 0 };

  add(event: AclEvent, lengthMax: number): void {
    this.denied[event.reason] += 1;
    const index = this.#entries.slice(0, lookBack).findIndex((entry) => isSimilar(entry, event));
    if (index >= 0) {
      const [entry] = this.#entries.splice(index, 1);
      const { at, clientInfo } = event;
      this.#entries.unshift({
        ...(entry as AclLogEntry),
        at,
        clientInfo,
        count: (entry as AclLogEntry).count + 1,
      });
      return;
    }
    this.#entries.unshift({ ...event, id: this.#nextId, count: 1, createdAt: event.at });
    this.#nextId += 1;
    this.#entries.length = Math.min(this.#entries.length, lengthMax);
  }

  latest(count: number): readonly AclLogEntry[] {
    return this.#entries.slice(0, Math.max(0, count));
  }

  reset(): void {
    this.#entries = [];
  }

  resetCounters(): void {
    Object.assign(this.denied, { command: 0, key: 0, channel: 0, auth: 0 });
  }
}

function isSimilar(entry: AclLogEntry, event: AclEvent): boolean {
  return (
    entry.reason === event.reason &&
    entry.place === event.place &&
    entry.object === event.object &&
    entry.user === event.user &&
    Math.abs(entry.at - event.at) <= joinedWithinMs
  );
}
