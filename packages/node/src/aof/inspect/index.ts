/** The AOF for whoever looks at it from outside, mends it or cuts it: no node is needed. */

export { createDisk } from "../../adapters/disk.js";
export { DirectoryLockedError, directoryOwner } from "../../adapters/directory-lock.js";
export { errnoText } from "../../adapters/disk-error.js";
export { quoteArgument, splitArguments } from "../../config/split-arguments.js";
export type { Disk, DirectoryLock } from "../../ports.js";
export { ManifestError } from "../manifest.js";
export type { BaseKey } from "./base-keys.js";
export {
  type AofReport,
  checkAof,
  type CheckOptions,
  type CheckProgress,
  type FileReport,
} from "./check.js";
export { type CutOptions, type CutPoint, findCut, type Moment, MomentError } from "./cut-point.js";
export { dumpAof, type DumpFilter, type DumpOptions, type DumpSink } from "./dump.js";
export { type HistoryOptions, type HistorySink, keyHistory } from "./history.js";
export { applyCut, type PlannedCut, planRepair, type RepairPlan } from "./repair.js";
export { type AofWalk, MissingFileError } from "./replay-order.js";
export {
  refuseFilledTarget,
  restoreAof,
  type Restored,
  type RestoreOptions,
  RestoreTargetError,
} from "./restore.js";
export { type AofSource, AofSourceError, type AofSourceFile, locateAof } from "./source.js";
export type { FileVerdict, FileWalk, RecordAt } from "./walk.js";
