/** The public face of the router. */
export type { CommandSource, DeclaredCommand } from "./catalog.js";
export type { ReadFrom } from "./cluster.js";
export type { Credentials } from "./identity.js";
export { defaultLimits, type RouterLimits } from "./limits.js";
export type { RouterPorts } from "./ports.js";
export { Router, type RouterOptions } from "./router.js";
export type { Address } from "./topology.js";
export { RouterMetrics } from "./metrics.js";
