// Many lines to standard output: gathered into large writes, waiting where the reader is slow, and
// ending quietly when the reader (`head`) has gone.

const flushBytes = 64 * 1024;

export class LineOutput {
  /** The reader has gone: nothing more need be made. */
  closed = false;
  private readonly stream: NodeJS.WriteStream;
  private pending: string[] = [];
  private pendingLength = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.closed = true;
    });
  }

  line(text: string): void {
    this.pending.push(text);
    this.pendingLength += text.length;
    // Between two pauses there may be a megabyte of records, each of which may print longer.
    if (this.pendingLength >= flushBytes) this.write();
  }

  /** Something to wait for if the reader is slow. */
  pause(): Promise<void> | undefined {
    this.write();
    if (this.closed || !this.stream.writableNeedDrain) return undefined;
    const { stream } = this;
    return new Promise((resolve) => {
      const settle = (): void => {
        stream.off("drain", settle);
        stream.off("close", settle);
        stream.off("error", settle);
        resolve();
      };
      stream.on("drain", settle);
      stream.on("close", settle);
      stream.on("error", settle);
    });
  }

  end(): void {
    this.write();
  }

  private write(): void {
    if (this.pending.length === 0) return;
    if (!this.closed) this.stream.write(`${this.pending.join("\n")}\n`);
    this.pending = [];
    this.pendingLength = 0;
  }
}
