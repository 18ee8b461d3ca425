import { afterEach, describe, expect, it } from "vitest";
import type { ProxyConfigInput } from "@proxy/config";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";
import { RecordedEvents } from "./support/recorded-events.ts";
import { serve } from "./support/serving.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

type HttpClientInput = NonNullable<NonNullable<ProxyConfigInput["clusters"]>[string]["httpClient"]>;

/** A proxy with one connection to a destination that answers only when `release` is called. */
async function withOneConnection(httpClient: HttpClientInput) {
  const held: (() => void)[] = [];
  const destination = await rawDestination((_received, socket) => {
    held.push(() => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  open.push(destination);
  const log = new RecordedEvents();
  const served = await serve({
    logger: log,
    config: {
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: {
        c: {
          httpClient: { maxConnectionsPerServer: 1, ...httpClient },
          destinations: { d: { address: `http://127.0.0.1:${destination.port}` } },
        },
      },
    },
  });
  open.push(served);
  return {
    destination,
    failures: () => log.named("forwarding-failed").map(({ fields }) => fields),
    /** Resolves to the whole answer. */
    send: (path: string) => exchangeBytes(served.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
    underWay: (count: number) => expect.poll(() => served.proxy.state.cluster("c")?.inFlight).toBe(count),
    arrived: (count: number) => expect.poll(() => held.length).toBe(count),
    release: () => held.shift()?.(),
  };
}

describe("requests that wait for a connection", () => {
  it("are as many as MaxQueuedRequests: one more gets 503 at once, those that wait are served", async () => {
    const { send, underWay, arrived, release, failures, destination } = await withOneConnection({ maxQueuedRequests: 1 });
    const first = send("/first");
    await arrived(1);
    const second = send("/second");
    await underWay(2);
    expect(await send("/third")).toMatch(/^HTTP\/1\.1 503 /);
    expect(failures()).toMatchObject([{ code: "Request", error: { cause: { overloaded: true } } }]);
    release();
    expect(await first).toMatch(/^HTTP\/1\.1 200 /);
    await arrived(1);
    release();
    expect(await second).toMatch(/^HTTP\/1\.1 200 /);
    expect(destination.received).toHaveLength(1);
    expect(destination.received[0]).not.toContain("/third");
  });

  it("are none with MaxQueuedRequests 0", async () => {
    const { send, arrived, release } = await withOneConnection({ maxQueuedRequests: 0 });
    const first = send("/first");
    await arrived(1);
    expect(await send("/second")).toMatch(/^HTTP\/1\.1 503 /);
    release();
    expect(await first).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("wait no longer than QueueTimeout: then they get 504, and the one that has the connection goes on", async () => {
    const { send, arrived, release, failures, destination } = await withOneConnection({ queueTimeout: "20ms" });
    const first = send("/first");
    await arrived(1);
    expect(await send("/second")).toMatch(/^HTTP\/1\.1 504 /);
    expect(failures()).toMatchObject([{ code: "RequestTimedOut", error: { retry: "safe" } }]);
    release();
    expect(await first).toMatch(/^HTTP\/1\.1 200 /);
    expect(destination.received[0]).not.toContain("/second");
  });
});

describe("connections", () => {
  it("are opened ahead of requests as Prewarm says, no more than MaxConnectionsPerServer", async () => {
    const { destination, send, arrived, release } = await withOneConnection({ maxConnectionsPerServer: 2, prewarm: 3 });
    const first = send("/first");
    await arrived(1);
    await expect.poll(() => destination.sockets.size).toBe(2);
    release();
    expect(await first).toMatch(/^HTTP\/1\.1 200 /);
  });
});
