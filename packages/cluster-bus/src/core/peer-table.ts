/**
 * The nodes that one node knows: by id, in a list for random picks, and, for what every packet and
 * every tick looks at, as columns of numbers by a node's place in that list. In a cluster of a
 * thousand nodes a packet speaks of a hundred, and nearly always there is nothing to do about any
 * of them; to find that out from a thousand scattered records was most of the work. Owns the
 * agreement of list, ids and columns; decides nothing.
 */

import { assert } from "../assert.js";
import type { GossipEntry, Millis, NodeId } from "../message.js";
import type { Peer } from "./peers.js";

/** By how many nodes the columns grow. */
const growth = 64;

/**
 * Numbers for ids, shared by all cores of a process: a simulator hands messages over without
 * encoding them, and an entry's number then finds its node without looking at the id.
 */
export class IdNumbers {
  readonly #numbers = new Map<string, number>();

  of(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(id, number);
    return number;
  }
}

/**
 * What becomes of somebody's word that a node is well. `look`: the record decides. Else nobody
 * doubts it here either, and the word is nothing new, or (`pong`) may bring a newer pong.
 */
export const gossiped = { look: 0, nothing: 1, pong: 2 } as const;
export type Gossiped = (typeof gossiped)[keyof typeof gossiped];

export class PeerTable {
  readonly #byId = new Map<string, Peer>();
  readonly #list: Peer[] = [];
  readonly #ids: IdNumbers | undefined;
  /** Index + 1 by number of the id; 0 for ids that are not known here. */
  #indexByNumber = new Int32Array(0);
  /** See `Gossiped`. */
  #gossiped = new Uint8Array(growth);
  /** No tick has anything to do about it before. 0: the next one does. */
  #quietUntil = new Float64Array(growth);
  #pongReceivedAt = new Float64Array(growth);
  /** What is said about a node: all that changes of its own is the second of its pong. */
  readonly #gossip: (GossipEntry | undefined)[] = [];
  /** Number of the last heartbeat that gossiped about it. */
  #gossipRound = new Uint32Array(growth);

  constructor(ids: IdNumbers | undefined) {
    this.#ids = ids;
  }

  get list(): readonly Peer[] {
    return this.#list;
  }

  lookup(id: string): Peer | undefined {
    return this.#byId.get(id);
  }

  /** The index of the node with that id; -1 if it is not known here. */
  indexOf(id: string, number: number | undefined): number {
    if (number === undefined) return this.#byId.get(id)?.index ?? -1;
    return number < this.#indexByNumber.length ? (this.#indexByNumber[number] as number) - 1 : -1;
  }

  add(peer: Peer): void {
    assert(!this.#byId.has(peer.id), "a node is added once");
    peer.index = this.#list.length;
    if (peer.index === this.#quietUntil.length) this.#grow();
    this.#list.push(peer);
    this.#gossiped[peer.index] = gossiped.look;
    this.#quietUntil[peer.index] = 0;
    this.#pongReceivedAt[peer.index] = 0;
    this.#gossipRound[peer.index] = 0;
    this.#gossip.push(undefined);
    this.#byId.set(peer.id, peer);
    this.#number(peer);
  }

  rename(peer: Peer, id: NodeId): void {
    assert(!this.#byId.has(id), "two nodes never share an id");
    this.#byId.delete(peer.id);
    this.#unnumber(peer);
    peer.id = id;
    this.#byId.set(id, peer);
    this.#number(peer);
  }

  remove(peer: Peer): void {
    const { index } = peer;
    assert(this.#list[index] === peer, "only a known node is removed");
    this.#byId.delete(peer.id);
    this.#unnumber(peer);
    this.#list.splice(index, 1);
    this.#gossip.splice(index, 1);
    for (const column of this.#columns()) column.copyWithin(index, index + 1);
    for (let i = index; i < this.#list.length; i++) {
      const moved = this.#list[i] as Peer;
      moved.index = i;
      if (moved.number >= 0) this.#indexByNumber[moved.number] = i + 1;
    }
  }

  isQuiet(index: number, now: Millis): boolean {
    return now <= (this.#quietUntil[index] as number);
  }

  gossiped(index: number): Gossiped {
    return this.#gossiped[index] as Gossiped;
  }

  /** What the record says now. What was kept to be said about it may be old. */
  refresh(index: number, now: { readonly gossiped: Gossiped; readonly quietUntil: Millis }): void {
    this.#gossiped[index] = now.gossiped;
    this.#quietUntil[index] = now.quietUntil;
    this.#gossip[index] = undefined;
  }

  quietUntil(index: number): Millis {
    return this.#quietUntil[index] as number;
  }

  /** Something happened to it: its record is looked at, by the next tick too. */
  wake(peer: Peer): void {
    this.refresh(peer.index, { gossiped: gossiped.look, quietUntil: 0 });
  }

  /** Something that is gossiped about it has changed. */
  touch(peer: Peer | undefined): void {
    if (peer !== undefined) this.#gossip[peer.index] = undefined;
  }

  /** What was last said about it, if it still holds. */
  gossipOf(index: number): GossipEntry | undefined {
    const entry = this.#gossip[index];
    if (entry === undefined) return undefined;
    const pongAt = this.#pongReceivedAt[index] as number;
    return entry.pongReceivedSeconds === Math.floor(pongAt / 1000) ? entry : undefined;
  }

  /** Only while the record needs no look: whatever changes it then drops this. */
  keepGossip(index: number, entry: GossipEntry): void {
    if (this.#gossiped[index] !== gossiped.look) this.#gossip[index] = entry;
  }

  wakeAll(): void {
    this.#gossiped.fill(gossiped.look);
    this.#quietUntil.fill(0);
    this.#gossip.fill(undefined);
  }

  pongReceivedAt(index: number): Millis {
    return this.#pongReceivedAt[index] as number;
  }

  setPongReceivedAt(index: number, at: Millis): void {
    this.#pongReceivedAt[index] = at;
  }

  gossipRound(index: number): number {
    return this.#gossipRound[index] as number;
  }

  setGossipRound(index: number, round: number): void {
    this.#gossipRound[index] = round;
  }

  #columns() {
    return [this.#gossiped, this.#quietUntil, this.#pongReceivedAt, this.#gossipRound] as const;
  }

  #grow(): void {
    const length = this.#quietUntil.length + growth;
    const former = this.#columns();
    this.#gossiped = new Uint8Array(length);
    this.#quietUntil = new Float64Array(length);
    this.#pongReceivedAt = new Float64Array(length);
    this.#gossipRound = new Uint32Array(length);
    for (const [i, column] of this.#columns().entries()) column.set(former[i] as typeof column);
  }

  /** Ids of handshakes are random and short-lived: they get no number. */
  #number(peer: Peer): void {
    if (this.#ids === undefined || peer.handshake) return;
    peer.number = this.#ids.of(peer.id);
    if (peer.number >= this.#indexByNumber.length) {
      const former = this.#indexByNumber;
      this.#indexByNumber = new Int32Array(peer.number + growth);
      this.#indexByNumber.set(former);
    }
    this.#indexByNumber[peer.number] = peer.index + 1;
  }

  #unnumber(peer: Peer): void {
    if (peer.number >= 0) this.#indexByNumber[peer.number] = 0;
    peer.number = -1;
  }
}
