// A file system with a few megabytes, to run full for real. Needs root and a kernel that lets it
// mount; where it does not, the test that wants it says so and is left out.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./exec.js";
import { removeDirectory, temporaryDirectory } from "./server.js";

export class SmallDisk implements AsyncDisposable {
  /** An empty directory on it. */
  readonly directory: string;
  readonly #mountPoint: string;

  private constructor(mountPoint: string) {
    this.#mountPoint = mountPoint;
    this.directory = join(mountPoint, "data");
    mkdirSync(this.directory);
  }

  /** The disk, or why there can be none. */
  static async mount(mebibytes: number): Promise<SmallDisk | string> {
    if (process.platform !== "linux") return `no tmpfs on ${process.platform}`;
    const mountPoint = temporaryDirectory();
    const options = ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "slotlog-test", mountPoint];
    const { code, out } = await run("mount", options).catch((error: unknown) => ({
      code: 1,
      out: String(error),
    }));
    if (code === 0) return new SmallDisk(mountPoint);
    removeDirectory(mountPoint);
    return `mount a tmpfs: ${out.trim()} (it takes root)`;
  }

  /** Takes so much of the room, until `giveBack`. */
  take(mebibytes: number): void {
    writeFileSync(join(this.#mountPoint, "ballast"), Buffer.alloc(mebibytes * 2 ** 20));
  }

  giveBack(): void {
    rmSync(join(this.#mountPoint, "ballast"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code, out } = await run("umount", [this.#mountPoint]);
    if (code !== 0) throw new Error(`umount ${this.#mountPoint}: ${out}`);
    removeDirectory(this.#mountPoint);
  }
}
