#!/usr/bin/env node
// Starts the program that the package of this platform holds.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`playbook-aws-${platform}/bin/playbook`);
} catch {
  console.error(`error: there is no package playbook-aws-${platform}
  help: install without --omit=optional; where there is none for this platform, build it with cargo`);
  process.exit(2);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// At a terminal, Ctrl-C and a hang-up reach the program by themselves: a second one would have it stop at once.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) {
  process.on(signal, () => {
    if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`error: ${program} cannot be started: ${error.message}`);
  process.exit(2);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
