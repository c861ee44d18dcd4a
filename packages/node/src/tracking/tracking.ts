/**
 * Client-side caching: which connections have read which keys, and who is told when one changes.
 * In broadcast mode nobody's reads are remembered; changes under a prefix go to all who chose it.
 *
 * Keys are remembered up to `tracking-table-max-keys`; beyond it a key is forgotten by declaring it
 * changed. It knows no command: dispatch tells it of reads, the store of changes.
 */
import { EntryBatch } from "../store/entry-batch.js";
import type { KeyHasher } from "../store/key-hash.js";
import { KeyTable } from "../store/key-table.js";
import type { Client } from "../net/client.js";
import type { ClientTracking } from "./client-tracking.js";
import { encodeKeys, encodeNull, invalidation, redirectBroken } from "./messages.js";

/** One client, which is by far the most frequent case, or several: ids. */
type Readers = number | Set<number>;

interface Prefix {
  readonly clients: Set<Client>;
  /** Keys changed in this turn, with whose command changed them last. */
  changed: Map<string, Client | undefined>;
}

export interface TrackingHost {
  readonly hasher: KeyHasher;
  client(id: number): Client | undefined;
  /** The client whose command runs now. */
  running(): Client | undefined;
  /** `tracking-table-max-keys`; 0 is no limit. */
  keysMax(): number;
  /** Something is to be told at the end of this turn. */
  scheduleTurn(): void;
  /** A message goes to this client: it may have to wait for the change to be durable. */
  onDelivery(client: Client): void;
}

/** Keys forgotten at a time when there are too many. */
const evictionsPerRound = 100;

export class Tracking {
  readonly #host: TrackingHost;
  #keys = new KeyTable(0);
  /** Pairs of key and reader. */
  itemCount = 0;
  readonly #clients = new Set<Client>();
  readonly #prefixes = new Map<string, Prefix>();
  #hasChanged = false;
  /** What the running client must be told once its reply is complete; `undefined` is "all". */
  #pending: (string | undefined)[] = [];

  constructor(host: TrackingHost) {
    this.#host = host;
  }

  get active(): boolean {
    return this.#clients.size > 0;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  get prefixCount(): number {
    return this.#prefixes.size;
  }

  enable(client: Client, tracking: ClientTracking): void {
    this.#clients.add(client);
    client.tracking = tracking;
    for (const prefix of tracking.prefixes) {
      const known = this.#prefixes.get(prefix);
      if (known === undefined) {
        this.#prefixes.set(prefix, { clients: new Set([client]), changed: new Map() });
      } else known.clients.add(client);
    }
  }

  /** Also when the client is gone. */
  disable(client: Client): void {
    const { tracking } = client;
    if (tracking === undefined) return;
    client.tracking = undefined;
    for (const name of tracking.prefixes) {
      const prefix = this.#prefixes.get(name);
      prefix?.clients.delete(client);
      if (prefix?.clients.size === 0) this.#prefixes.delete(name);
    }
    this.#clients.delete(client);
    // Nobody is left to be told: what was remembered has no use.
    if (this.#clients.size === 0) this.#forgetAll();
  }

  /** The client's command read these keys. */
  remember(client: Client, keys: readonly string[]): void {
    const { tracking } = client;
    if (tracking === undefined || tracking.broadcast) return;
    if (tracking.optIn && !tracking.caching) return;
    if (tracking.optOut && tracking.caching) return;
    for (const key of keys) this.#rememberOne(client.id, key);
    this.#limit();
  }

  #rememberOne(id: number, key: string): void {
    const hash = this.#host.hasher.hashOf(key);
    const readers = this.#keys.get(key, hash) as Readers | undefined;
    if (readers === undefined) this.#keys.insert(key, hash, id, 0);
    else if (typeof readers !== "number") {
      const before = readers.size;
      readers.add(id);
      this.itemCount += readers.size - before;
      return;
    } else if (readers === id) return;
    else this.#keys.set(key, hash, new Set([readers, id]));
    this.itemCount += 1;
  }

  /** A key changed, by a client's command or by itself. */
  changed(key: string, by: Client | undefined): void {
    if (this.#prefixes.size > 0) this.#rememberChange(key, by);
    this.#tellReaders(key);
  }

  #tellReaders(key: string): void {
    const hash = this.#host.hasher.hashOf(key);
    const readers = this.#keys.get(key, hash) as Readers | undefined;
    if (readers === undefined) return;
    this.#keys.delete(key, hash);
    if (typeof readers === "number") {
      this.itemCount -= 1;
      this.#tellReader(readers, key);
      return;
    }
    this.itemCount -= readers.size;
    for (const id of readers) this.#tellReader(id, key);
  }

  #tellReader(id: number, key: string): void {
    const client = this.#host.client(id);
    if (client?.tracking === undefined || client.tracking.broadcast) return;
    if (client !== this.#host.running()) this.#send(client, encodeKeys([key]));
    else if (!client.tracking.noLoop) this.#pending.push(key);
  }

  #rememberChange(key: string, by: Client | undefined): void {
    for (const [prefix, { changed }] of this.#prefixes) {
      if (!key.startsWith(prefix)) continue;
      changed.set(key, by);
      if (!this.#hasChanged) this.#host.scheduleTurn();
      this.#hasChanged = true;
    }
  }

  /** All keys of a database are gone. */
  flushed(): void {
    const running = this.#host.running();
    for (const client of this.#clients) {
      if (client === running) this.#pending.push(undefined);
      else this.#send(client, encodeNull(client.protocol));
    }
    this.#forgetAll();
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The running client's reply is complete: now it may be told what its own command changed. */
  tellPending(client: Client): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const key of pending) {
      if (client.tracking === undefined) return;
      this.#send(client, key === undefined ? encodeNull(client.protocol) : encodeKeys([key]));
    }
  }

  /** The end of a turn: one message for each prefix and client with all keys that changed. */
  endTurn(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    for (const [, prefix] of [...this.#prefixes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { changed } = prefix;
      if (changed.size === 0) continue;
      prefix.changed = new Map();
      const all = encodeKeys([...changed.keys()].sort());
      for (const client of prefix.clients) {
        if (client.tracking?.noLoop !== true) this.#send(client, all);
        else {
          const others = [...changed].flatMap(([key, by]) => (by === client ? [] : [key]));
          if (others.length > 0) this.#send(client, encodeKeys(others.sort()));
        }
      }
    }
  }

  #send(tracked: Client, value: Buffer): void {
    const tracking = tracked.tracking as ClientTracking;
    let target: Client | undefined = tracked;
    if (tracking.redirectTo !== 0) {
      target = this.#host.client(tracking.redirectTo);
      if (target === undefined) {
        tracking.redirectBroken = true;
        if (tracked.protocol === 3) tracked.link.push(redirectBroken(tracking.redirectTo));
        return;
      }
    }
    // In RESP2 only a subscriber that stands in for another connection can be told.
    const isSubscriber = target !== tracked && target.subscriptions > 0;
    if (target.protocol === 2 && !isSubscriber) return;
    target.link.push(invalidation(target.protocol, value));
    this.#host.onDelivery(target);
  }

  #limit(): void {
    const max = this.#host.keysMax();
    if (max === 0 || this.#keys.size <= max) return;
    const batch = new EntryBatch();
    this.#keys.collect(0, Math.min(evictionsPerRound, this.#keys.size - max), batch);
    for (const key of batch.keys) this.#tellReaders(key);
  }

  #forgetAll(): void {
    this.#keys = new KeyTable(0);
    this.itemCount = 0;
  }
}
