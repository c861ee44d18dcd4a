// `slotlog aof`: the commands about append-only files, their options, and the help that explains
// them. What a command does is in a file of its own.

import type { Argv, Options } from "yargs";
import type { ExitCode } from "../errors.js";

const json = { type: "boolean", default: false } as const;
const time = { type: "string", requiresArg: true } as const;

export const checkOptions = {
  json: { ...json, describe: "Print the report as one line of JSON" },
} as const satisfies Record<string, Options>;

export const repairOptions = {
  yes: { type: "boolean", default: false, alias: "y", describe: "Cut without asking" },
  "allow-gap": {
    type: "boolean",
    default: false,
    describe: "Also cut a file that later ones follow; they are then replayed over the gap",
  },
  json: { ...json, describe: "Print what was done as one line of JSON; needs --yes" },
} as const satisfies Record<string, Options>;

export const dumpOptions = {
  key: {
    type: "string",
    array: true,
    nargs: 1,
    describe: "Only what names this key; may be repeated",
  },
  slot: {
    type: "string",
    requiresArg: true,
    describe: "Only keys of these slots: 866, 0-5460,9000",
  },
  command: {
    type: "string",
    array: true,
    nargs: 1,
    describe: "Only this command; may be repeated",
  },
  since: { ...time, describe: "Only from this time on" },
  until: { ...time, describe: "Only up to this time" },
  base: { type: "boolean", default: true, describe: "The keys of the base (--no-base: not)" },
  values: { type: "boolean", default: false, describe: "Values in full, those of the base too" },
  json: { ...json, describe: "One JSON object per line" },
} as const satisfies Record<string, Options>;

export const historyOptions = {
  db: { type: "number", requiresArg: true, describe: "Only in this database" },
  values: { type: "boolean", default: false, describe: "Values in full" },
  json: { ...json, describe: "One JSON object per line" },
} as const satisfies Record<string, Options>;

export const restoreOptions = {
  to: {
    type: "string",
    requiresArg: true,
    demandOption: true,
    describe: "The new directory; must be empty or absent",
  },
  until: { ...time, describe: "With all that was written up to this time" },
  before: {
    type: "string",
    requiresArg: true,
    describe: "Without the record at OFFSET or FILE:OFFSET, and all behind it",
  },
  "before-command": {
    type: "string",
    requiresArg: true,
    describe: "Without the last such command, and all behind it",
  },
  key: {
    type: "string",
    requiresArg: true,
    describe: "With --before-command: that names this key",
  },
  live: { type: "boolean", default: false, describe: "Although a node runs on the directory" },
  json: { ...json, describe: "Print what was done as one line of JSON" },
} as const satisfies Record<string, Options>;

/** The commands and what each takes, for suggestions. */
export const aofOptions = {
  check: checkOptions,
  repair: repairOptions,
  dump: dumpOptions,
  history: historyOptions,
  restore: restoreOptions,
} as const;

const pathText = "A data directory, an append-only directory, a manifest or a file";
const timeHelp =
  "Times: 2026-11-21T03:50:00 (local), 2026-11-21T03:50:00Z, Unix seconds, or an age: 15m, 2h, 1d.\n" +
  "A log holds times only if its node ran with aof-timestamp-enabled yes.";

type SetCode = (code: ExitCode) => void;

export function describeAof(command: Argv, setCode: SetCode): Argv {
  const parts = [describeCheck, describeRepair, describeDump, describeHistory, describeRestore];
  return parts
    .reduce((described, describe) => describe(described, setCode), command)
    .usage(
      "$0 aof <command> <path> [options]\n\n" +
        "Looks at, mends and cuts append-only files, slotlog's and those of redis-server (7 and\n" +
        "later: a directory with a manifest; 6 and older: one file). <path> is a data directory,\n" +
        "an append-only directory, a manifest or one of the files.",
    )
    .example("$0 aof check /var/lib/slotlog", "is it whole, and from when to when")
    .example("$0 aof history data user:1", "who changed this key, and when")
    .example("$0 aof restore data --before-command FLUSHALL --to undone", "undo a FLUSHALL")
    .demandCommand(1, "a command is missing");
}

function describeCheck(command: Argv, setCode: SetCode): Argv {
  return command.command({
    command: "check <path>",
    describe: "Is it whole? Records, times and damage of every file",
    builder: (check) =>
      check
        .usage(
          "$0 aof check <path> [options]\n\n" +
            "Reads every file as a server would load it and checks the manifest. Changes nothing,\n" +
            "and may look at a live node's directory. A torn end counts as damage: slotlog cuts it\n" +
            "at its next start, but a real server may append to it.",
        )
        .positional("path", { type: "string", demandOption: true, describe: pathText })
        .options(checkOptions)
        .example("$0 aof check data", "everything in data/appendonlydir")
        .example("$0 aof check data/appendonlydir/appendonly.aof.1.incr.aof", "one file of it")
        .epilogue("Exit codes: 0 sound, 1 damaged, 2 wrong usage."),
    handler: async (args) => setCode(await (await import("./check.js")).runCheck(args)),
  });
}

