/**
 * Three origins behind a running gateway with retries and outlier detection, under load. One is killed, one stalls, one
 * answers 500, in turn; then all at once.
 */
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { Agent, createServer, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild, type ChildGateway } from "../support/child-gateway.ts";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";

const clients = 8;
/** How long an attempt may take: no destination that is well takes so long, however busy the machine. */
const perTryTimeout = "5s";
/** Milliseconds after which a request that got no answer at all is a hang. */
const patience = 60_000;

type Mood = "well" | "stalled" | "failing";

class Origin {
  readonly name: string;
  mood: Mood = "well";
  /** Requests since the last look. */
  served = 0;
  #server: Server | undefined;
  #port = 0;
  readonly #waiting = new Set<ServerResponse>();

  constructor(name: string) {
    this.name = name;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const server = createServer((_, response) => {
      if (this.mood === "stalled") {
        this.#waiting.add(response);
        return;
      }
      this.served++;
      response.statusCode = this.mood === "failing" ? 500 : 200;
      response.end(this.name);
    });
    this.#server = server;
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Gone, with all its connections: whoever comes is refused. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  recover(): void {
    this.mood = "well";
    for (const response of this.#waiting) response.destroy();
    this.#waiting.clear();
  }
}

const origins = ["a", "b", "c"].map((name) => new Origin(name));
let folder: ConfigFolder;
let gateway: ChildGateway;
let port: number;

function configuration(): unknown {
  const Destinations = Object.fromEntries(origins.map(({ name, address }) => [name, { Address: address }]));
  const OutlierDetection = { Enabled: true, Consecutive5xx: 5, BaseEjectionTime: "700ms", MaxEjectionTime: "1500ms", MaxEjectionPercent: 100, Interval: "1s" };
  return {
    ReverseProxy: {
      Routes: {
        retried: { ClusterId: "retried", Match: { Path: "/retried/{**rest}" } },
        strict: { ClusterId: "strict", Match: { Path: "/strict/{**rest}" } },
      },
      Clusters: {
        retried: { Destinations, OutlierDetection, Retry: { StatusCodes: [500, 502, 503, 504], PerTryTimeout: perTryTimeout } },
        strict: {
          Destinations,
          OutlierDetection: { ...OutlierDetection, BaseEjectionTime: "5m", MaxEjectionTime: "5m", Interval: "10m" },
          HealthCheck: { AvailableDestinationsPolicy: "HealthyAndUnknown" },
        },
      },
    },
  };
}

beforeAll(async () => {
  for (const origin of origins) await origin.start();
  folder = await configFolder();
  const file = await folder.write("gateway.json", configuration());
  gateway = startChild(["run", "--config", file, "--urls", "http://127.0.0.1:0"]);
  [port] = (await gateway.listening()) as [number];
});

afterAll(async () => {
  for (const origin of origins) {
    origin.recover();
    await origin.kill();
  }
  await gateway[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Load {
  readonly faults: string[];
  stop(): Promise<void>;
}

/** A steady load of GETs. */
function load(): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const over = new AbortController();
  const result: Load = {
    faults: [],
    async stop() {
      over.abort();
      await running;
      agent.destroy();
    },
  };
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const status = await ask(agent, "/retried/x").catch((error: unknown) => String(error));
      if (status !== 200) result.faults.push(String(status));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return result;
}

async function ask(agent: Agent, path: string): Promise<number> {
  const outgoing = request({ port, host: "127.0.0.1", path, agent, timeout: patience });
  outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode ?? 0;
}

/** Until each origin got so many requests more. */
async function allServe(count: number): Promise<void> {
  for (const origin of origins) origin.served = 0;
  await expect.poll(() => origins.filter(({ served }) => served < count).map(({ name, served }) => `${name} served ${served}`)).toEqual([]);
}

const ejections = (): number => gateway.stderr().split("destination-ejected").length - 1;

describe("with one of three destinations in trouble", () => {
  const [a, b, c] = origins as [Origin, Origin, Origin];
  it.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
    ["killed", () => a.kill(), () => a.start()],
    ["stalled", () => void (b.mood = "stalled"), () => b.recover()],
    ["answering 500", () => void (c.mood = "failing"), () => c.recover()],
  ])("%s, no client sees an error, and it comes back", async (_title, strike, heal) => {
    const traffic = load();
    try {
      await allServe(20);
      const before = ejections();
      await strike();
      await expect.poll(ejections).toBeGreaterThan(before);
      // It stays in trouble for as long as others serve: that they still do is no accident.
      const others = origins.reduce((sum, { served }) => sum + served, 0);
      await expect.poll(() => origins.reduce((sum, { served }) => sum + served, 0)).toBeGreaterThan(others + 300);
      await heal();
      await allServe(20);
    } finally {
      await traffic.stop();
    }
    expect(traffic.faults).toEqual([]);
  });
});

describe("with all of them in trouble", () => {
  it("panic serves as soon as one is well, while all are ejected", async () => {
    const agent = new Agent({ keepAlive: true });
    const before = ejections();
    for (const origin of origins) origin.mood = "failing";
    // Enough of them to have all ejected, as many as the budget allows retries for.
    for (let i = 0; i < 60; i++) expect(await ask(agent, "/retried/x")).toBe(500);
    await expect.poll(() => ejections() - before).toBeGreaterThanOrEqual(origins.length);
    for (const origin of origins) origin.recover();
    for (let i = 0; i < 60; i++) expect(await ask(agent, "/retried/x")).toBe(200);
    agent.destroy();
  });

  it("a cluster without panic answers 503 at once, at a lower cost than a forwarded request", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const cost = async (expected: number): Promise<number> => {
      const requests = 4000;
      for (let i = 0; i < 500; i++) expect(await ask(agent, "/strict/x")).toBe(expected);
      const before = cpuTime();
      for (let i = 0; i < requests; i++) if ((await ask(agent, "/strict/x")) !== expected) throw new Error("another status");
      return ((cpuTime() - before) / requests) * 1000;
    };
    const forwarded = await cost(200);
    for (const origin of origins) await origin.kill();
    let status = 0;
    for (let i = 0; i < 200 && status !== 503; i++) status = await ask(agent, "/strict/x");
    const refused = await cost(503);
    for (const origin of origins) await origin.start();
    agent.destroy();
    process.stdout.write(`CPU of the gateway per request: ${forwarded.toFixed(0)} µs forwarded, ${refused.toFixed(0)} µs refused with 503\n`);
    expect(refused).toBeLessThan(forwarded);
  });
});

/** Milliseconds of CPU that the gateway has used. */
function cpuTime(): number {
  const [, fields = ""] = readFileSync(`/proc/${gateway.process.pid}/stat`, "latin1").split(") ");
  const values = fields.split(" ");
  // utime and stime, in hundredths of a second.
  return (Number(values[11]) + Number(values[12])) * 10;
}
