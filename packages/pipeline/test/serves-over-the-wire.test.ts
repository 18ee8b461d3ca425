import { afterEach, describe, expect, it } from "vitest";
import type { ProxyConfigInput } from "@proxy/config";
import { exchangeBytes, rawDestination, type RawDestination } from "./support/raw-sockets.ts";
import { nodeDestination, serve, type Served } from "./support/serving.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function answering(response: string, isWhole = (text: string) => text.includes("\r\n\r\n")): Promise<RawDestination> {
  const destination = await rawDestination((received, socket) => {
    if (isWhole(received)) socket.write(response, "latin1");
  });
  open.push(destination);
  return destination;
}

async function proxyOf(config: ProxyConfigInput): Promise<Awaited<ReturnType<typeof serve>>> {
  const served = await serve({ config });
  open.push(served);
  return served;
}

const toCluster = (port: number): NonNullable<ProxyConfigInput["clusters"]> => ({
  c: { destinations: { d: { address: `http://127.0.0.1:${port}` } } },
});

describe("a proxy on the wire", () => {
  it("sends the request on with its bytes and the response back with its bytes", async () => {
    const destination = await answering(
      "HTTP/1.1 200 Fine\r\nX-Case-Kept: Yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
      (text) => text.endsWith("hello"),
    );
    const { port } = await proxyOf({
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: toCluster(destination.port),
    });
    const answer = await exchangeBytes(
      port,
      "POST /a%2Fb/%C3%A9?q=%20+ HTTP/1.1\r\nHost: site.test\r\nX-Mine: 1\r\nX-Mine: 2\r\nX-Forwarded-For: 6.6.6.6\r\n" +
        "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    const [request = ""] = destination.received;
    expect(request.split("\r\n")[0]).toBe("POST /a%2Fb/%C3%A9?q=%20+ HTTP/1.1");
    expect(request).toContain("X-Mine: 1\r\nX-Mine: 2\r\n");
    expect(request).toContain("X-Forwarded-For: 127.0.0.1\r\n");
    expect(request).not.toContain("6.6.6.6");
    expect(request.toLowerCase()).toContain(`host: 127.0.0.1:${destination.port}\r\n`);
    expect(request.endsWith("\r\n\r\nhello")).toBe(true);
    expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
    expect(answer).toContain("X-Case-Kept: Yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
    expect(answer.endsWith("\r\n\r\nok")).toBe(true);
  });

  it("answers 404, 405 with Allow, and 503 itself, with empty bodies", async () => {
    const { port } = await proxyOf({
      routes: {
        get: { clusterId: "empty", match: { path: "/get", methods: ["GET", "HEAD"] } },
        nowhere: { clusterId: "missing", match: { path: "/nowhere" } },
      },
      clusters: { empty: {} },
    });
    const ask = (line: string): Promise<string> =>
      exchangeBytes(port, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(await ask("GET /other")).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[^]*Content-Length: 0\r\n[^]*\r\n\r\n$/);
    expect(await ask("DELETE /get")).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n[^]*Allow: GET, HEAD\r\n[^]*Content-Length: 0\r\n/);
    expect(await ask("GET /get")).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[^]*Content-Length: 0\r\n/);
    expect(await ask("GET /nowhere")).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  });

  it("answers 502 for a destination that refuses, and its counters are back at zero", async () => {
    const gone = await rawDestination(() => {});
    await gone.close();
    const { port, proxy } = await proxyOf({
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: toCluster(gone.port),
    });
    const answer = await exchangeBytes(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(proxy.state.cluster("c")?.inFlight).toBe(0);
    expect(proxy.state.cluster("c")?.destinations.all[0]?.inFlight).toBe(0);
  });

  it("answers 504 when the route's timeout runs out before the destination answers", async () => {
    const silent = await rawDestination(() => {});
    open.push(silent);
    const { port } = await proxyOf({
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" }, timeout: "50ms" } },
      clusters: toCluster(silent.port),
    });
    const answer = await exchangeBytes(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
  });

  it("refuses a body above the route's own limit with 413", async () => {
    const destination = await nodeDestination((request, response) => {
      request.resume().on("end", () => response.end("taken"));
      request.on("error", () => {});
    });
    open.push(destination);
    const { port } = await proxyOf({
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" }, maxRequestBodySize: 4 } },
      clusters: toCluster(destination.port),
    });
    const post = (body: string): Promise<string> =>
      exchangeBytes(port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    expect(await post("four")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await post("fives")).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("counts an upgraded connection as under way until it is closed", async () => {
    const destination = await answering(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi",
    );
    const served = await proxyOf({
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: toCluster(destination.port),
    });
    const cluster = served.proxy.state.cluster("c");
    const answer = await exchangeBytes(
      served.port,
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      /\r\n\r\nhi$/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(cluster?.inFlight).toBe(1);
    await expect.poll(() => cluster?.inFlight).toBe(0);
    expect(cluster?.destinations.all[0]?.inFlight).toBe(0);
  });
});

/** Kept out of the tests above: what a proxy serves while it is changed. */
describe("a proxy that is changed while it serves", () => {
  it("loses no request over sixty reloads", async () => {
    const destinations: Served[] = [];
    for (const name of ["one", "two"]) {
      const destination = await nodeDestination((_request, response) => response.end(name));
      destinations.push(destination);
      open.push(destination);
    }
    const [one, two] = destinations;
    const config = (n: number): ProxyConfigInput => ({
      routes: { all: { clusterId: n % 3 === 0 ? "a" : "b", match: { path: "/{**rest}" } } },
      clusters: {
        [n % 3 === 0 ? "a" : "b"]: {
          httpClient: { maxConnectionsPerServer: 10 + (n % 4) },
          destinations: { d: { address: `http://127.0.0.1:${(n % 2 === 0 ? one : two)?.port}` } },
        },
      },
    });
    const { port, proxy } = await proxyOf(config(0));
    const answers: string[] = [];
    const updates: Promise<void>[] = [];
    const load = async (): Promise<void> => {
      while (answers.length < 300) {
        answers.push(await exchangeBytes(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        if (answers.length % 5 === 0) updates.push(proxy.update(config(answers.length / 5)));
      }
    };
    await Promise.all(Array.from({ length: 4 }, load));
    await Promise.all(updates);
    expect(updates.length).toBeGreaterThanOrEqual(60);
    expect(answers.filter((answer) => !/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n(?:one|two)$/.test(answer))).toEqual([]);
    expect(proxy.state.clusters.map((each) => each.inFlight)).toEqual([0]);
  });
});
