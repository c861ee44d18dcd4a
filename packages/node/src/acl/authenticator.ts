/**
 * Who may log in. There is one user, `default`, whose password is `requirepass`; rules for further
 * users are access control's, which will stand behind the same questions.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { NodeConfig } from "../config/config.js";

export const defaultUser = "default";

export class Authenticator {
  readonly #config: NodeConfig;

  constructor(config: NodeConfig) {
    this.#config = config;
  }

  /** New connections need no password. */
  get defaultUserIsOpen(): boolean {
    return this.#config.requirepass === "";
  }

  knows(user: string): boolean {
    return user === defaultUser;
  }

  check(user: string, password: string): boolean {
    if (user !== defaultUser) return false;
    if (this.defaultUserIsOpen) return true;
    return sameSecret(password, this.#config.requirepass);
  }
}

/** Equal digests, compared in constant time, whatever the lengths. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text, "latin1").digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
