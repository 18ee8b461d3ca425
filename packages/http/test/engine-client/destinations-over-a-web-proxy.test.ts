import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type HttpClient, type HttpClientOptions, type Tunnel } from "../../src/index.ts";
import { prepareWebProxy } from "../../src/engine/client/web-proxy.ts";
import { BodyCollector } from "../contract/recorders.ts";
import { certificates } from "../tls/destinations/index.ts";
import { RawDestination, type Script } from "./raw-destination.ts";
import { bodyOf, get, Recorder, send } from "./recorder.ts";
import { TlsDestination } from "./tls-destination-server.ts";
import { TestProxy } from "./web-proxy.ts";

const ca = certificates.authority;
const secret = "Proxy-Authorization: Basic bWU6cEBzcyB3w7ZyZA==\r\n";

let proxy: TestProxy;
let client: HttpClient | undefined;
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  proxy = await TestProxy.start();
});

afterEach(async () => {
  client?.destroy();
  for (const stop of stops.splice(0)) await stop();
  await proxy.stop();
});

function make(options: HttpClientOptions = {}, address = proxy.address): HttpClient {
  client = createEngineClient({ tls: { ca }, webProxy: { address }, ...options });
  return client;
}

const withPassword = (): string => proxy.address.replace("http://", "http://me:p%40ss%20w%C3%B6rd@");

async function overTls(): Promise<TlsDestination> {
  const destination = await TlsDestination.start(certificates.server);
  stops.push(() => destination.stop());
  return destination;
}

async function raw(script: Script): Promise<RawDestination> {
  const destination = await RawDestination.start(script);
  stops.push(() => destination.stop());
  return destination;
}

describe("an http destination over a web proxy", () => {
  const origin = { scheme: "http", host: "far.test", port: 80 } as const;

  it("is asked for by its whole URL, on connections that are used again", async () => {
    const pool = make().destination(origin);
    expect((await send(pool, get("/a?b=1")).done).seen).toMatchObject({ outcome: "end", body: "from afar" });
    await send(pool, { ...get("*"), method: "OPTIONS" }).done;
    await send(pool, { ...get("/p"), method: "POST", body: bodyOf("") }).done;
    expect(proxy.heads).toEqual([
      "GET http://far.test:80/a?b=1 HTTP/1.1\r\nHost: test\r\n\r\n",
      "OPTIONS http://far.test:80 HTTP/1.1\r\nHost: test\r\n\r\n",
      "POST http://far.test:80/p HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
    ]);
    expect(proxy.sockets.length).toBe(1);
  });

  it("gets the credentials of the proxy's address to the proxy", async () => {
    await send(make({}, withPassword()).destination(origin)).done;
    expect(proxy.heads).toEqual([`GET http://far.test:80/ HTTP/1.1\r\n${secret}Host: test\r\n\r\n`]);
  });

  it("is not where a 407 comes from: the gateway's credentials are wrong, not the client's", async () => {
    proxy.answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    const { error, head } = await send(make().destination(origin)).done;
    expect(head).toBeUndefined();
    expect(error?.message).toBe("destination http://far.test:80: the web proxy wants (other) credentials");
  });

  it("is reached by a tunnel when the connection is to be another protocol's", async () => {
    const destination = await raw((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ");
      if (received.endsWith("ping")) socket.end("pong");
    });
    const pool = make().destination(destination.origin);
    const tunnel = (await send(pool, { ...get("/u"), upgrade: "echo" }).done).tunnel as Tunnel;
    const collector = new BodyCollector();
    tunnel.read(collector);
    tunnel.write(Buffer.from("ping"));
    expect((await collector.done).bytes.toString()).toBe("early pong");
    expect(proxy.heads).toEqual([`CONNECT 127.0.0.1:${destination.port} HTTP/1.1\r\nHost: 127.0.0.1:${destination.port}\r\n\r\n`]);
    expect(destination.received[0]).toMatch(/^GET \/u HTTP\/1.1\r\n/);
    await send(pool).done;
    expect(proxy.heads[1]).toMatch(/^GET http:/);
    tunnel.end();
    await (client as HttpClient).close();
  });
});

