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

export class PeerTable {
  readonly #byId = new Map<string, Peer>();
  readonly #list: Peer[] = [];
  readonly #ids: IdNumbers | undefined;
  /** Index + 1 by number of the id; 0 for ids that are not known here. */
  #indexByNumber = new Int32Array(0);
  /** No tick has anything to do about it before. 0: the next one does. */
  #quietUntil = new Float64Array(growth);
  #pongReceivedAt = new Float64Array(growth);
  /** What is said about a calm node: all that changes of its own is the second of the pong. */
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
    for (const column of [this.#quietUntil, this.#pongReceivedAt, this.#gossipRound]) {
      column.copyWithin(index, index + 1);
    }
    for (let i = index; i < this.#list.length; i++) {
      const moved = this.#list[i] as Peer;
      moved.index = i;
      if (moved.number >= 0) this.#indexByNumber[moved.number] = i + 1;
    }
  }

  isQuiet(index: number, now: Millis): boolean {
    return now <= (this.#quietUntil[index] as number);
  }

  /**
   * Since a tick has seen that it is online, linked, owes no pong, and that nobody has reported it,
   * nothing has changed about that.
   */
  isCalm(index: number): boolean {
    return this.#quietUntil[index] !== 0;
  }

  /** It is calm; and the next tick that must look at it is the one after `at`. */
  letBeUntil(index: number, at: Millis): void {
    this.#quietUntil[index] = at;
  }

  /** Something happened to it that the next tick must look at. */
  wake(peer: Peer): void {
    this.#quietUntil[peer.index] = 0;
    this.#gossip[peer.index] = undefined;
  }

  /** Something that is gossiped about it has changed. */
  touch(peer: Peer | undefined): void {
    if (peer !== undefined) this.#gossip[peer.index] = undefined;
  }

  /** What was last said about a calm node, if it still holds. */
  gossipOf(index: number): GossipEntry | undefined {
    const entry = this.#gossip[index];
    if (entry === undefined) return undefined;
    const pongAt = this.#pongReceivedAt[index] as number;
    return entry.pongReceivedSeconds === Math.floor(pongAt / 1000) ? entry : undefined;
  }

  keepGossip(index: number, entry: GossipEntry): void {
    if (this.isCalm(index)) this.#gossip[index] = entry;
  }

  wakeAll(): void {
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

  #grow(): void {
    const length = this.#quietUntil.length + growth;
    const former = [this.#quietUntil, this.#pongReceivedAt, this.#gossipRound] as const;
    this.#quietUntil = new Float64Array(length);
    this.#pongReceivedAt = new Float64Array(length);
    this.#gossipRound = new Uint32Array(length);
    this.#quietUntil.set(former[0]);
    this.#pongReceivedAt.set(former[1]);
    this.#gossipRound.set(former[2]);
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
