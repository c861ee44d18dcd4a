import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { configGet } from "./config-commands.js";
import {
  ConfigFileError,
  type LoadEnvironment,
  type LoadHooks,
  loadConfig,
} from "./config-file.js";

type Files = Readonly<Record<string, string>>;

function environment(files: Files, standardInput = ""): LoadEnvironment {
  const paths = Object.keys(files);
  return {
    product: "slotlog 0.1.0",
    workingDirectory: "/etc/node",
    checkDirectory: (path) => (path.includes("missing") ? "No such file or directory" : undefined),
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw new Error("No such file or directory");
      return Buffer.from(text);
    },
    listDirectory(path) {
      const prefix = path === "/" ? "/" : `${path}/`;
      const below = paths.filter((each) => each.startsWith(prefix));
      const names = below.map((each) => each.slice(prefix.length).split("/")[0]!);
      return names.length === 0 ? undefined : [...new Set(names)].sort();
    },
    readStandardInput: () => Buffer.from(standardInput),
    checkLogFile: (path) => (dirname(path) === "/readonly" ? "Permission denied" : undefined),
  };
}

interface Attempt {
  readonly files?: Files;
  readonly standardInput?: string;
  readonly hooks?: LoadHooks;
}

function load(args: readonly string[], attempt: Attempt = {}): ReturnType<typeof loadConfig> {
  const hooks = attempt.hooks === undefined ? {} : { hooks: attempt.hooks };
  return loadConfig(args, environment(attempt.files ?? {}, attempt.standardInput), hooks);
}

function failure(args: readonly string[], attempt: Attempt = {}): ConfigFileError {
  try {
    load(args, attempt);
  } catch (error) {
    assert.ok(error instanceof ConfigFileError);
    return error;
  }
  return assert.fail(`${args.join(" ")} was taken`);
}

test("file, standard input and arguments are read in this order, the last one wins", () => {
  const files = { "/etc/node/a.conf": "# c\r\nport 1\r\n  HZ 20\t\r\nmaxmemory 1Gb\ntimeout 7" };
  const { config, warnings } = load(["a.conf", "--port", "3", "--maxmemory", "5mb", "-"], {
    files,
    standardInput: "port 2\nhz 30\n",
  });
  const { port, hz, maxmemory, timeout } = config.values;
  assert.deepEqual([port, hz, maxmemory, timeout], [3, 30, 5 * 1024 * 1024, 7]);
  assert.equal(config.file, "/etc/node/a.conf");
  assert.deepEqual(warnings, []);
});

test("the arguments of a cluster node", () => {
  const line =
    "--port 7000 --cluster-enabled yes --appendonly yes --dir d --bind 127.0.0.1 -::1 " +
    "--client-output-buffer-limit pubsub 1mb 1kb 5 --databases 1";
  const quoted = ["--save", "", "--shutdown-on-sigint", "now force"];
  const { values } = load([...line.split(" "), ...quoted]).config;
  assert.equal(values.port, 7000);
  assert.equal(values.clusterEnabled, true);
  assert.deepEqual(values.save, []);
  assert.equal(values.dir, "/etc/node/d");
  assert.deepEqual(values.bind, ["127.0.0.1", "-::1"]);
  assert.equal(values.clientOutputBufferLimit.pubsub.softBytes, 1024);
  assert.deepEqual(values.shutdownOnSigint, ["now", "force"]);
});

test("save lines add up, replace the defaults, and an empty one clears", () => {
  const saves = (...args: string[]): string => {
    const files = { "/etc/node/a.conf": "save 900 1\nsave 300 10 60 10000\n" };
    return configGet(load(args, { files }).config, ["save"])[1]!;
  };
  assert.equal(saves(), "3600 1 300 100 60 10000");
  assert.equal(saves("a.conf"), "900 1 300 10 60 10000");
  assert.equal(saves("a.conf", "--save", "5", "5"), "900 1 300 10 60 10000 5 5");
  assert.equal(saves("a.conf", "--save", ""), "");
  assert.equal(saves("--save", "60 1", "--save", "300", "10"), "60 1 300 10");
  assert.equal(saves("a.conf", "--save", "--port", "1"), "");
});

test("included files are read in place, relative to dir, wildcards sorted and allowed to be none", () => {
  const files = {
    "/etc/node/main.conf": [
      "port 1",
      "include conf.d/*.conf",
      "include none/*.conf",
      "dir sub",
      'include "x.conf"',
      "hz 44",
    ].join("\n"),
    "/etc/node/conf.d/b.conf": "port 3\n",
    "/etc/node/conf.d/a.conf": "port 2\nhz 33\n",
    "/etc/node/conf.d/.hidden.conf": "port 9\n",
    "/etc/node/conf.d/a.txt": "port 8\n",
    "/etc/node/sub/x.conf": "timeout 5\n",
  };
  const { port, hz, timeout } = load(["main.conf"], { files }).config.values;
  assert.deepEqual([port, hz, timeout], [3, 44, 5]);
});

test("an error names file, line, text and reason", () => {
  const error = failure(["a.conf"], {
    files: {
      "/etc/node/a.conf": "port 1\ninclude b.conf\n",
      "/etc/node/b.conf": "\n# x\n  maxmemory 12zb \n",
    },
  });
  assert.equal(
    error.message,
    [
      "",
      "*** FATAL CONFIG FILE ERROR (slotlog 0.1.0) ***",
      "Reading the configuration file /etc/node/b.conf, at line 3",
      ">>> 'maxmemory 12zb'",
      "argument must be a memory value",
    ].join("\n"),
  );
  assert.equal(error.file, "/etc/node/b.conf");
  assert.equal(error.line, 3);
  assert.equal(error.reason, "argument must be a memory value");
});

