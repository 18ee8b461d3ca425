#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { runTarget, selftest } from "./selftest.ts";

const usage = "usage: httpsys selftest [library]\n";
const [command, ...rest] = process.argv.slice(2);

if (command === "selftest" && rest.length <= 1) {
  const targetModule = fileURLToPath(import.meta.url);
  const held = await selftest({ libraryPath: rest[0], targetModule, write: (line) => void process.stdout.write(`${line}\n`) });
  process.exitCode = held ? 0 : 1;
} else if (command === "target" && rest.length >= 2) await runTarget(rest[0] as string, Number(rest[1]), rest[2]);
else {
  process.stderr.write(usage);
  process.exitCode = 2;
}
