/**
 * Checks from outside that no replica ever has a byte of a stream that its primary did not write:
 * every history has a chapter, written by the one node that began it, and whatever another node
 * holds of that history must stand in it. It believes nothing but ids, offsets and the backlog.
 */
import assert from "node:assert/strict";
import type { Replication } from "../../replication/replication.js";

/** What one node has written under one replication id. */
interface Chapter {
  readonly owner: string;
  /** Offset of the first byte of `bytes`. */
  readonly start: number;
  bytes: Buffer;
  used: number;
  /** Bytes below `until` are those of an earlier chapter. */
  readonly before: { readonly id: string; readonly until: number } | undefined;
}

interface Seen {
  readonly id: string;
  readonly next: number;
}

export class StreamLedger {
  /** Bytes that were compared with what the primary wrote. */
  comparedBytes = 0;
  readonly #chapters = new Map<string, Chapter>();
  readonly #seen = new Map<string, Seen>();

  /** Forgets how far a node was looked at: it lives a new life. */
  forget(node: string): void {
    this.#seen.delete(node);
  }

  /** Looks at all nodes, those that write first. */
  observe(nodes: readonly { readonly name: string; readonly replication: Replication }[]): void {
    for (const { name, replication } of nodes) {
      if (!replication.isReplica) this.#write(name, replication);
    }
    for (const { name, replication } of nodes) {
      if (replication.isReplica) this.#compare(name, replication);
    }
  }

  #write(name: string, { history }: Replication): void {
    const { backlog, id } = history;
    if (backlog === undefined) return;
    let chapter = this.#chapters.get(id);
    if (chapter === undefined) {
      const { secondId, secondOffset } = history;
      const before = secondOffset === -1 ? undefined : { id: secondId, until: secondOffset };
      const start = Math.max(backlog.firstOffset, before?.until ?? 0);
      chapter = { owner: name, start, bytes: Buffer.alloc(65_536), used: 0, before };
      this.#chapters.set(id, chapter);
    }
    assert.equal(chapter.owner, name, `two nodes write the history ${id}`);
    this.#copy(chapter, name, history);
  }

  /** What its own node has written since it was last looked at. */
  #copy(chapter: Chapter, name: string, { backlog, id }: Replication["history"]): void {
    if (backlog === undefined) return;
    let next = chapter.start + chapter.used;
    assert.ok(next >= backlog.firstOffset, `${name} was looked at too rarely`);
    for (let piece = backlog.read(next); piece !== undefined; piece = backlog.read(next)) {
      if (chapter.used + piece.length > chapter.bytes.length) {
        const size = 2 * (chapter.used + piece.length);
        chapter.bytes = Buffer.concat([chapter.bytes.subarray(0, chapter.used)], size);
      }
      piece.copy(chapter.bytes, chapter.used);
      chapter.used += piece.length;
      next += piece.length;
    }
    this.#seen.set(name, { id, next });
  }

  #compare(name: string, { history }: Replication): void {
    const { backlog, id } = history;
    if (backlog === undefined) return;
    // It wrote this history itself, and has not heard from its primary yet.
    const own = this.#chapters.get(id);
    if (own?.owner === name) {
      this.#copy(own, name, history);
      return;
    }
    const seen = this.#seen.get(name);
    const goesOn = seen?.id === id && seen.next <= backlog.nextOffset;
    let next = Math.max(goesOn ? seen.next : 0, backlog.firstOffset);
    for (let piece = backlog.read(next); piece !== undefined; piece = backlog.read(next)) {
      for (let at = 0; at < piece.length; ) {
        const written = this.#read(id, next + at);
        const where = `${name} has byte ${next + at} of history ${id}`;
        assert.ok(written !== undefined, `${where}, which its primary did not write`);
        const count = Math.min(written.length, piece.length - at);
        const same = piece.subarray(at, at + count).equals(written.subarray(0, count));
        assert.ok(same, `${where}, and it is another than its primary's`);
        at += count;
        this.comparedBytes += count;
      }
      next += piece.length;
    }
    this.#seen.set(name, { id, next });
  }

  /** What was written from `offset` on, as far as it stands in one chapter. */
  #read(id: string, offset: number): Buffer | undefined {
    const chapter = this.#chapters.get(id);
    if (chapter === undefined) return undefined;
    const { before, bytes, start, used } = chapter;
    if (before !== undefined && offset < before.until) {
      return this.#read(before.id, offset)?.subarray(0, before.until - offset);
    }
    const from = offset - start;
    return from >= 0 && from < used ? bytes.subarray(from, used) : undefined;
  }
}
