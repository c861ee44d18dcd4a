/**
 * As whom a connection speaks to a node: protocol and user. Clients of one identity share
 * connections, others never do.
 */

export interface Credentials {
  readonly user: string | undefined;
  readonly password: string;
}

export class Identity {
  readonly index: number;
  readonly protocol: 2 | 3;
  readonly credentials: Credentials | undefined;
  /** Reads may come from a replica, which wants to be told (READONLY). */
  readonly fromReplicas: boolean;
  /** Clients that are it now. */
  users = 0;

  constructor(
    index: number,
    protocol: 2 | 3,
    credentials: Credentials | undefined,
    fromReplicas: boolean,
  ) {
    this.index = index;
    this.protocol = protocol;
    this.credentials = credentials;
    this.fromReplicas = fromReplicas;
  }

  /** What a new connection says first. */
  greeting(): readonly (readonly string[])[] {
    const commands: string[][] = [];
    if (this.credentials !== undefined) {
      const { user, password } = this.credentials;
      commands.push(user === undefined ? ["AUTH", password] : ["AUTH", user, password]);
    }
    if (this.protocol === 3) commands.push(["HELLO", "3"]);
    if (this.fromReplicas) commands.push(["READONLY"]);
    return commands;
  }
}

export class Identities {
  readonly #known = new Map<string, Identity>();
  readonly #free: number[] = [];
  readonly #fromReplicas: boolean;
  readonly #max: number;

  constructor(options: { readonly fromReplicas: boolean; readonly max: number }) {
    this.#fromReplicas = options.fromReplicas;
    this.#max = options.max;
  }

  /** `undefined` if there are too many already. */
  get(protocol: 2 | 3, credentials: Credentials | undefined): Identity | undefined {
    const key = JSON.stringify([protocol, credentials?.user, credentials?.password]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#max) this.#forgetIdle();
    if (this.#known.size >= this.#max) return undefined;
    const index = this.#free.pop() ?? this.#known.size;
    const identity = new Identity(index, protocol, credentials, this.#fromReplicas);
    this.#known.set(key, identity);
    return identity;
  }

  /** Told the index of each identity that is given up: its connections end. */
  onForget: (index: number) => void = () => {};

  #forgetIdle(): void {
    for (const [key, identity] of this.#known) {
      if (identity.users > 0) continue;
      this.#known.delete(key);
      this.#free.push(identity.index);
      this.onForget(identity.index);
    }
  }
}
