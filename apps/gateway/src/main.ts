#!/usr/bin/env node
// Nothing heavy may be imported before the version check: on an old Node the reason for a start that fails should
// be one readable line, not a stack trace from a dependency.
import { unsupportedNodeMessage } from "./node-version.mjs";

const message = unsupportedNodeMessage(process.versions.node);
if (message === undefined) {
  const { runCommandLine } = await import("./cli/command-line.ts");
  await runCommandLine(process.argv.slice(2));
} else {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
