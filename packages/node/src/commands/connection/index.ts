/** The connection family: logging in, CLIENT, and what concerns the connection alone. */
import type { CommandSpec } from "../spec.js";
import { auth, hello } from "./auth.js";
import { client } from "./client/index.js";
import { ping } from "./ping.js";
import { echo, quit, reset, select } from "./session.js";

export const connection: readonly CommandSpec[] = [
  auth,
  client,
  echo,
  hello,
  ping,
  quit,
  reset,
  select,
];
