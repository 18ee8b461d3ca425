import { describe, expect, it } from "vitest";
import { createReverseProxy } from "@proxy/pipeline";
import { FakeExchange } from "./support/fake-exchange.ts";
import { FakeHttpClient } from "./support/fake-client.ts";

describe("a reverse proxy", () => {
  it("forwards a matched request and gives the response back", async () => {
    const client = new FakeHttpClient((call) => call.respond(201, [["X-Made", "yes"]], "made"));
    const proxy = await createReverseProxy({
      config: {
        routes: { api: { clusterId: "c", match: { path: "/api/{**rest}" } } },
        clusters: { c: { destinations: { d: { address: "http://10.0.0.1:8080/base/" } } } },
      },
      httpClientFactory: () => client,
    });
    const exchange = new FakeExchange({ target: "/api/things%2F1?x=%20", headers: [["X-Forwarded-Port", "1"], ["A", "b"]] });
    await proxy.handle(exchange);
    expect(exchange.response.status).toBe(201);
    expect(exchange.response.text).toBe("made");
    expect(client.last.origin).toEqual({ scheme: "http", host: "10.0.0.1", port: 8080 });
    expect(client.last.request.target).toBe("/base/api/things%2F1?x=%20");
    expect([...client.last.request.headers]).toEqual([
      ["Host", "10.0.0.1:8080"],
      ["A", "b"],
      ["X-Forwarded-For", "192.0.2.7"],
      ["X-Forwarded-Host", "gateway.test"],
      ["X-Forwarded-Proto", "http"],
    ]);
    await proxy.close();
    expect(client.closed).toBe(1);
  });
});
