#!/usr/bin/env node
// The `slotlog` command. npm makes commands of files that are there when it installs, and in a clone
// it installs before anything is built: so this one is not built.

import "../dist/bin.js";
