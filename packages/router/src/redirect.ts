/** What an error reply of a node asks of a client of a cluster. Pure. */

export type Verdict =
  | { readonly kind: "moved" | "ask"; readonly slot: number; readonly host: string; port: number }
  /** The node did not do it and may later, or another one may. */
  | { readonly kind: "not-now"; readonly refresh: boolean }
  /** An error of the command's own. */
  | undefined;

/** Longer than any of these replies; what follows is somebody's text. */
const wordsBytes = 320;

/** The error reply in `bytes[start, end)`, which begins with `-`. */
export function verdictOf(bytes: Buffer, start: number, end: number): Verdict {
  switch (bytes[start + 1]) {
    case 0x4d: // M: MOVED, MASTERDOWN
    case 0x41: // A: ASK
    case 0x54: // T: TRYAGAIN
    case 0x43: // C: CLUSTERDOWN
    case 0x4c: // L: LOADING
    case 0x52: // R: READONLY
      return verdictOfText(
        bytes.toString("latin1", start + 1, Math.min(end - 2, start + wordsBytes)),
      );
    default:
      return undefined;
  }
}

function verdictOfText(text: string): Verdict {
  const [word = "", slot = "", address = ""] = text.split(" ");
  switch (word) {
    case "MOVED":
    case "ASK": {
      const colon = address.lastIndexOf(":");
      const port = Number(address.slice(colon + 1));
      const number = Number(slot);
      const isWhole = colon >= 0 && Number.isInteger(number) && number >= 0 && number < 16_384;
      if (!isWhole || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
      const kind = word === "MOVED" ? "moved" : "ask";
      return { kind, slot: number, host: address.slice(0, colon), port };
    }
    case "TRYAGAIN":
      return { kind: "not-now", refresh: false };
    case "CLUSTERDOWN":
    case "LOADING":
    case "MASTERDOWN":
    case "READONLY":
      return { kind: "not-now", refresh: true };
    default:
      return undefined;
  }
}