function describeRepair(command: Argv, setCode: SetCode): Argv {
  return command.command({
    command: "repair <path>",
    describe: "Cut torn and damaged files at their last whole record",
    builder: (repair) =>
      repair
        .usage(
          "$0 aof repair <path> [options]\n\n" +
            "Shows what would be lost, asks, keeps the original as <file>.damaged-1 beside it, and\n" +
            "cuts the file behind its last whole record or transaction. Without an answer nothing\n" +
            "is changed. Refuses while a slotlog node runs on the directory; a redis-server takes\n" +
            "no lock, so stop it yourself.",
        )
        .positional("path", { type: "string", demandOption: true, describe: pathText })
        .options(repairOptions)
        .example("$0 aof repair data", "shows, asks, cuts")
        .example("$0 aof repair data --yes", "for scripts")
        .epilogue("Exit codes: 0 whole now, 1 not repaired, 2 wrong usage."),
    handler: async (args) => setCode(await (await import("./repair.js")).runRepair(args)),
  });
}

function describeDump(command: Argv, setCode: SetCode): Argv {
  return command.command({
    command: "dump <path>",
    describe: "The log as lines: offset, time, database, command",
    builder: (dump) =>
      dump
        .usage(
          "$0 aof dump <path> [options]\n\n" +
            "Prints the base's keys and every record behind it. Long values are shortened unless\n" +
            "--values is given. May read a live node's directory, up to where it is now.\n" +
            timeHelp,
        )
        .positional("path", { type: "string", demandOption: true, describe: pathText })
        .options(dumpOptions)
        .example("$0 aof dump data --key user:1 --key user:2", "what names one of two keys")
        .example("$0 aof dump data --command DEL --since 15m", "the last quarter's deletions")
        .example("$0 aof dump data --slot 0-5460 --json", "a third of a cluster, for machines")
        .epilogue("Exit codes: 0 all was read, 1 damage was met, 2 wrong usage."),
    handler: async (args) => setCode(await (await import("./dump.js")).runDump(args)),
  });
}

function describeHistory(command: Argv, setCode: SetCode): Argv {
  return command.command({
    command: "history <path> <key>",
    describe: "Every change of one key, in order",
    builder: (history) =>
      history
        .usage(
          "$0 aof history <path> <key> [options]\n\n" +
            "Lists what the base holds of the key and every record that names it, with those that\n" +
            "change all keys: FLUSHALL, FLUSHDB, SWAPDB. A renamed key's later life is under its\n" +
            "new name. Bytes are written as dump prints them, in double quotes: '\"\\x00key\"'.",
        )
        .positional("path", { type: "string", demandOption: true, describe: pathText })
        .positional("key", { type: "string", demandOption: true, describe: "The key" })
        .options(historyOptions)
        .example("$0 aof history data user:1", "every change of user:1")
        .epilogue("Exit codes: 0 all was read, 1 damage was met, 2 wrong usage."),
    handler: async (args) => setCode(await (await import("./history.js")).runHistory(args)),
  });
}

function describeRestore(command: Argv, setCode: SetCode): Argv {
  return command.command({
    command: "restore <path>",
    describe: "The data of an earlier moment, in a new directory",
    builder: (restore) =>
      restore
        .usage(
          "$0 aof restore <path> --to <dir> (--until | --before | --before-command) [options]\n\n" +
            "Copies base and increments to a new directory, cut at that moment, never inside a\n" +
            "record or a transaction. slotlog and redis-server start on it. The source is only\n" +
            "read. It reaches back to the base: what a rewrite has dropped is gone.\n" +
            timeHelp,
        )
        .positional("path", { type: "string", demandOption: true, describe: pathText })
        .options(restoreOptions)
        .example("$0 aof restore data --before-command FLUSHALL --to undone", "undo a FLUSHALL")
        .example("$0 aof restore data --until 15m --to earlier", "as it was 15 minutes ago")
        .example("$0 aof restore data --before-command DEL --key user:1 --to d", "before its DEL")
        .example("$0 aof restore data --before appendonly.aof.1.incr.aof:9182 --to d", "by offset")
        .epilogue("Exit codes: 0 restored, 1 failed, 2 wrong usage."),
    handler: async (args) => setCode(await (await import("./restore.js")).runRestore(args)),
  });
}
