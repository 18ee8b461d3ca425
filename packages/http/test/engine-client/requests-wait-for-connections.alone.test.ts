import { EventEmitter, once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createEngineClient, type DestinationClient, type EngineClientOptions, type HttpClient } from "../../src/index.ts";
import { answering, RawDestination, type Script } from "./raw-destination.ts";
import { get, Recorder, send } from "./recorder.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let client: HttpClient;
let destination: RawDestination | undefined;
let time = 1000;
const looked = new EventEmitter();

afterEach(async () => {
  client.destroy();
  await destination?.stop();
  destination = undefined;
});

async function start(script: Script, options: EngineClientOptions): Promise<DestinationClient> {
  destination = await RawDestination.start(script);
  client = createEngineClient({ ...options, now: look, timerInterval: 10 });
  return client.destination(destination.origin);
}

function look(): number {
  looked.emit("look");
  return time;
}

/** Waits until the client has looked at the clock so many times: at deadlines, that is. */
async function looks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await once(looked, "look");
}

function of(): RawDestination {
  return destination as RawDestination;
}

describe("requests beyond the connections", () => {
  it("wait their turn, first in first out", async () => {
    const pool = await start(answering(ok), { maxConnections: 2 });
    const order: number[] = [];
    const all = Array.from({ length: 10 }, (_value, index) =>
      send(pool, get(`/${index}`)).done.then(() => order.push(index)),
    );
    await Promise.all(all);
    expect(of().sockets.length).toBe(2);
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const targets = of().received.join("").match(/GET \/\d/g);
    expect(targets?.length).toBe(10);
    expect(of().received[0]).toMatch(/^GET \/0 /);
  });

  it("are refused when the queue is full", async () => {
    const pool = await start(() => undefined, { maxConnections: 1, maxQueuedRequests: 2 });
    const [, second, third] = [send(pool), send(pool), send(pool)];
    const fourth = send(pool);
    expect(fourth.error).toMatchObject({ step: "connect", overloaded: true, timedOut: false, requestSent: false });
    second.call?.abort(new Error("left"));
    const fifth = send(pool);
    expect([third.outcome, fifth.outcome]).toEqual(["open", "open"]);
    expect(send(pool).error?.overloaded).toBe(true);
  });

  it("are given up after the wait limit", async () => {
    const pool = await start(() => undefined, { maxConnections: 1, queueTimeout: 2000 });
    const first = send(pool);
    await of().until(() => (of().received[0] ?? "") !== "");
    const second = send(pool);
    time += 2500;
    expect((await second.done).error).toMatchObject({ step: "connect", timedOut: true, overloaded: false, requestSent: false });
    const third = send(pool);
    expect([first.outcome, third.outcome]).toEqual(["open", "open"]);
  });

  it("leave the queue when aborted, and hear nothing", async () => {
    const pool = await start(answering(ok), { maxConnections: 1 });
    const [first, second, third] = [send(pool), send(pool, get("/aborted")), send(pool)];
    second.call?.abort(new Error("left"));
    await Promise.all([first.done, third.done]);
    expect(second.outcome).toBe("open");
    expect(of().received[0]).not.toContain("/aborted");
  });

  it("get the connection of one that failed", async () => {
    const pool = await start((socket, received) => {
      if (received.includes("/bad")) socket.destroy();
      else socket.write(ok);
    }, { maxConnections: 1 });
    const [bad, good] = [send(pool, get("/bad")), send(pool, get("/good"))];
    expect((await bad.done).outcome).toBe("error");
    expect((await good.done).outcome).toBe("end");
  });

  it("get the connection of one that was aborted", async () => {
    const pool = await start((socket, received) => {
      if (!received.includes("/stall")) socket.write(ok);
    }, { maxConnections: 1 });
    const [stalled, good] = [send(pool, get("/stall")), send(pool, get("/good"))];
    await of().until(() => (of().received[0] ?? "") !== "");
    stalled.call?.abort(new Error("too slow"));
    expect((await good.done).outcome).toBe("end");
    expect(stalled.outcome).toBe("open");
  });

  it("take over the connection that was being opened for one that left", async () => {
    const pool = await start(answering(ok), {});
    send(pool, get("/left")).call?.abort(new Error("left"));
    expect((await send(pool, get("/next")).done).outcome).toBe("end");
    expect(of().sockets.length).toBe(1);
    expect(of().received[0]).not.toContain("/left");
  });

  it("fail each with its own refused connection", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => {
      server.close(resolve);
    });
    client = createEngineClient({ maxConnections: 2 });
    const pool = client.destination({ scheme: "http", host: "127.0.0.1", port });
    const all = [send(pool), send(pool), send(pool), send(pool), send(pool)];
    for (const recorder of all) {
      expect((await recorder.done).error).toMatchObject({ step: "connect", requestSent: false, timedOut: false });
      expect(recorder.faults).toEqual([]);
    }
    await client.close();
  });

  it("fail when the name is not known", async () => {
    client = createEngineClient();
    const pool = client.destination({ scheme: "http", host: "no-such-host.invalid", port: 80 });
    expect((await send(pool).done).error).toMatchObject({ step: "connect", requestSent: false });
  });

  it("fail when the origin is not valid", async () => {
    client = createEngineClient();
    const pool = client.destination({ scheme: "http", host: "127.0.0.1", port: 70_000 });
    const recorder = await send(pool).done;
    expect(recorder.error).toMatchObject({ step: "connect", source: "gateway", requestSent: false });
    await client.close();
  });
});

