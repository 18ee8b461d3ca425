import { describe, expect, it } from "vitest";
import type { AccessPolicyConfig, RouteConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeRequest } from "../../pipeline/test/support/fake-exchange.ts";
import type { ReverseProxyOptions } from "@proxy/pipeline";
import { createEngineServer, createNodeServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes, rawDestination } from "../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies } from "../src/index.ts";
import { configOf, edgeProxy } from "./proxies.ts";

async function statusesUnder(policy: Omit<AccessPolicyConfig, "name">, requests: readonly FakeRequest[], options: Partial<ReverseProxyOptions> = {}): Promise<(number | undefined)[]> {
  const { send } = await edgeProxy(configOf({ access: { p: policy } }, { accessPolicy: "P" }), {}, options);
  const statuses = [];
  for (const request of requests) statuses.push((await send(request)).response.status);
  return statuses;
}

const from = (...addresses: string[]): FakeRequest[] => addresses.map((remoteAddress) => ({ remoteAddress }));

describe("addresses", () => {
  it("that are not on the list of allowed ones are refused", async () => {
    expect(await statusesUnder({ allowAddresses: ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"] }, from("10.255.0.1", "192.0.2.7", "2001:db8:1::1", "11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"))).toEqual([
      200, 200, 200, 403, 403, 403, 403,
    ]);
  });

  it("that are denied are refused, also when they are allowed", async () => {
    expect(await statusesUnder({ allowAddresses: ["10.0.0.0/8"], denyAddresses: ["10.1.0.0/16"] }, from("10.0.0.1", "10.1.0.1"))).toEqual([200, 403]);
    expect(await statusesUnder({ denyAddresses: ["::/0", "192.0.2.0/24"] }, from("2001:db8::1", "192.0.2.200", "192.0.3.1"))).toEqual([403, 403, 200]);
  });

  it("do not hide as IPv4 inside IPv6", async () => {
    expect(await statusesUnder({ denyAddresses: ["192.0.2.7"] }, from("::ffff:192.0.2.7", "::ffff:192.0.2.8"))).toEqual([403, 200]);
  });

  it("and networks may be written as IPv4 inside IPv6, and are IPv4", async () => {
    expect(await statusesUnder({ denyAddresses: ["::ffff:192.0.2.7", "::ffff:c633:6400/120"] }, from("192.0.2.7", "::ffff:192.0.2.7", "198.51.100.9", "192.0.2.8", "::1"))).toEqual([403, 403, 403, 200, 200]);
    expect(await statusesUnder({ allowAddresses: ["::ffff:10.0.0.0/104"] }, from("10.9.9.9", "11.0.0.1", "::1"))).toEqual([200, 403, 403]);
  });

  it("are those behind trusted proxies, and not what anybody says", async () => {
    const claim = (remoteAddress: string): FakeRequest => ({ remoteAddress, headers: [["X-Forwarded-For", "10.0.0.5"]] });
    expect(await statusesUnder({ allowAddresses: ["10.0.0.5"] }, [claim("192.0.2.1"), claim("203.0.113.9")], { trustedProxies: ["192.0.2.1"] })).toEqual([200, 403]);
  });

  it("that nobody knows are on no list", async () => {
    expect(await statusesUnder({ allowAddresses: ["0.0.0.0/0", "::/0"] }, [{ connection: { remoteAddress: undefined } }])).toEqual([403]);
  });
});

describe("other rules", () => {
  it("refuse each with its own status", async () => {
    const policy = { methods: ["GET", "post"], maxTargetLength: 10, maxHeaderBytes: 100, requireHeaders: ["X-Id"], denyHeaders: ["X-Debug"] };
    const id = ["X-Id", "1"] as const;
    expect(
      await statusesUnder(policy, [
        { headers: [id] },
        { method: "POST", headers: [id] },
        { method: "DELETE", headers: [id] },
        { target: "/123456789", headers: [id] },
        { target: "/12345678?9", headers: [id] },
        { headers: [id, ["X-Long", "x".repeat(90)]] },
        {},
        { headers: [id, ["x-debug", ""]] },
      ]),
    ).toEqual([200, 200, 405, 200, 414, 431, 400, 400]);
  });

  it("know forbidden fields in the spellings that CGI and its heirs take for the same", async () => {
    const policy = { denyHeaders: ["X-HTTP-Method-Override"] };
    const spelt = ["x-http-method-override", "X_HTTP_METHOD_OVERRIDE", "X-HTTP_Method-Override", "x_http-method_override"].map((name): FakeRequest => ({ headers: [[name, "DELETE"]] }));
    expect(await statusesUnder(policy, [...spelt, { headers: [["XHTTPMethodOverride", "1"]] }])).toEqual([400, 400, 400, 400, 200]);
  });

  it("refuse bodies that say they are too large, and set the limit for others", async () => {
    const policy = { maxBodySize: 10 };
    const limits: (number | undefined)[] = [];
    const bodyLimit = { maximum: 100, readOnly: false, set: (maximum: number | undefined) => void limits.push(maximum) };
    const ask = (length: string): FakeRequest => ({ method: "POST", headers: [["Content-Length", length]], bodyLimit });
    expect(await statusesUnder(policy, [ask("10"), ask("11")])).toEqual([200, 413]);
    expect(limits).toEqual([10]);
  });
});

describe("the policy Default", () => {
  it("holds for routes that name none, and only for those", async () => {
    const route = (path: string, more: Partial<RouteConfig> = {}) => ({ clusterId: "c", match: { path }, ...more });
    const { send } = await edgeProxy({
      ...configOf({ access: { Default: { denyAddresses: ["0.0.0.0/0"] }, open: { methods: ["GET"] } } }),
      routes: { plain: route("/plain"), named: route("/named", { accessPolicy: "open" }), off: route("/off", { accessPolicy: "Disable" }) },
    });
    const statuses = [];
    for (const target of ["/plain", "/named", "/off"]) statuses.push((await send({ target })).response.status);
    expect(statuses).toEqual([403, 200, 200]);
  });
});

describe("a body that does not say how long it is", () => {
  for (const [name, createServer] of [["the engine", createEngineServer], ["node:http", createNodeServer]] as const) {
    it(`is cut off where it goes beyond (${name})`, async () => {
      const destination = await rawDestination((received, socket) => {
        if (received.endsWith("0\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
      });
      const proxy = await createReverseProxy({
        config: { ...configOf({ access: { Default: { maxBodySize: 10 } } }), clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } } } } },
        extensions: [createEdgePolicies()],
      });
      const server = createServer({ handler: proxy.handle });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const post = (body: string) => exchangeBytes(port, `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`);
      try {
        expect(await post("a\r\n0123456789\r\n0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
        expect(await post("b\r\n0123456789a\r\n0\r\n\r\n")).toMatch(/^HTTP\/1\.1 413 /);
      } finally {
        await server.close(100);
        await proxy.close();
        await destination.close();
      }
    });
  }
});
