import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEngineServer, type FrontServer } from "@proxy/http";
import type { ForwarderError } from "@proxy/forwarder";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { rawDestination, type RawDestination } from "./support/raw-sockets.ts";

/** `status` is undefined once the response, or a tunnel, has begun. */
type Ending = Pick<ForwarderError, "code" | "source" | "retry" | "status"> | undefined;

const scripts: Readonly<Record<string, (socket: Socket) => void>> = {
  well: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  reset: (socket) => socket.resetAndDestroy(),
  garbage: (socket) => socket.end("SMTP 220 hello\r\n\r\n"),
  cut: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na part", () => socket.destroy()),
  silent: () => {},
  tunnel: (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
};
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const endings: readonly (readonly [title: string, cluster: string, more: string, ending: Ending])[] = [
  ["nothing went wrong", "well", "", undefined],
  ["nobody listens", "refusing", "", { code: "Request", source: "destination", retry: "safe", status: 502 }],
  ["a reset before the head", "reset", "", { code: "Request", source: "destination", retry: "never", status: 502 }],
  ["silence before the head", "silent", "", { code: "RequestTimedOut", source: "destination", retry: "never", status: 504 }],
  ["the route's time ran out", "late", "", { code: "RouteTimeout", source: "destination", retry: "never", status: 504 }],
  ["an answer that is not HTTP", "garbage", "", { code: "ResponseHeaders", source: "destination", retry: "never", status: 502 }],
  ["an answer that breaks off", "cut", "", { code: "ResponseBodyDestination", source: "destination", retry: "never", status: undefined }],
  ["a broken body of the client", "silent", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", { code: "RequestBodyClient", source: "client", retry: "never", status: 400 }],
  ["an upgrade that is no GET", "silent", `${upgrade}Content-Length: 0\r\n`, { code: "RequestCreation", source: "client", retry: "safe", status: 400 }],
  ["no destination", "empty", "", { code: "NoAvailableDestinations", source: "gateway", retry: "safe", status: 503 }],
  ["a tunnel that breaks", "tunnel", upgrade, { code: "UpgradeResponseDestination", source: "destination", retry: "never", status: undefined }],
];

const seen: Ending[] = [];
let told: (() => void) | undefined;
let destination: RawDestination;
let proxy: ReverseProxy;
let server: FrontServer;
let port: number;

beforeAll(async () => {
  destination = await rawDestination((received, socket) => {
    // Not at once: Node 24 takes a reset that comes together with bytes for an end.
    if (received.endsWith("through the tunnel")) socket.resetAndDestroy();
    else if (/^\w+ \/\S* HTTP/.test(received) && received.includes("\r\n\r\n")) scripts[/ \/(\w+)/.exec(received)?.[1] ?? ""]?.(socket);
  });
  const gone = await rawDestination(() => {});
  await gone.close();
  const names = [...Object.keys(scripts), "late", "refusing", "empty"];
  proxy = await createReverseProxy({
    config: {
      routes: Object.fromEntries(names.map((name) => [name, { clusterId: name, match: { path: `/${name}` }, ...(name === "late" ? { timeout: 50 } : {}) }])),
      clusters: Object.fromEntries(names.map((name) => [name, {
        httpRequest: { activityTimeout: name === "silent" ? 100 : 300_000 },
        destinations: name === "empty" ? {} : { d: { address: `http://127.0.0.1:${name === "refusing" ? gone.port : destination.port}/` } },
      }])),
    },
    steps: (steps) => [
      {
        name: "watch",
        async run(ctx, next) {
          await next(ctx);
          const { outcome } = ctx;
          seen.push(outcome && { code: outcome.code, source: outcome.source, retry: outcome.retry, status: outcome.status });
          told?.();
        },
      },
      ...steps,
    ],
  });
  server = createEngineServer({ handler: proxy.handle });
  ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
});

afterAll(async () => {
  await server.close(0);
  await proxy.close();
  await destination.close();
});

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

test.each(endings)("a step sees that %s", async (_, cluster, more, ending) => {
  seen.length = 0;
  const over = new Promise<void>((resolve) => {
    told = resolve;
  });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  if (cluster === "tunnel") socket.once("data", () => socket.write("through the tunnel"));
  const method = more.includes("Content-Length") || more.includes("chunked") ? "POST" : "GET";
  socket.write(`${method} /${cluster} HTTP/1.1\r\nHost: shop.test\r\n${more}${more.includes("\r\n\r\n") ? "" : "\r\n"}`);
  await over;
  socket.destroy();
  expect(seen).toEqual([ending]);
  if (ending === undefined) return;
  const [, , statuses = "", sources = "", retries = ""] = (new RegExp(`^\\| \`${ending.code}\` .*$`, "m").exec(page)?.[0] ?? "").split(" | ");
  expect(retries, "docs/errors.md, retry").toContain(ending.retry);
  expect(sources, "docs/errors.md, source").toContain(ending.source);
  expect(statuses, "docs/errors.md, status").toMatch(ending.status === undefined ? "none" : new RegExp(`${ending.status}|4xx`));
});
