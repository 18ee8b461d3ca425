import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type DestinationRequest, type HttpClient, type Tunnel } from "../../src/index.ts";
import { BodyCollector } from "../contract/recorders.ts";
import { RawDestination, type Script } from "./raw-destination.ts";
import { get, type Recorder, send } from "./recorder.ts";

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
const upgrading: DestinationRequest = { ...get("/u"), upgrade: "echo" };

let client: HttpClient;
let destination: RawDestination;

beforeEach(() => {
  client = createEngineClient({ maxConnections: 4 });
});

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(script: Script): Promise<ReturnType<HttpClient["destination"]>> {
  destination = await RawDestination.start(script);
  return client.destination(destination.origin);
}

async function open(script: Script, request = upgrading): Promise<{ recorder: Recorder; tunnel: Tunnel }> {
  const recorder = await send(await start(script), request).done;
  expect(recorder.outcome).toBe("upgrade");
  return { recorder, tunnel: recorder.tunnel as Tunnel };
}

/** Switches, then echoes. */
const echo: Script = (socket, received) => {
  const [, ...rest] = received.split("\r\n\r\n");
  const data = rest.join("\r\n\r\n");
  if (data === "") socket.write(switching);
  else socket.write(data.slice(-1));
};

describe("an upgraded connection", () => {
  it("is asked for with Connection and Upgrade", async () => {
    const { recorder } = await open(echo);
    expect(destination.received[0]).toBe("GET /u HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    expect(recorder.head?.headers.get("upgrade")).toBe("echo");
  });

  it("carries bytes both ways, those sent early first", async () => {
    const { tunnel } = await open((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(`${switching}early `);
      if (received.endsWith("ping")) socket.end("pong");
    });
    const collector = new BodyCollector();
    tunnel.read(collector);
    expect((await collector.first).toString()).toBe("early ");
    expect(tunnel.write(Buffer.from("ping"))).toBe(true);
    expect((await collector.done).bytes.toString()).toBe("early pong");
    tunnel.end();
    await destination.until(() => destination.open === 0);
  });

  it("is half-closed in either direction", async () => {
    const { tunnel } = await open((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.end(switching);
    });
    const collector = new BodyCollector();
    tunnel.read(collector);
    await collector.done;
    tunnel.write(Buffer.from("still"));
    await destination.until(() => (destination.received[0] ?? "").endsWith("still"));
    tunnel.end();
    await destination.until(() => destination.open === 0);
  });

  it("holds what comes before it is read, or while paused", async () => {
    const { tunnel } = await open(echo);
    tunnel.write(Buffer.from("a"));
    await new Promise(setImmediate);
    const collector = new BodyCollector();
    tunnel.pause();
    tunnel.read(collector);
    await destination.until(() => (destination.received[0] ?? "").endsWith("a"));
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(collector.size).toBe(0);
    tunnel.resume();
    expect((await collector.first).toString()).toBe("a");
    tunnel.abort(new Error("enough"));
  });

  it("reports backpressure and drain", async () => {
    const { tunnel } = await open((socket, received) => {
      if (received.endsWith("\r\n\r\n")) {
        socket.write(switching);
        socket.pause();
      }
    });
    const block = Buffer.alloc(1024 * 1024);
    let count = 0;
    while (tunnel.write(block)) expect(++count).toBeLessThan(64);
    expect(tunnel.pending).toBeGreaterThan(0);
    const drained = new Promise<void>((resolve) => tunnel.onDrain(resolve));
    destination.sockets[0]?.resume();
    await drained;
    expect(tunnel.pending).toBe(0);
    tunnel.abort(new Error("enough"));
  });

  it("is told of a reset, and resets when aborted", async () => {
    const { tunnel } = await open(echo);
    const collector = new BodyCollector();
    tunnel.read(collector);
    destination.sockets[0]?.resetAndDestroy();
    await expect(collector.done).rejects.toThrow();
    tunnel.write(Buffer.from("late"));
    tunnel.end();
    const second = (await send(client.destination(destination.origin), upgrading).done).tunnel as Tunnel;
    const reset = new Promise((resolve) => destination.sockets[1]?.once("error", resolve));
    second.abort(new Error("enough"));
    expect(await reset).toMatchObject({ code: "ECONNRESET" });
  });

  it("hears of a reset that came before it was read", async () => {
    const { tunnel } = await open(echo);
    const closed = new Promise((resolve) => destination.sockets[0]?.once("close", resolve));
    destination.sockets[0]?.resetAndDestroy();
    await closed;
    tunnel.write(Buffer.from("x"));
    const collector = new BodyCollector();
    tunnel.read(collector);
    await expect(collector.done).rejects.toThrow();
  });

  it("is closed when aborted right after its end", async () => {
    const { tunnel } = await open(echo);
    tunnel.write(Buffer.from("last"));
    tunnel.end();
    tunnel.abort(new Error("enough"));
    await client.close();
    await destination.until(() => destination.open === 0);
  });

  it("ends when the client is destroyed", async () => {
    const { tunnel } = await open(echo);
    const collector = new BodyCollector();
    tunnel.read(collector);
    client.destroy(new Error("shutting down"));
    await expect(collector.done).rejects.toThrow("shutting down");
    await destination.until(() => destination.open === 0);
  });

  it("is 2xx to CONNECT, whatever length it declares", async () => {
    const { tunnel } = await open(
      (socket, received) => {
        if (received.endsWith("\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntunnelled");
      },
      { ...get("example.test:443"), method: "CONNECT" },
    );
    const collector = new BodyCollector();
    tunnel.read(collector);
    expect((await collector.done).bytes.toString()).toBe("tunnelled");
  });

  it("that was refused is an ordinary response, and the connection goes on", async () => {
    const pool = await start((socket) => socket.write("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno"));
    expect((await send(pool, upgrading).done).seen).toMatchObject({ status: 426, body: "no", outcome: "end" });
    await send(pool).done;
    expect(destination.sockets.length).toBe(1);
  });

  for (const [title, response] of [
    ["another protocol", switching.replace("echo", "h2c")],
    ["no protocol", switching.replace("Upgrade: echo\r\n", "")],
  ] as const) {
    it(`to ${title} is refused`, async () => {
      const pool = await start((socket) => socket.write(response));
      expect((await send(pool, upgrading).done).error?.step).toBe("response-head");
      await destination.until(() => destination.open === 0);
    });
  }

  it("whose handler throws is cut", async () => {
    const pool = await start(echo);
    pool.send(upgrading, {
      onInformational: () => undefined,
      onResponse: () => undefined,
      onData: () => undefined,
      onEnd: () => undefined,
      onError: () => undefined,
      onProgress: () => undefined,
      onUpgrade: () => {
        throw new Error("handler");
      },
    });
    await destination.until(() => destination.sockets.length >= 1 && destination.received.join("").includes("/u"));
    await destination.until(() => destination.open === 0);
  });
});
