/** All clients of a node, by id, in the order in which they came. */
import type { Client } from "./client.js";

export class ClientTable {
  readonly #byId = new Map<number, Client>();
  #nextId = 1;
  blockedCount = 0;

  nextId(): number {
    return this.#nextId++;
  }

  add(client: Client): void {
    this.#byId.set(client.id, client);
  }

  remove(client: Client): void {
    this.#byId.delete(client.id);
  }

  get(id: number): Client | undefined {
    return this.#byId.get(id);
  }

  get count(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<Client> {
    return this.#byId.values();
  }
}
