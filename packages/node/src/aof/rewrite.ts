/**
 * The rewrite of the AOF: a new base with the state at the cut, a new increment from there on, and
 * a manifest that names both. At every step a crash leaves a manifest whose files are whole; until
 * the last one the old files are what counts.
 */
import type { AofDirectory } from "./directory.js";
import { type Manifest, withNextBase, withoutIncrementsBefore } from "./manifest.js";
import type { AofWriter } from "./writer.js";

export interface RewriteOptions {
  readonly directory: AofDirectory;
  readonly writer: AofWriter;
  /**
   * Called once, synchronously with the cut: hands what is logged so far to the writer.
   */
  flushLog(): void;
  /** The data set at the cut, as RDB chunks; called right behind the cut, before anything changes. */
  snapshot(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Resolves when the new base counts and the old files are gone. */
export async function rewriteAppendOnly(options: RewriteOptions): Promise<void> {
  const { directory, writer } = options;
  const { disk, log, appendFilename } = directory;
  await writer.prepareIncrement();
  options.flushLog();
  const cut = writer.cutIncrement();
  const chunks = options.snapshot();
  const temporary = directory.pathOf(`temp-rewriteaof-${appendFilename}.rdb`);
  const file = await disk.open(temporary, "truncate");
  let bytes = 0;
  try {
    await cut;
    for await (const chunk of chunks) {
      await file.write([chunk]);
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  // The cut began the last increment: all before it end where the base begins.
  const keepFrom = directory.manifest.incrementSequence;
  const change = (manifest: Manifest): Manifest =>
    withoutIncrementsBefore(withNextBase(manifest, appendFilename, "rdb"), keepFrom);
  const name = change(directory.manifest).base?.name ?? "";
  await disk.rename(temporary, directory.pathOf(name));
  await disk.syncDirectory(directory.path);
  await directory.replaceManifest(change);
  writer.noteRewrite(bytes);
  log.notice(`AOF rewrite finished: base ${name} has ${bytes} bytes`);
  await directory.removeHistory();
}
