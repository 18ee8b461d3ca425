/** Two processes that start at once at one path, of which a third one left its socket: one of them listens, whatever the order of their steps. */
import { once } from "node:events";
import { linkSync, readdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DelegationError } from "../src/index.ts";
import type { DelegationReceiver } from "../src/receiver/index.ts";
import { openReceiver } from "../src/receiver/receiver.ts";
import { systemClaimSteps, type ClaimSteps } from "../src/receiver/socket-path.ts";
import { libc } from "../src/unix/libc.ts";
import { privateDirectory } from "./delegating-gateway.ts";

let directory: Awaited<ReturnType<typeof privateDirectory>>;
let path: string;
const closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  directory = await privateDirectory();
  path = join(directory.path, "target.sock");
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await directory.remove();
});

/** What a process leaves that is killed: Node removes the socket by the name that it was made under, and not by the other one. */
async function leaveStaleSocket(): Promise<void> {
  const server = createServer().listen(`${path}.first`);
  await once(server, "listening");
  linkSync(`${path}.first`, path);
  server.close();
  await once(server, "close");
}

function open(steps?: ClaimSteps): Promise<DelegationReceiver | DelegationError> {
  return openReceiver({ path, server: createHttpServer() }, steps).then(
    (receiver) => {
      closers.push(() => receiver.close());
      return receiver;
    },
    (error: unknown) => {
      if (error instanceof DelegationError) return error;
      throw error;
    },
  );
}

async function expectListener(): Promise<void> {
  const probe = connect(path);
  await once(probe, "connect");
  probe.destroy();
}

type Step = keyof ClaimSteps;

/** Steps that wait before one of them until they are let go on. */
function stoppedBefore(stop: Step): { steps: ClaimSteps; stopped: Promise<void>; goOn: () => void } {
  const system = systemClaimSteps(libc());
  const stopped = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const wrap = <Result>(step: Step, run: (at: string) => Promise<Result>) => async (at: string): Promise<Result> => {
    if (step === stop) {
      stopped.resolve();
      await going.promise;
    }
    return run(at);
  };
  const steps = { lock: wrap("lock", system.lock), look: wrap("look", system.look), remove: wrap("remove", system.remove) };
  return { steps, stopped: stopped.promise, goOn: going.resolve };
}

describe.each(["lock", "look", "remove"] as const)("one that stands still before its step '%s' while another one starts", (step) => {
  test("never removes the other one's socket: one of the two listens, the other one is told so", async () => {
    await leaveStaleSocket();
    const first = stoppedBefore(step);
    const opening = open(first.steps);
    await first.stopped;
    const second = await open();
    first.goOn();
    const outcomes = [await opening, second];
    const [winner, loser] = step === "lock" ? [outcomes[1], outcomes[0]] : outcomes;
    expect(winner).not.toBeInstanceOf(Error);
    expect(loser).toMatchObject({ code: "REFUSED", message: `another process listens at '${path}', or is about to: it holds '${path}.lock'` });
    await expectListener();
  });
});

test("of many that start at once one listens", async () => {
  for (let round = 0; round < 20; round++) {
    await leaveStaleSocket();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => open()));
    expect(outcomes.filter((each) => each instanceof DelegationError).map(({ code }) => code)).toEqual(Array.from({ length: 7 }, () => "REFUSED"));
    await expectListener();
    for (const close of closers.splice(0)) await close();
    expect(readdirSync(directory.path)).toEqual([]);
  }
});

test("the next one may start as soon as the one before closes, though that still talks to its gateways", async () => {
  const before = (await open()) as DelegationReceiver;
  const closing = before.close();
  const next = await open();
  expect(next).not.toBeInstanceOf(Error);
  await closing;
  // Nothing of the one before removes what is the next one's.
  await expectListener();
  await before.close();
  expect(await open()).toMatchObject({ code: "REFUSED" });
});

test("a program that listens there without a lock keeps its socket", async () => {
  const other: Server = createServer().listen(path);
  await once(other, "listening");
  closers.push(() => void other.close());
  expect(await open()).toMatchObject({ code: "REFUSED", message: `another process listens at '${path}'` });
  await expectListener();
});

test("what is no socket is left where it lies", async () => {
  writeFileSync(path, "precious");
  expect(await open()).toMatchObject({ code: "REFUSED", message: `what lies at '${path}' is no socket: choose another path, or remove it` });
  expect(statSync(path).size).toBe(8);
  expect(readdirSync(directory.path)).toEqual(["target.sock"]);
});

test("neither the socket nor its lock can be opened by others, and neither is left behind", async () => {
  const receiver = (await open()) as DelegationReceiver;
  expect([path, `${path}.lock`].map((each) => statSync(each).mode & 0o777)).toEqual([0o600, 0o600]);
  await receiver.close();
  expect(readdirSync(directory.path)).toEqual([]);
});

test("a lock that cannot be had is an error that names it", async () => {
  const steps = systemClaimSteps({ lock: () => 37 });
  expect(await open(steps)).toMatchObject({ code: "FAILED", message: `'${path}.lock' cannot be locked: error 37` });
});

test("a lock's file that its holder removed while it was being locked is not taken for the lock", async () => {
  const native = libc();
  let calls = 0;
  const steps = systemClaimSteps({
    lock(fd) {
      if (++calls === 1) unlinkSync(`${path}.lock`);
      return native.lock(fd);
    },
  });
  expect(await open(steps)).not.toBeInstanceOf(Error);
  expect(calls).toBe(2);
  expect(await open()).toMatchObject({ code: "REFUSED" });
});
