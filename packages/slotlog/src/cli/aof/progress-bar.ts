// How far a long read or copy is, as a bar on a terminal; nothing elsewhere, and nothing for what
// is done before it could be read.

import ora, { type Ora } from "ora";

/** Shown after so long, and then at most so often. */
const showAfterMs = 300;
const redrawMs = 80;
const barWidth = 30;

export class ProgressBar {
  private readonly spinner: Ora | undefined;
  private readonly began = performance.now();
  private drawnAt = 0;

  /** `wanted`: neither --json nor lines on the same terminal. */
  constructor(stream: NodeJS.WriteStream, wanted: boolean) {
    // A terminal that does not know its width (0 columns) sends ora into an endless loop: it clears
    // as many lines as the text is long divided by that width.
    const drawn = wanted && stream.isTTY && stream.columns > 0;
    // Without discardStdin: false it would swallow Ctrl-C in raw mode.
    this.spinner = drawn ? ora({ stream, discardStdin: false }) : undefined;
  }

  /** `totalText` says what is counted; bytes without it. */
  at(what: string, bytes: number, totalBytes: number, totalText = sizeText(totalBytes)): void {
    const { spinner } = this;
    if (spinner === undefined) return;
    const now = performance.now();
    if (now - this.began < showAfterMs || now - this.drawnAt < redrawMs) return;
    this.drawnAt = now;
    spinner.text = barText(what, bytes, totalBytes, totalText);
    if (!spinner.isSpinning) spinner.start();
  }

  done(): void {
    this.spinner?.stop();
  }
}

export function barText(
  what: string,
  bytes: number,
  totalBytes: number,
  totalText = sizeText(totalBytes),
): string {
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const filled = Math.round(share * barWidth);
  const bar = "#".repeat(filled) + "-".repeat(barWidth - filled);
  return `${what} [${bar}] ${Math.floor(share * 100)}% of ${totalText}`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
}