test("arguments that redis-server refuses are refused for its reasons", () => {
  const cases: [args: string[], text: string, reason: string][] = [
    [["--invalid"], "invalid", "Bad directive or wrong number of arguments"],
    [["--port"], "port", "wrong number of arguments"],
    [["--port", "6380", "--loglevel"], "loglevel", "wrong number of arguments"],
    [["--port", "6379", "6380"], 'port "6379" "6380"', "wrong number of arguments"],
    [
      ["--port", "--loglevel", "verbose"],
      'port "--loglevel" "verbose"',
      "wrong number of arguments",
    ],
    [["--port", "--bla"], 'port "--bla"', "argument couldn't be parsed into an integer"],
    [["--replicaof", "127.0.0.1", "abc"], 'replicaof "127.0.0.1" "abc"', "Invalid master port"],
    [
      ["--shutdown-on-sigint"],
      "shutdown-on-sigint",
      "argument(s) must be one of the following: default, save, nosave, now, force",
    ],
    [
      ["--rename-command", "GET"],
      'rename-command "GET"',
      "Bad directive or wrong number of arguments",
    ],
    [["--loadmodule", "x.so"], 'loadmodule "x.so"', "modules are not supported"],
    [["--port", "1 "], 'port "1 "', "argument couldn't be parsed into an integer"],
    [
      ["--unixsocketperm", "999"],
      'unixsocketperm "999"',
      "argument couldn't be parsed as an octal number",
    ],
    [
      ["--unixsocketperm", "1000"],
      'unixsocketperm "1000"',
      "argument must be between 0 and 777 inclusive",
    ],
    [["--dir", "missing"], 'dir "missing"', "No such file or directory"],
    [
      ["--appendfilename", "a/b"],
      'appendfilename "a/b"',
      "appendfilename can't be a path, just a filename",
    ],
    [['--port "1'], 'port "1', "Unbalanced quotes in configuration line"],
    [["--tls-port", "1"], 'tls-port "1"', "TLS is not supported"],
  ];
  for (const [args, text, reason] of cases) {
    const { message } = failure(args);
    assert.ok(message.includes(`\n>>> '${text}'\n${reason}`), `${args.join(" ")}: ${message}`);
  }
});

test("a directive that is not known gets the nearest one suggested", () => {
  assert.match(failure(["--apendonly", "yes"]).message, /Did you mean 'appendonly'\?$/);
  assert.match(failure(["--cluster-enable", "yes"]).message, /Did you mean 'cluster-enabled'\?$/);
  assert.match(failure(["--zzzzzzz", "yes"]).message, /wrong number of arguments$/);
});

test("a file that cannot be read, or includes itself, stops the start", () => {
  assert.equal(
    failure(["no.conf"]).message,
    "Fatal error, can't open config file '/etc/node/no.conf': No such file or directory",
  );
  const files = { "/etc/node/a.conf": "include a.conf\n" };
  assert.match(
    failure(["a.conf"], { files }).message,
    /at line 1\n>>> 'include a.conf'\ninclude: more/,
  );
});

test("what only the whole shows: cluster and replicaof, databases, the log file, daemonize", () => {
  assert.equal(
    failure(["--cluster-enabled", "yes", "--replicaof", "a", "1"]).reason,
    "replicaof directive not allowed in cluster mode",
  );
  const clustered = load(["--cluster-enabled", "yes"]);
  assert.equal(clustered.config.values.databases, 1);
  assert.deepEqual(clustered.warnings, [
    "WARNING: Changing databases number from 16 to 1 since we are in cluster mode",
  ]);
  assert.equal(
    failure(["--logfile", "/readonly/x"]).reason,
    "Can't open the log file: Permission denied",
  );
  assert.equal(load(["--daemonize", "yes"]).warnings.length, 1);
  assert.match(load(["--activedefrag", "yes"]).warnings[0]!, /defragmentation/);
});

test("users, renamed commands and directives of the past", () => {
  const files = {
    "/etc/node/a.conf": [
      'user alice on ">pass word" ~a:*',
      "rename-command FLUSHALL nukeall",
      'rename-command DEBUG ""',
      "lua-replicate-commands yes",
      "list-max-ziplist-entries 3",
    ].join("\n"),
  };
  const { config } = load(["a.conf"], { files });
  assert.deepEqual(config.userLines, [["alice", "on", ">pass word", "~a:*"]]);
  assert.deepEqual(config.renamedCommands, [
    ["FLUSHALL", "nukeall"],
    ["DEBUG", ""],
  ]);
  const hooks: LoadHooks = {
    renameCommand: (from) => (from === "DEBUG" ? "No such command in rename-command" : undefined),
  };
  const error = failure(["a.conf"], { files, hooks });
  assert.equal(error.line, 3);
  assert.equal(error.reason, "No such command in rename-command");
});

test("defaults of this machine give way to what is configured", () => {
  const overrides = { maxmemory: 1000 };
  const loadWith = (args: string[]): number =>
    loadConfig(args, environment({}), { overrides }).config.values.maxmemory;
  assert.equal(loadWith([]), 1000);
  assert.equal(loadWith(["--maxmemory", "0"]), 0);
});
