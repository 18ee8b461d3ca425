/** `HttpRequest` of a cluster on the wire: which version its destinations are asked in, by requests and by probes. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createSecureServer, createServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { HttpRequestConfig } from "@proxy/config";
import { afterEach, describe, expect, it } from "vitest";
import { exchangeBytes } from "./support/raw-sockets.ts";
import { serve } from "./support/serving.ts";

const read = (name: string): Buffer => readFileSync(new URL(`../../http/test/tls/${name}`, import.meta.url));
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A destination that answers with its version, and notes that of each request by its path. */
async function destination(scheme: "http" | "https"): Promise<{ readonly address: string; readonly seen: Map<string, string> }> {
  const seen = new Map<string, string>();
  const handler = (request: { url: string; httpVersion: string }, response: { end(text: string): void }): void => {
    seen.set(request.url, request.httpVersion);
    response.end(request.httpVersion);
  };
  const server = (
    scheme === "http" ? createServer(handler) : createSecureServer({ cert: read("cert.pem"), key: read("key.pem"), allowHTTP1: true }, handler)
  ) as Server;
  server.on("sessionError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => server.close());
  return { address: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function answerOf(scheme: "http" | "https", httpRequest: HttpRequestConfig | undefined): Promise<{ body: string; probe: string | undefined }> {
  const { address, seen } = await destination(scheme);
  const active = { enabled: true, path: "/health" };
  const cluster = { destinations: { d: { address } }, httpRequest, httpClient: { dangerousAcceptAnyServerCertificate: true }, healthCheck: { active } };
  const served = await serve({ config: { routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } }, clusters: { c: cluster } } });
  open.push(() => served.close());
  await expect.poll(() => seen.has("/health")).toBe(true);
  const answer = await exchangeBytes(served.port, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  return { body: answer.startsWith("HTTP/1.1 200") ? (seen.get("/x") ?? "") : answer.slice(9, 12), probe: seen.get("/health") };
}

describe("a destination is asked, and probed,", () => {
  it.each([
    ["over TLS in HTTP/2 when nothing is said", "https", undefined, "2.0"],
    ["over TLS in HTTP/1.1 when that is said", "https", { version: "1.1" }, "1.1"],
    ["over TLS in HTTP/2 when HTTP/1.1 or higher is said", "https", { version: "1.1", versionPolicy: "RequestVersionOrHigher" }, "2.0"],
    ["in cleartext in HTTP/2 when that is said exactly", "http", { version: "2", versionPolicy: "RequestVersionExact" }, "2.0"],
  ] as const)("%s", async (_title, scheme, httpRequest, version) => {
    expect(await answerOf(scheme, httpRequest)).toEqual({ body: version, probe: version });
  });
});
