/** A queue in a ring that doubles when it is full: no shifting, no memory per element. */

const placesMin = 16;

export class Ring<Item> {
  #items: (Item | undefined)[] = Array.from({ length: placesMin }, () => undefined);
  #first = 0;
  length = 0;

  push(item: Item): void {
    if (this.length === this.#items.length) this.#grow();
    this.#items[(this.#first + this.length) & (this.#items.length - 1)] = item;
    this.length++;
  }

  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.length--;
    return item;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let i = 0; i < this.length; i++) {
      yield this.#items[(this.#first + i) & (this.#items.length - 1)] as Item;
    }
  }

  #grow(): void {
    const old = [...this];
    this.#items = Array.from({ length: old.length * 2 }, (_, index) => old[index]);
    this.#first = 0;
  }
}
