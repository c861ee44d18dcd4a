// Shows how far `slotlog up` is: a spinner on a terminal, a line per step elsewhere, nothing with
// --json. Always on standard error: standard output is for results.

import ora from "ora";

export interface Progress {
  step(text: string): void;
  /** A message that stays, such as a node's warning. */
  note(text: string): void;
  done(): void;
}

export function progressOn(stream: NodeJS.WriteStream, quiet: boolean): Progress {
  const write = (text: string): void => void stream.write(`${text}\n`);
  if (quiet) return { step: () => {}, note: write, done: () => {} };
  // A terminal of no width (some pseudo-terminals) would make the spinner wrap for ever.
  if (!stream.isTTY || !(stream.columns > 0)) return { step: write, note: write, done: () => {} };
  // Without discardStdin: false it would swallow Ctrl-C in raw mode.
  const spinner = ora({ stream, discardStdin: false });
  return {
    step: (text) => void (spinner.isSpinning ? (spinner.text = text) : spinner.start(text)),
    note: (text) => {
      if (spinner.isSpinning) spinner.clear();
      write(text);
    },
    done: () => void spinner.stop(),
  };
}
