import { parseArgs } from "node:util";
import { disagreement as responseDisagreement, seedResponses } from "../test/engine-client/differential.ts";
import { disagreement as requestDisagreement } from "../test/engine-server/differential.ts";
import { mutate, Random, seedMessages } from "../test/engine-server/mutations.ts";

/**
 * Looks for requests and responses that the engine accepts and Node's parser refuses or frames otherwise, for a time.
 * `pnpm fuzz [--minutes 3] [--seed N]`. What it finds belongs into `found-by-fuzzing.json` of
 * `test/engine-server` or `test/engine-client`. Exit code 1 when something was found.
 */
const { values } = parseArgs({ options: { minutes: { type: "string", default: "3" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const until = performance.now() + Number(values.minutes) * 60_000;
/** A response is judged in one go and a request over turns of the event loop: this gives both about the same time. */
const responsesPerRequest = 20;
const mostFound = 20;

/** Each with random numbers of its own: a seed plays the same whatever becomes of the other. */
const requests = { random: new Random(seed), played: 0, found: 0 };
const responses = { random: new Random(seed), played: 0, found: 0 };

async function playRequest(): Promise<void> {
  const message = mutate(requests.random, requests.random.pick(seedMessages));
  requests.played++;
  const difference = await requestDisagreement(message);
  if (difference === undefined) return;
  requests.found++;
  process.stdout.write(`request ${JSON.stringify(message)}\n  ${difference}\n`);
}

function playResponse(): void {
  const message = mutate(responses.random, responses.random.pick(seedResponses), seedResponses);
  responses.played++;
  const difference = responseDisagreement(message);
  if (difference === undefined) return;
  responses.found++;
  process.stdout.write(`response ${JSON.stringify(message)}\n  ${JSON.stringify(difference)}\n`);
}

process.stdout.write(`seed ${seed}\n`);
while (performance.now() < until && requests.found + responses.found < mostFound) {
  await playRequest();
  for (let i = 0; i < responsesPerRequest; i++) playResponse();
}
process.stdout.write(`${requests.played} requests, ${requests.found} found\n`);
process.stdout.write(`${responses.played} responses, ${responses.found} found\n`);
process.exit(requests.found + responses.found === 0 ? 0 : 1);
