import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { getRaw, sendRaw } from "../support/raw-client.ts";
import { startGateway } from "../support/running-gateway.ts";

async function destination() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.end("served");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

test("policies of a file: preflights are answered, limits hold, and refusals can be read by pages", async () => {
  await using folder = await configFolder();
  await using behind = await destination();
  const file = await folder.write("gateway.json", {
    Policies: {
      Cors: { spa: { Origins: ["https://app.example"], Methods: ["PUT"] } },
      RateLimiter: { few: { PermitLimit: 1, Window: "1h" } },
    },
    ReverseProxy: {
      Routes: { r: { ClusterId: "c", Match: { Path: "/x", Methods: ["GET", "PUT"] }, CorsPolicy: "SPA", RateLimiterPolicy: "few" } },
      Clusters: { c: { Destinations: { d: { Address: behind.url } } } },
    },
  });
  await using gateway = await startGateway([file], { strict: true });
  const origin = "Origin: https://app.example\r\n";
  const preflight = await sendRaw(
    gateway.port,
    `OPTIONS /x HTTP/1.1\r\nHost: h\r\n${origin}Access-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n`,
  );
  expect(preflight).toMatch(/^HTTP\/1\.1 204 [^]*Access-Control-Allow-Methods: PUT, GET, HEAD, POST\r\n[^]*\r\n\r\n$/);
  expect(behind.asked).toEqual([]);
  const first = await getRaw(gateway.port, "/x", "h", origin);
  expect(first).toMatch(/^HTTP\/1\.1 200 [^]*RateLimit: "few";r=0;t=3600\r\n[^]*served/);
  expect(first.match(/Access-Control-Allow-Origin: .*/g)).toEqual(["Access-Control-Allow-Origin: https://app.example"]);
  const second = await getRaw(gateway.port, "/x", "h", origin);
  expect(second).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 3600\r\n/);
  expect(second).toContain("Access-Control-Allow-Origin: https://app.example");
  expect(behind.asked).toEqual(["GET /x"]);
});

test("a policy that nobody defined keeps the gateway from starting", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", {
    Policies: { RateLimiter: { api: { PermitLimit: 1 } } },
    ReverseProxy: { Routes: { r: { ClusterId: "c", Match: { Path: "/" }, RateLimiterPolicy: "apy" } }, Clusters: { c: {} } },
  });
  await expect(startGateway([file])).rejects.toMatchObject({
    issues: [{ code: "rate-limiter-policy-unknown", hint: "known are Default, Disable, api; others stand in Policies:RateLimiter, by name", pointer: "/ReverseProxy/Routes/r/RateLimiterPolicy" }],
  });
});
