#!/usr/bin/env node
// The `slotlog` command. Everything is in `cli/`; here is only what a process needs: arguments in,
// exit code out.

import { main } from "./cli/main.js";

const code = await main(process.argv.slice(2));
// A running node has no exit code yet: it ends the process itself when it is told to stop.
if (code !== undefined) process.exitCode = code;
