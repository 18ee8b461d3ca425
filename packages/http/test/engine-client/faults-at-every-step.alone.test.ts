import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { createEngineClient, type DestinationRequest } from "../../src/index.ts";
import { RawDestination } from "./raw-destination.ts";
import { get, ManualBody, Recorder } from "./recorder.ts";

const runs = 400;
const seed = 20_261_122;
const responses = {
  length: "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n0123456789012345678901234567890123456789",
  chunked: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n14\r\n01234567890123456789\r\n0\r\nX-T: 1\r\n\r\n",
  close: "HTTP/1.1 200 OK\r\n\r\n0123456789012345678901234567890123456789",
  interim: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  upgrade: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst bytes",
} as const;
const bodies: Readonly<Record<keyof typeof responses, string>> = {
  length: "0123456789".repeat(4), chunked: "0123456789".repeat(4), close: "0123456789".repeat(4), interim: "", upgrade: "",
};
const faults = ["reset", "end", "close", "stall", "garbage", "none"] as const;
const requestBodies = ["none", "whole", "slow", "breaks"] as const;

interface Plan {
  readonly kind: keyof typeof responses;
  readonly fault: (typeof faults)[number];
  readonly requestBody: (typeof requestBodies)[number];
  /** Before the request (-1), or after so many bytes of the response. */
  readonly at: number;
  readonly chunkSize: number;
  readonly pauses: boolean;
  readonly abortAfter: number | undefined;
}

/** mulberry32: small, seeded, the same everywhere. */
function randomNumbers(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function makePlan(random: (below: number) => number): Plan {
  const kinds = Object.keys(responses) as (keyof typeof responses)[];
  const kind = kinds[random(kinds.length)] as keyof typeof responses;
  const fault = faults[random(faults.length)] as Plan["fault"];
  return {
    kind,
    fault,
    requestBody: kind === "upgrade" ? "none" : (requestBodies[random(requestBodies.length)] as Plan["requestBody"]),
    at: random(responses[kind].length + 2) - 1,
    chunkSize: 1 + random(60),
    pauses: random(3) === 0,
    abortAfter: fault === "stall" ? random(20) : random(8) === 0 ? random(10) : undefined,
  };
}

/** Plays the destination's part of `plan` once its request has come. */
async function act(socket: Socket, plan: Plan): Promise<void> {
  const text = responses[plan.kind];
  const end = plan.fault === "none" ? text.length : Math.max(0, plan.at);
  for (let from = 0; from < end; from += plan.chunkSize) {
    socket.write(text.slice(from, Math.min(end, from + plan.chunkSize)), "latin1");
    await new Promise(setImmediate);
  }
  if (plan.fault === "reset") socket.resetAndDestroy();
  else if (plan.fault === "end") socket.end();
  else if (plan.fault === "close") socket.destroy();
  else if (plan.fault === "garbage") socket.write("\0garbage\r\n\r\n");
  else if (plan.fault === "none" && plan.kind === "close") socket.end();
}

it(`${runs} requests with a reset, an end, a stall or garbage at a random step each end once and leave nothing`, async () => {
  const random = randomNumbers(seed);
  const plans = new Map<string, Plan>();
  const taken = new WeakMap<Socket, number>();
  const destination = await RawDestination.start((socket, received) => {
    const heads = [...received.matchAll(/GET \/(\d+) |POST \/(\d+) /g)];
    if (heads.length === (taken.get(socket) ?? 0)) return;
    taken.set(socket, heads.length);
    const head = heads.at(-1);
    const plan = plans.get(head?.[1] ?? head?.[2] ?? "");
    if (plan !== undefined) void act(socket, plan);
  });
  const client = createEngineClient({ maxConnections: 16 });
  const pool = client.destination(destination.origin);
  const outcomes = new Map<string, number>();

  const one = async (index: number): Promise<void> => {
    const plan = makePlan(random);
    plans.set(String(index), plan);
    const recorder = new Recorder();
    const body = plan.requestBody === "none" ? undefined : new ManualBody(index % 2 === 0 ? 20_000 : undefined);
    if (body !== undefined) body.onRead = () => feed(body, plan);
    const request: DestinationRequest = {
      ...get(`/${index}`), method: body === undefined ? "GET" : "POST", body,
      upgrade: plan.kind === "upgrade" ? "echo" : undefined,
      expectContinue: plan.kind === "interim" && index % 3 === 0,
    };
    if (plan.pauses) {
      recorder.onChunk = () => {
        recorder.call?.pause();
        setImmediate(() => recorder.call?.resume());
      };
    }
    recorder.call = pool.send(request, recorder);
    const aborted = plan.abortAfter === undefined ? undefined : turns(plan.abortAfter + (plan.fault === "stall" ? 60 : 0)).then(() => "aborted");
    const late = turns(400).then(() => "late");
    const result = await Promise.race([recorder.done, late, ...(aborted === undefined ? [] : [aborted])]);
    if (typeof result === "string") recorder.call.abort(new Error(result));
    expect(recorder.faults, JSON.stringify(plan)).toEqual([]);
    if (recorder.outcome === "end") {
      const whole = bodies[plan.kind];
      // Inside a body whose end is told by a number or by the close, garbage is data.
      if (plan.fault === "garbage" && (plan.kind === "close" || plan.kind === "length")) {
        if (plan.kind === "length") expect(recorder.body.length).toBe(whole.length);
      } else if (plan.kind === "close") expect(whole.startsWith(recorder.body)).toBe(true);
      else expect(recorder.body, JSON.stringify(plan)).toBe(whole);
    }
    if (recorder.outcome === "error") expect(recorder.error?.message).toContain("destination http://127.0.0.1");
    recorder.tunnel?.read({ onData: () => undefined, onEnd: () => recorder.tunnel?.end(), onError: () => undefined });
    if (recorder.tunnel !== undefined && plan.fault !== "reset") setImmediate(() => recorder.tunnel?.abort(new Error("over")));
    outcomes.set(recorder.outcome, (outcomes.get(recorder.outcome) ?? 0) + 1);
  };

  let next = 0;
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      while (next < runs) await one(next++);
    }),
  );
  expect([...outcomes.keys()].toSorted()).toEqual(["end", "error", "open", "upgrade"]);

  await client.close();
  await destination.stop();
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  await expect.poll(() => sockets()).toBe(0);
});

function feed(body: ManualBody, plan: Plan): void {
  const total = body.length ?? 20_000;
  if (plan.requestBody === "whole") {
    body.sink?.onData(Buffer.alloc(total));
    body.sink?.onEnd(undefined);
    return;
  }
  let sent = 0;
  const step = (): void => {
    if (body.cancelled > 0) return;
    const size = Math.min(2500, total - sent);
    sent += size;
    body.sink?.onData(Buffer.alloc(size));
    if (body.cancelled > 0) return;
    if (plan.requestBody === "breaks" && sent > total / 2) body.sink?.onError(new Error("client left"));
    else if (sent === total) body.sink?.onEnd(undefined);
    else setImmediate(step);
  };
  step();
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}
