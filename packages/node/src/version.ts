/** Which Redis we speak as, and who we are. */

/** The version of Redis whose commands and replies are ours: clients choose features by it. */
export const redisVersion = "7.2.6";

/** Our own version. */
export const slotlogVersion = "0.1.0";
