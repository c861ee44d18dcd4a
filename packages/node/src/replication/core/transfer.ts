/**
 * How a data set travels to a replica: a header line, `$<length>` or `$EOF:<forty characters>`,
 * then the RDB, then in the second form the forty characters again. This reader finds the frame;
 * what is inside goes to whoever decodes it, and that one says where the RDB ends.
 */

const lineBytesMax = 1024;
const markLength = 40;

export type TransferFrame =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "mark"; readonly mark: string };

export type HeaderResult =
  /** More bytes are needed. All given were taken. */
  | { readonly kind: "wait" }
  /** The frame, and where the RDB begins in the chunk given last. */
  | { readonly kind: "frame"; readonly frame: TransferFrame; readonly next: number }
  | { readonly kind: "failed"; readonly reason: string };

/** Reads the header line; bare line feeds before it are signs of life. */
export class TransferHeaderReader {
  #line = "";

  push(chunk: Buffer): HeaderResult {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte);
        if (this.#line.length > lineBytesMax) {
          return { kind: "failed", reason: "the primary sent no length for the data set" };
        }
        continue;
      }
      const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
      this.#line = "";
      if (line === "") continue;
      return parseHeader(line, at + 1);
    }
    return { kind: "wait" };
  }
}

function parseHeader(line: string, next: number): HeaderResult {
  if (line.startsWith("-")) {
    return { kind: "failed", reason: `the primary gave up the synchronisation: ${line.slice(1)}` };
  }
  if (line.startsWith("$EOF:") && line.length >= 5 + markLength) {
    return { kind: "frame", frame: { kind: "mark", mark: line.slice(5, 5 + markLength) }, next };
  }
  const digits = line.slice(1);
  if (line.startsWith("$") && /^[0-9]{1,15}$/.test(digits)) {
    return { kind: "frame", frame: { kind: "length", bytes: Number(digits) }, next };
  }
  return { kind: "failed", reason: `bad protocol from the primary: '${line.slice(0, 80)}'` };
}

/** The header line for a frame. */
export function transferHeader(frame: TransferFrame): string {
  return frame.kind === "mark" ? `$EOF:${frame.mark}\r\n` : `$${frame.bytes}\r\n`;
}
