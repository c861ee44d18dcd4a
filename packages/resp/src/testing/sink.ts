/** A reply sink that keeps copies of its chunks, for tests. */
import type { ReplySink } from "../reply-arena.js";
import { ReplyWriter } from "../reply-writer.js";

export class CollectingSink implements ReplySink {
  readonly chunks: Buffer[] = [];

  chunk(bytes: Buffer): void {
    this.chunks.push(Buffer.from(bytes));
  }

  text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }
}

/** What `write` writes, as text. */
export function written(
  write: (writer: ReplyWriter) => void,
  protocol: 2 | 3 = 2,
  arenaBytes?: number,
): string {
  const writer = new ReplyWriter(arenaBytes);
  const sink = new CollectingSink();
  writer.attach(sink, protocol);
  write(writer);
  const bytes = writer.bytesWritten;
  writer.detach();
  const text = sink.text();
  if (text.length !== bytes) throw new Error(`${bytes} bytes counted, ${text.length} given out`);
  return text;
}
