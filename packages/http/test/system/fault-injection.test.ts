import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createEngineClient, createEngineServer } from "../../src/index.ts";
import { resetSocket } from "../../src/reset-socket.ts";
import { readMessage } from "./fault-injection/message.ts";
import { kinds, makePlan, type Plan, steps } from "./fault-injection/plan.ts";
import { play } from "./fault-injection/play.ts";
import { turns } from "./fault-injection/random-numbers.ts";
import { Relay, type RelayCounters } from "./fault-injection/relay.ts";

const requests = Number(process.env["FAULT_REQUESTS"] ?? 10_000);
const seed = Number(process.env["FAULT_SEED"] ?? 20_261_122);
const clients = 48;
/** Turns of the event loop after which a client that got no answer leaves. */
const patience = 150;

/** How often each fault struck: side, kind and step. */
const struck = new Map<string, number>();
function count(side: "client" | "destination", kind: Plan["client"]["kind"], step: (typeof steps)[number]): void {
  const name = `${kind} ${step} of the ${side}`;
  struck.set(name, (struck.get(name) ?? 0) + 1);
}

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};

beforeAll(() => {
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
});

afterAll(() => {
  process.off("uncaughtException", note);
  process.off("unhandledRejection", note);
});

/** Reads requests in order and plays the destination's part of each. */
function destinationOf(sockets: Set<Socket>): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    let text = "";
    let acted = false;
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const message = readMessage(text, false);
      if (message === undefined) return;
      const plan = makePlan(seed, Number(/ \/(\d+) /.exec(message.startLine)?.[1]));
      if (!acted && (plan.early || message.end !== undefined)) {
        acted = true;
        void play(socket, plan.response, plan.destination, (step) => count("destination", plan.destination.kind, step));
      }
      if (message.end === undefined || plan.upgrade) return;
      text = text.slice(message.end);
      acted = false;
    });
  });
}

type Outcome = "answered" | "bad gateway" | "cut" | "left" | "switched" | "refused";

/** Plays the client's part of one exchange on `socket`, and judges what it saw. */
async function exchange(socket: Socket, plan: Plan): Promise<Outcome> {
  let text = "";
  let gone = false;
  const take = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
  };
  const leave = (): void => {
    gone = true;
  };
  socket.on("data", take);
  socket.once("close", leave);
  socket.once("end", leave);
  try {
    if (plan.slowReader > 0) socket.pause();
    const sending = play(socket, plan.request, plan.client, (step) => count("client", plan.client.kind, step));
    if (plan.slowReader > 0) {
      await turns(plan.slowReader);
      socket.resume();
    }
    const sent = await sending;
    for (let i = 0; i < patience; i++) {
      const message = readMessage(text, plan.method === "HEAD");
      if (message?.end !== undefined) return judge(plan, message.status, message.body, sent);
      if (gone || socket.destroyed) return "cut";
      await turns(1);
    }
    resetSocket(socket);
    return "left";
  } finally {
    socket.off("data", take);
    socket.off("close", leave);
    socket.off("end", leave);
  }
}

function judge(plan: Plan, status: number, body: string, sent: boolean): Outcome {
  const about = JSON.stringify({ ...plan, request: plan.request.length, response: plan.response.length, body: plan.body.length });
  if (status === 101) {
    expect(plan.upgrade, about).toBe(true);
    return "switched";
  }
  if (status === 502) return "bad gateway";
  if (status >= 400) {
    expect(sent, about).toBe(false);
    return "refused";
  }
  // Garbage in a body of known length is data to everybody.
  if (plan.destination.kind === "garbage") expect(body.length, about).toBe(plan.body.length);
  else expect(body === plan.body, `the body is not what was sent: ${about}`).toBe(true);
  return "answered";
}

it(`${requests} requests with faults at every step on either side leave nothing behind`, async () => {
  const started = vi.spyOn(globalThis, "setInterval");
  const stopped = vi.spyOn(globalThis, "clearInterval");
  const destinationSockets = new Set<Socket>();
  const destination = destinationOf(destinationSockets);
  await new Promise<void>((resolve) => destination.listen(0, "127.0.0.1", resolve));
  const client = createEngineClient({ maxConnections: 64, timerInterval: 20 });
  const pool = client.destination({ scheme: "http", host: "127.0.0.1", port: (destination.address() as AddressInfo).port });
  const counters: RelayCounters = { exchanges: 0, calls: 0, tunnels: 0, twice: 0 };
  const faults: Error[] = [];
  const server = createEngineServer({
    timerInterval: 20,
    // What is left of a head when its client has gone waits for this.
    limits: { requestHeadersTimeout: 2000 },
    onFault: (error) => faults.push(error),
    handler: (one) => void new Relay(one, pool, counters),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const outcomes = new Map<Outcome, number>();

  let next = 0;
  const worker = async (): Promise<void> => {
    let socket: Socket | undefined;
    while (next < requests) {
      const plan = makePlan(seed, next++);
      if (socket === undefined || socket.destroyed || socket.writableEnded || socket.readableEnded) {
        socket?.destroy();
        socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
        socket.on("error", () => undefined);
      }
      const outcome = await exchange(socket, plan);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      // Only what is known to be whole on both sides goes on.
      if (outcome !== "answered" || plan.client.kind !== "none") {
        if (plan.id % 2 === 0) socket.destroy();
        else resetSocket(socket);
        socket = undefined;
      }
    }
    socket?.destroy();
  };
  await Promise.all(Array.from({ length: clients }, worker));

  await vi.waitFor(() => expect(counters).toEqual({ exchanges: 0, calls: 0, tunnels: 0, twice: 0 }), { timeout: 10_000 });
  await vi.waitFor(() => expect(server.connectionCount).toBe(0), { timeout: 10_000 });
  await server.close(1000);
  await client.close();
  await vi.waitFor(() => expect(destinationSockets.size).toBe(0), { timeout: 10_000 });
  await new Promise((resolve) => {
    destination.close(resolve);
  });
  const left = (): string[] => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"));
  await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 10_000 });
  // The timers of both engines: those that `vi.waitFor` starts are stopped before it resolves.
  const cleared = new Set(stopped.mock.calls.map(([timer]) => timer));
  expect(started.mock.results.filter(({ value }) => !cleared.has(value as NodeJS.Timeout))).toEqual([]);
  vi.restoreAllMocks();
  expect(unhandled).toEqual([]);
  process.stdout.write(`fault injection, seed ${seed}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}\n`);
  const all = ["client", "destination"].flatMap((side) =>
    kinds.slice(1).flatMap((kind) => steps.map((step) => `${kind} ${step} of the ${side}`)));
  expect(all.filter((name) => (struck.get(name) ?? 0) < requests / 2000), "faults that hardly struck").toEqual([]);
  for (const outcome of ["answered", "bad gateway", "cut", "left", "switched", "refused"] as const) {
    expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
  }
});
