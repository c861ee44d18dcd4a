/** Why an AOF cannot be loaded. Nothing is started on it and nothing in it is changed. */

export type AofLoadErrorCode =
  /** A file of the manifest is missing or cannot be read. */
  | "SLOTLOG_AOF_UNREADABLE"
  /** Data files, but no manifest that says what they are. */
  | "SLOTLOG_AOF_NO_MANIFEST"
  /** Bytes that no server wrote. */
  | "SLOTLOG_AOF_DAMAGED"
  /** The file ends inside a record, and cutting it is not allowed. */
  | "SLOTLOG_AOF_TRUNCATED"
  /** A record names a command that we do not have. */
  | "SLOTLOG_AOF_UNKNOWN_COMMAND"
  /** The RDB part cannot be loaded. */
  | "SLOTLOG_AOF_BASE";

export interface AofLoadErrorDetails {
  readonly file: string;
  /** Where in the file. */
  readonly offset?: number;
  readonly cause?: unknown;
}

export class AofLoadError extends Error {
  readonly code: AofLoadErrorCode;
  readonly file: string;
  readonly offset: number | undefined;

  constructor(code: AofLoadErrorCode, message: string, details: AofLoadErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AofLoadError";
    this.code = code;
    this.file = details.file;
    this.offset = details.offset;
  }
}
