import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { createEngineClient, createVersionedClient, type HttpClient } from "../../src/index.ts";
import { certificates } from "../tls/destinations/index.ts";
import { get, send } from "./recorder.ts";
import { TlsDestination } from "./tls-destination-server.ts";
import { TestProxy } from "./web-proxy.ts";

/** What happens to the bytes from the proxy when so many have passed. */
interface Fault {
  readonly at: number;
  readonly what: "reset" | "close" | "end" | "garbage" | "stall";
}

let proxy: TestProxy;
let destination: TlsDestination;
let fault: Fault | undefined;
/** Told when the fault came, or a connection was over. */
let onFault: () => void = () => undefined;
const sockets = new Set<Socket>();

/** Stands between the client and the proxy. */
const relay = createServer({ allowHalfOpen: true }, (near) => {
  // Of this run: sockets of the last one may close later.
  const plan = fault;
  const tell = onFault;
  const far = connect({ port: Number(new URL(proxy.address).port), host: "127.0.0.1", allowHalfOpen: true });
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      near.destroy();
      far.destroy();
      tell();
    });
  }
  near.pipe(far);
  let passed = 0;
  far.on("data", (bytes: Buffer) => {
    const left = plan === undefined ? Infinity : plan.at - passed;
    passed += bytes.length;
    near.write(bytes.subarray(0, Math.max(0, left)));
    if (left > bytes.length || plan === undefined) return;
    far.removeAllListeners("data");
    if (plan.what === "reset") near.resetAndDestroy();
    else if (plan.what === "close") near.destroy();
    else if (plan.what === "end") near.end();
    else if (plan.what === "garbage") near.write(Buffer.alloc(200, "garbage\r\n\r\n"));
    tell();
  });
  far.on("end", () => near.end());
});

beforeAll(async () => {
  proxy = await TestProxy.start();
  destination = await TlsDestination.start(certificates.server);
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  relay.close();
  await destination.stop();
  await proxy.stop();
});

const plans = fc.record({
  at: fc.integer({ min: 0, max: 2600 }),
  what: fc.constantFrom<Fault["what"]>("reset", "close", "end", "garbage", "stall"),
});

it.each([
  ["engine", createEngineClient],
  ["versioned", createVersionedClient],
] as const)("a tunnel that breaks anywhere ends its request once and leaves nothing (%s client)", async (_name, create) => {
  const strays: unknown[] = [];
  const stray = (error: unknown): void => void strays.push(error);
  process.on("uncaughtException", stray).on("unhandledRejection", stray);
  const run = async (plan: Fault): Promise<void> => {
    fault = plan;
    const came = new Promise<void>((resolve) => {
      onFault = resolve;
    });
    const { port } = relay.address() as AddressInfo;
    const client: HttpClient = create({ tls: { ca: certificates.authority }, webProxy: { address: `http://127.0.0.1:${port}` } });
    const recorder = send(client.destination({ scheme: "https", host: "localhost", port: destination.port }), get());
    // What stalls, or waits for what garbage announced, ends with its client.
    void came.then(() => setImmediate(() => client.destroy(new Error("enough"))));
    await Promise.race([recorder.done, came.then(() => recorder.done)]);
    client.destroy();
    await client.close();
    expect(recorder.faults).toEqual([]);
    expect(["end", "error"]).toContain(recorder.outcome);
  };
  await fc.assert(fc.asyncProperty(plans, run), { numRuns: 80 });
  await expect.poll(() => sockets.size).toBe(0);
  process.off("uncaughtException", stray).off("unhandledRejection", stray);
  expect(strays).toEqual([]);
});