describe("timeouts", () => {
  it("end a connection attempt that covers the TLS handshake", async () => {
    // A destination that accepts and says nothing.
    destination = await RawDestination.start(() => undefined);
    client = createEngineClient({ now: () => time, timerInterval: 10, connectTimeout: 5000 });
    const pool = client.destination({ ...of().origin, scheme: "https" });
    const recorder = send(pool);
    await of().until(() => of().received[0] !== undefined && of().received[0] !== "");
    expect(recorder.outcome).toBe("open");
    time += 5500;
    expect((await recorder.done).error).toMatchObject({ step: "connect", timedOut: true, requestSent: false });
    await of().until(() => of().open === 0);
  });

  it("close what is idle for too long, and keep what is used", async () => {
    const pool = await start(answering(ok), { idleTimeout: 10_000 });
    await Promise.all([send(pool).done, send(pool).done]);
    expect(of().open).toBe(2);
    time += 9000;
    await looks(4);
    await send(pool).done;
    time += 2000;
    await of().until(() => of().open === 1);
    expect(of().sockets.length).toBe(2);
    time += 10_000;
    await of().until(() => of().open === 0);
  });

  it("do not use a connection beyond its lifetime", async () => {
    const pool = await start(answering(ok), { connectionLifetime: 10_000 });
    await send(pool).done;
    await send(pool).done;
    expect(of().sockets.length).toBe(1);
    time += 11_000;
    await of().until(() => of().open === 0);
    await send(pool).done;
    expect(of().sockets.length).toBe(2);
  });

  it("leave no timer and no socket behind", async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    await expect.poll(() => sockets()).toBe(0);
    const started = vi.spyOn(globalThis, "setInterval");
    const stopped = vi.spyOn(globalThis, "clearInterval");
    const pool = await start(answering(ok), { queueTimeout: 1000, connectionLifetime: 5000 });
    await Promise.all(Array.from({ length: 20 }, () => send(pool).done));
    const recorder = new Recorder();
    send(pool, get("/abort"), recorder).call?.abort(new Error("enough"));
    await client.close();
    await of().until(() => of().open === 0);
    const cleared = stopped.mock.calls.map(([timer]) => timer);
    expect(started.mock.results.map(({ value }) => value as unknown)).toEqual(cleared);
    expect(cleared.length).toBe(1);
    vi.restoreAllMocks();
    // The server that listens is of another kind.
    await expect.poll(() => sockets()).toBe(0);
  });
});
