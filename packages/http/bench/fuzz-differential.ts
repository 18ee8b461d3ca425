import { parseArgs } from "node:util";
import { disagreement } from "../test/engine-server/differential.ts";
import { mutate, Random, seedMessages } from "../test/engine-server/mutations.ts";

/**
 * Looks for requests that the engine accepts and Node's parser refuses or frames otherwise, for a time.
 * `pnpm fuzz [--minutes 3] [--seed N]`. What it finds
 * belongs into `test/engine-server/found-by-fuzzing.json`. Exit code 1 when something was found.
 */
const { values } = parseArgs({ options: { minutes: { type: "string", default: "3" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const until = performance.now() + Number(values.minutes) * 60_000;
const random = new Random(seed);
let played = 0;
let found = 0;

process.stdout.write(`seed ${seed}\n`);
while (performance.now() < until && found < 20) {
  const message = mutate(random, random.pick(seedMessages));
  const difference = await disagreement(message);
  played++;
  if (difference === undefined) continue;
  found++;
  process.stdout.write(`${JSON.stringify(message)}\n  ${difference}\n`);
}
process.stdout.write(`${played} messages, ${found} found\n`);
process.exit(found === 0 ? 0 : 1);
