/**
 * Copies the beginning of a file, durably. A copy and no hard link: whoever writes to one file must
 * not write to the other.
 */

import type { Disk } from "../../ports.js";

const pieceBytes = 1024 * 1024;

export interface FileCopy {
  readonly from: string;
  /** Created, or emptied. Its directory is not synced. */
  readonly to: string;
  readonly bytes: number;
  /** Written behind them. */
  readonly end?: Buffer;
  readonly onProgress?: (bytes: number) => void;
}

export async function copyFile(disk: Disk, copy: FileCopy): Promise<void> {
  const source = await disk.open(copy.from, "read");
  try {
    const target = await disk.open(copy.to, "truncate");
    try {
      let done = 0;
      while (done < copy.bytes) {
        const piece = await source.read(done, Math.min(pieceBytes, copy.bytes - done));
        if (piece.length === 0) throw new Error(`${copy.from} became shorter while it was copied`);
        await target.write([piece]);
        done += piece.length;
        copy.onProgress?.(done);
      }
      if (copy.end !== undefined) await target.write([copy.end]);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
