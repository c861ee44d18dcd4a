/** `timeout`: clients that say nothing for so long are closed. */
import type { ClientTable } from "./client-table.js";

export function closeIdleClients(
  clients: ClientTable,
  limits: { readonly now: number; readonly timeoutSeconds: number },
): void {
  const { now, timeoutSeconds } = limits;
  if (timeoutSeconds === 0) return;
  for (const client of clients.all()) {
    const idleSeconds = Math.floor((now - client.lastActiveAt) / 1000);
    if (idleSeconds <= timeoutSeconds) continue;
    // Who listens or waits has nothing to say.
    const mayBeSilent =
      client.isReplica || client.subscriptions > 0 || client.blocked !== undefined;
    if (!mayBeSilent && !client.monitor) client.link.closeNow("idle for too long");
  }
}
