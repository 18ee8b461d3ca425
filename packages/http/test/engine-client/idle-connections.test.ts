import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineClient, type EngineClientOptions, type HttpClient } from "../../src/index.ts";
import { answering, RawDestination } from "./raw-destination.ts";
import { send } from "./recorder.ts";

let client: HttpClient;
let destination: RawDestination;
let clock = 0;

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(fields: string, options: EngineClientOptions = {}): Promise<ReturnType<HttpClient["destination"]>> {
  client = createEngineClient({ now: () => clock, timerInterval: 2, ...options });
  destination = await RawDestination.start(answering(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`));
  return client.destination(destination.origin);
}

describe("an idle connection", () => {
  for (const [value, last] of [["timeout=5, max=100", 4000], ["max=5, Timeout=1", 500]] as const) {
    it(`is closed before the destination does, which announced ${value}`, async () => {
      const pool = await start(`Keep-Alive: ${value}\r\n`);
      await send(pool).done;
      clock += last - 50;
      await send(pool).done;
      expect(destination.sockets.length).toBe(1);
      clock += last + 50;
      await destination.until(() => destination.open === 0);
      await send(pool).done;
      expect(destination.sockets.length).toBe(2);
    });
  }

  it("is not taken when its time has passed and no timer has looked yet", async () => {
    const pool = await start("Keep-Alive: timeout=0\r\n");
    await send(pool).done;
    clock += 10;
    await destination.until(() => destination.open === 0);
    await send(pool).done;
    expect(destination.sockets.length).toBe(2);
  });

  it.each(["timeout=x", "x-timeout=1", "timeout=-1", "timeout=", "max=1"])("is kept as usual when %j says no time", async (value) => {
    const pool = await start(`Keep-Alive: ${value}\r\n`, { idleTimeout: 1_000_000 });
    await send(pool).done;
    clock += 900_000;
    await send(pool).done;
    expect(destination.sockets.length).toBe(1);
  });

  it("does not hold the process open", async () => {
    const script = fileURLToPath(new URL("one-request.ts", import.meta.url));
    await start("");
    const { stdout } = await promisify(execFile)(
      process.execPath, ["--conditions=@proxy/source", script, String(destination.port)], { timeout: 10_000 },
    );
    expect(stdout).toBe("200 once, then 200 again\n");
  });
});

describe("connections opened ahead", () => {
  it("are as many as the origin may have, and serve the first requests", async () => {
    const pool = await start("", { prewarm: 3, maxConnections: 2 });
    expect(client.destination(destination.origin)).toBe(pool);
    await destination.until(() => destination.sockets.length === 2);
    await Promise.all([send(pool).done, send(pool).done, send(pool).done]);
    expect(destination.sockets.length).toBe(2);
  });

  it("that fail leave it to the requests to say so", async () => {
    await start("");
    const { origin } = destination;
    await destination.stop();
    const pool = createEngineClient({ prewarm: 2 }).destination(origin);
    expect((await send(pool).done).error).toMatchObject({ step: "connect", requestSent: false });
    const invalid = createEngineClient({ prewarm: 2 }).destination({ scheme: "http", host: "127.0.0.1", port: 70_000 });
    expect((await send(invalid).done).error).toMatchObject({ step: "connect", source: "gateway" });
  });
});