describe("an https destination over a web proxy", () => {
  it("is reached by a tunnel, checked by its name, and the connection is used again", async () => {
    const destination = await overTls();
    const pool = make({}, withPassword()).destination({ scheme: "https", host: "named.test", port: destination.port });
    proxy.pieces = 5;
    expect((await send(pool, get("/one")).done).seen).toMatchObject({ outcome: "end", body: "ok" });
    expect((await send(pool, get("/two")).done).outcome).toBe("end");
    const authority = `named.test:${destination.port}`;
    expect(proxy.heads).toEqual([`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${secret}\r\n`]);
    expect(destination.requests).toEqual(["GET /one HTTP/1.1\r\nHost: test\r\n\r\n", "GET /two HTTP/1.1\r\nHost: test\r\n\r\n"]);
    expect(destination.sockets[0]).toMatchObject({ servername: "named.test", alpnProtocol: false });
    await (client as HttpClient).close();
  });

  it("is refused when its certificate is not its own", async () => {
    const destination = await overTls();
    const { error } = await send(make({ tls: {} }).destination({ scheme: "https", host: "localhost", port: destination.port })).done;
    expect(error).toMatchObject({ step: "connect", requestSent: false });
    expect(error?.message).toMatch(/no authority that is trusted/);
  });

  it("delivers large bodies whole, paused at every chunk", async () => {
    const destination = await TlsDestination.start(certificates.server);
    stops.push(() => destination.stop());
    const text = Array.from({ length: 50_000 }, (_value, index) => String(index).padStart(10, "0")).join("");
    destination.answer = `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const recorder = new Recorder();
    recorder.onChunk = () => {
      recorder.call?.pause();
      setImmediate(() => recorder.call?.resume());
    };
    await send(make().destination({ scheme: "https", host: "localhost", port: destination.port }), get(), recorder).done;
    expect(recorder.body === text).toBe(true);
    expect(recorder.faults).toEqual([]);
  });

  it.each([
    ["asks for credentials", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", /wants \(other\) credentials: it answered 407$/],
    ["refuses", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", /opens no tunnel: it answered 403$/],
    ["answers garbage", "hello\r\n\r\n", /did not answer in HTTP: the response is not HTTP\/1$/],
    ["hangs up", "", /closed the connection$/],
    ["switches", "HTTP/1.1 101 Switching Protocols\r\n\r\n", /switched protocols$/],
    ["never ends its answer", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`, /answered too much$/],
  ])("fails without a word of the credentials when the proxy %s", async (_title, refusal, words) => {
    proxy.refusal = refusal;
    const { error } = await send(make({}, withPassword()).destination({ scheme: "https", host: "localhost", port: 1 })).done;
    expect(error).toMatchObject({ step: "connect", requestSent: false, timedOut: false });
    const told = `${error?.message} ${String(error?.cause)}`;
    expect(told).toMatch(words);
    expect(told).not.toMatch(/me:|p@ss|bWU6/);
    await (client as HttpClient).close();
  });

  it("fails when the proxy speaks before TLS has begun", async () => {
    const destination = await overTls();
    proxy.surplus = "hello";
    const { error } = await send(make().destination({ scheme: "https", host: "localhost", port: destination.port })).done;
    expect(String(error?.cause)).toMatch(/sent more than its answer$/);
  });

  it("fails when the proxy is silent for the time that there is to connect", async () => {
    let time = 1000;
    proxy.silent = true;
    const asked = new Promise<void>((resolve) => {
      proxy.onHead = resolve;
    });
    client = createEngineClient({ webProxy: { address: proxy.address }, connectTimeout: 5000, now: () => time, timerInterval: 5 });
    const recorder = send(client.destination({ scheme: "https", host: "far.test", port: 443 }));
    await asked;
    expect(recorder.outcome).toBe("open");
    time += 5500;
    expect((await recorder.done).error).toMatchObject({ step: "connect", timedOut: true, requestSent: false });
    await client.close();
  });

  it("ends in one way or another whatever the proxy answers", async () => {
    const word = fc.constantFrom("HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 X\r\n", "HTTP/1.0 200\r\n", "A: b\r\n", "\r\n", "\n", "\r", "x".repeat(17_000));
    const answers = fc.array(fc.oneof(word, fc.string({ maxLength: 20, unit: "binary" })), { maxLength: 6 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        proxy.refusal = answer;
        const { outcome, error } = await send(make().destination({ scheme: "https", host: "far.test", port: 443 })).done;
        expect([outcome, error?.step]).toEqual(["error", "connect"]);
        await client?.close();
      }),
      { numRuns: 25 },
    );
  });

  it("goes on after an interim answer of the proxy", async () => {
    const destination = await overTls();
    proxy.interim = "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n";
    expect((await send(make().destination({ scheme: "https", host: "localhost", port: destination.port })).done).outcome).toBe("end");
  });

  it("fails when there is no proxy, and leaves nothing behind when the client is destroyed meanwhile", async () => {
    const { error } = await send(make({}, "http://127.0.0.1:1").destination({ scheme: "https", host: "far.test", port: 443 })).done;
    expect(error?.cause).toMatchObject({ code: "ECONNREFUSED" });
    const destination = await overTls();
    const recorder = send(make().destination({ scheme: "https", host: "localhost", port: destination.port }));
    client?.destroy(new Error("over"));
    expect((await recorder.done).error?.message).toMatch(/shut down$/);
    await client?.close();
  });
});

describe("local destinations", () => {
  it.each(["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "::1", "intranet"])("%s does without the proxy when it is bypassed", (host) => {
    expect(prepareWebProxy({ address: "http://proxy.test", bypassOnLocal: true }).bypasses(host)).toBe(true);
    expect(prepareWebProxy({ address: "http://proxy.test" }).bypasses(host)).toBe(false);
  });

  it.each(["example.org", "203.0.113.9", "2001:db8::9"])("%s is not one", (host) => {
    expect(prepareWebProxy({ address: "http://proxy.test", bypassOnLocal: true }).bypasses(host)).toBe(false);
  });

  it("are reached directly", async () => {
    const destination = await overTls();
    make({ webProxy: { address: proxy.address, bypassOnLocal: true } });
    const { outcome } = await send((client as HttpClient).destination({ scheme: "https", host: "localhost", port: destination.port })).done;
    expect([outcome, proxy.heads.length]).toEqual(["end", 0]);
  });

  it.each([["https://proxy.test", /http:\/\//], ["socks5://proxy.test", /http:\/\//], ["proxy", /absolute/]])(
    "%s is no address of a proxy, and is not repeated",
    (address, words) => {
      const make = (): unknown => createEngineClient({ webProxy: { address: address.replace("//", "//me:secret@") } });
      expect(make).toThrow(words);
      expect(make).not.toThrow(/secret/);
    },
  );
});
