import { describe, expect, it } from "vitest";
import { insertBefore, type Step } from "@proxy/pipeline";
import type { FakeCall } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy, type TestProxy } from "./support/proxies.ts";

function expectIdle({ proxy }: TestProxy): void {
  const [cluster] = proxy.state.clusters;
  expect(cluster?.inFlight).toBe(0);
  expect(cluster?.destinations.all.map((each) => each.inFlight)).toEqual([0]);
}

describe("requests under way", () => {
  it("are counted from just before forwarding until it is over", async () => {
    const seen: number[][] = [];
    const count: Step = {
      name: "count",
      async run(ctx, next) {
        const read = (): number[] => [ctx.clusterState?.inFlight ?? -1, ctx.available[0]?.inFlight ?? -1];
        seen.push(read());
        const pending = next(ctx);
        seen.push(read());
        await pending;
        seen.push(read());
      },
    };
    const tested = await testProxy(oneCluster(["a"]), { steps: (steps) => insertBefore(steps, "forward", count) });
    await tested.send();
    expect(seen).toEqual([[0, 0], [1, 1], [0, 0]]);
  });

  const endings: readonly (readonly [title: string, script: (call: FakeCall) => void])[] = [
    ["the connection is refused", (call) => call.fail("connect")],
    ["the destination breaks off before its head", (call) => call.fail("request")],
    ["the destination breaks off in the body", (call) => (call.begin(), call.breakOff())],
    ["the destination answers", (call) => call.respond(500)],
  ];
  it.each(endings)("are none when %s", async (_title, script) => {
    const tested = await testProxy(oneCluster(["a"]), { script });
    await tested.send();
    expectIdle(tested);
  });

  it("are none when the client leaves at any moment", async () => {
    for (const before of [() => {}, (call: FakeCall) => call.begin()]) {
      const sent = Promise.withResolvers<FakeCall>();
      const tested = await testProxy(oneCluster(["a"]), { script: (call) => (before(call), sent.resolve(call)) });
      const exchange = new FakeExchange();
      const serving = tested.proxy.handle(exchange);
      const call = await sent.promise;
      expect(tested.proxy.state.cluster("c")?.inFlight).toBe(1);
      exchange.leave();
      await serving;
      expect(call.aborted).toBeInstanceOf(Error);
      expectIdle(tested);
    }
  });

  it("are none when a transform throws, or a client that is closed is used", async () => {
    const throwing = await testProxy(
      { ...oneCluster(["a"]), routes: { r: { clusterId: "c", match: { path: "/" }, transforms: [{ Bad: "1" }] } } },
      {
        transforms: [
          {
            key: "Bad",
            build: (_settings, plan) =>
              void plan.request.push(() => {
                throw new Error("bad");
              }),
          },
        ],
      },
    );
    expect((await throwing.send()).response.status).toBe(502);
    expectIdle(throwing);

    const closed = await testProxy(oneCluster(["a"]));
    await closed.clients[0]?.close();
    expect((await closed.send()).response.status).toBe(502);
    expectIdle(closed);
  });

  it("are none when a step answered and called next nevertheless", async () => {
    const tested = await testProxy(oneCluster(["a"]), {
      steps: (steps) =>
        insertBefore(steps, "forward", {
          name: "hasty",
          run(ctx, next) {
            ctx.exchange.response.start({ status: 200, headers: ctx.exchange.request.headers.copy() });
            return next(ctx);
          },
        }),
    });
    const { response } = await tested.send();
    expect(response.aborted).toBeInstanceOf(Error);
    expect(tested.clients[0]?.calls).toEqual([]);
    expectIdle(tested);
  });
});

describe("forwarding failures", () => {
  it("are told with route, cluster, destination and code; a client's leaving only for debugging", async () => {
    const { send, log } = await testProxy(oneCluster(["a"]), { script: (call) => call.fail() });
    await send();
    expect(log.named("forwarding-failed")).toMatchObject([
      { level: "warning", fields: { route: "all", cluster: "c", destination: "a", code: "Request", source: "destination" } },
    ]);

    const sent = Promise.withResolvers<void>();
    const leaving = await testProxy(oneCluster(["a"]), { script: () => sent.resolve() });
    const exchange = new FakeExchange();
    const serving = leaving.proxy.handle(exchange);
    await sent.promise;
    exchange.leave();
    await serving;
    expect(leaving.log.named("forwarding-failed")).toMatchObject([{ level: "debug", fields: { code: "RequestCanceled" } }]);
  });
});
