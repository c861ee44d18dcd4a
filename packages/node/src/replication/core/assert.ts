/** `assert` for the cores, which import nothing from `node:`. It stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`replication: ${message}`);
}
