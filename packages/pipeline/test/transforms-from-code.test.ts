import { describe, expect, it } from "vitest";
import { ConfigError } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { takeHeader, transforms, type ReverseProxyOptions, type TransformBuilder, type TransformProvider } from "@proxy/pipeline";
import type { FakeExchange, FakeRequest } from "./support/fake-exchange.ts";
import { testProxy, type TestProxy } from "./support/proxies.ts";
import { sendThrough } from "./support/transform-cases.ts";

function proxyWith(provider: TransformProvider, options: Partial<ReverseProxyOptions> = {}): Promise<TestProxy> {
  return testProxy(
    {
      routes: {
        r: { clusterId: "c", match: { path: "/{**path}" }, transforms: [{ RequestHeader: "X-Configured", Set: "1" }], metadata: { Tenants: "on" } },
      },
      clusters: { c: { destinations: { d: { address: "http://d.test" } }, metadata: { Zone: "a" } } },
    },
    { transformProviders: [provider], ...options },
  );
}

async function answerOf(apply: (builder: TransformBuilder) => void, request: FakeRequest = {}): Promise<{ exchange: FakeExchange; sent: number }> {
  const { send, clients } = await proxyWith({ apply });
  const exchange = await send(request);
  return { exchange, sent: clients[0]?.calls.length ?? 0 };
}

const refuse = (exchange: { response: FakeExchange["response"] }): void => exchange.response.send({ status: 403, headers: new HeaderList() });

describe("a provider", () => {
  it("sees route and cluster, and its functions run after what is configured", async () => {
    const seen: unknown[] = [];
    const { send, clients } = await proxyWith({
      apply(builder) {
        seen.push(builder.route.metadata?.["Tenants"], builder.cluster?.metadata?.["Zone"]);
        builder
          .request((outgoing) => outgoing.headers.set("X-Then", `${outgoing.headers.get("x-configured")}, attempt ${outgoing.attempt}`))
          .add(transforms.pathPrefix("/v1"));
      },
    });
    await send({ target: "/a" });
    expect(seen).toEqual(["on", "a"]);
    expect(clients[0]?.last.request.target).toBe("/v1/a");
    expect(clients[0]?.last.request.headers.get("x-then")).toBe("1, attempt 1");
  });

  it("decides on forwarding fields, or leaves the default set", async () => {
    const { send, clients } = await proxyWith({ apply: (builder) => void builder.add(transforms.xForwarded("Off")) });
    await send();
    expect(clients[0]?.last.request.headers.has("x-forwarded-for")).toBe(false);
    const plain = await proxyWith({ apply: () => {} });
    await plain.send();
    expect(plain.clients[0]?.last.request.headers.get("x-forwarded-for")).toBe("192.0.2.7");
  });

  it("refuses a configuration by what it finds, adds wrongly or throws", async () => {
    const issue = { code: "mine", severity: "error", message: "no tenant", path: [] } as const;
    await expect(proxyWith({ validateRoute: () => [issue], apply: () => {} })).rejects.toMatchObject({ issues: [{ code: "mine" }] });
    await expect(proxyWith({ validateCluster: () => [issue], apply: () => {} })).rejects.toThrow(ConfigError);
    await expect(proxyWith({ apply: (builder) => void builder.add({ PathSett: "/" }) })).rejects.toThrow(/providers/);
    const thrown = proxyWith({
      apply() {
        throw new Error("out of order");
      },
    });
    await expect(thrown).rejects.toThrow("out of order");
  });
});

describe("a request transform that answers", () => {
  it.each<[string, (builder: TransformBuilder) => void]>([
    ["at once", (builder) => void builder.request((_outgoing, ctx) => refuse(ctx.exchange as FakeExchange))],
    [
      "later",
      (builder) =>
        void builder.request(async (_outgoing, ctx) => {
          await Promise.resolve();
          refuse(ctx.exchange as FakeExchange);
        }),
    ],
  ])("%s ends the matter: the others do not run, nothing is forwarded", async (_when, apply) => {
    let ran = false;
    const { exchange, sent } = await answerOf((builder) => {
      apply(builder);
      builder.request(() => void (ran = true));
    });
    expect([exchange.response.status, sent, ran]).toEqual([403, 0, false]);
  });

  it("and throws is a 502", async () => {
    const { exchange, sent } = await answerOf((builder) => {
      builder.request(() => {
        throw new Error("broken");
      });
    });
    expect([exchange.response.status, sent]).toEqual([502, 0]);
  });
});

describe("a response transform", () => {
  it.each<false | Promise<false>>([false, Promise.resolve(false as const)])("that gives false keeps body and trailers back, and the others still run", async (given) => {
    const { exchange } = await sendThrough({
      transforms: [],
      provider: { apply: (builder) => void builder.response(() => given).response(({ headers }) => headers.set("X-Late", "1")) },
      script: (call) => call.respond(200, [["Content-Length", "4"]], "body", [["X-Sum", "1"]]),
    });
    const { status, text, trailers } = exchange.response;
    expect([status, text, trailers, exchange.response.header("X-Late")]).toEqual([200, "", undefined, "1"]);
  });

  it("changes status and trailers", async () => {
    const { exchange } = await sendThrough({
      transforms: [],
      provider: {
        apply: (builder) =>
          void builder
            .response((response) => void (response.status = 203))
            .trailers((trailers, ctx, status) => trailers.append("X-Told", `${status} ${ctx.route.config.routeId}`)),
      },
      script: (call) => call.respond(200, [], "body"),
    });
    expect([exchange.response.status, exchange.response.trailers?.get("x-told")]).toEqual([203, "203 r"]);
  });

  it("joins values with takeHeader", () => {
    const headers = HeaderList.from([["A", "1"], ["a", "2"]]);
    expect(takeHeader(headers, "A")).toEqual(["1", "2"]);
    expect(headers.size).toBe(0);
  });
});
