/** Steps and policies of users that break the rules: a request ends, others are not touched, and the log says why. */
import type { LoadBalancingPolicy } from "@proxy/cluster";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sharedTimers } from "@proxy/forwarder";
import { insertBefore, type ProxyContext, type Step } from "@proxy/pipeline";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

const before = (name: string, run: Step["run"]) => ({
  steps: (steps: readonly Step[]) => insertBefore(steps, name, { name: "mine", run }),
});

function messages(faults: readonly { readonly fields: Readonly<Record<string, unknown>> }[]): string[] {
  return faults.map(({ fields }) => (fields["error"] as Error).message);
}

describe("a step", () => {
  it.each([
    ["at once", () => {}],
    ["after a while", async () => Promise.resolve()],
    ["with a value that is no promise", () => 5 as unknown as undefined],
  ])("that ends %s, without an answer and without next, is answered with 500", async (_, run) => {
    const { send, log } = await testProxy(oneCluster(["a"]), before("forward", run));
    const { response } = await send();
    expect([response.status, response.ended]).toEqual([500, true]);
    expect(messages(log.named("step-failed"))).toEqual(["the steps ended without an answer"]);
  });

  it("that calls next twice forwards once, and the fault is told", async () => {
    for (const at of ["answer", "forward"]) {
      const { send, clients, log, proxy } = await testProxy(
        oneCluster(["a"]),
        before(at, async (ctx, next) => {
          const first = next(ctx);
          await Promise.resolve();
          await next(ctx);
          await first;
        }),
      );
      const { response } = await send();
      expect(response.ended).toBe(true);
      expect(clients[0]?.calls).toHaveLength(1);
      expect(messages(log.named("step-failed"))).toEqual(["the request was forwarded already: a step called next twice"]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(proxy.state.cluster("c")?.inFlight).toBe(0);
    }
  });

  it("that calls next once more when the first is over changes nothing about the answer", async () => {
    const { send, clients } = await testProxy(
      oneCluster(["a"]),
      before("forward", async (ctx, next) => {
        await next(ctx);
        await next(ctx);
      }),
    );
    const { response } = await send();
    expect([response.status, response.aborted, clients[0]?.calls.length]).toEqual([200, undefined, 1]);
  });

  it("that drops the promise of next loses nothing but its place in the order", async () => {
    const { proxy, clients } = await testProxy(oneCluster(["a"]), before("answer", (ctx, next) => void next(ctx)));
    const exchange = new FakeExchange();
    await proxy.handle(exchange);
    await proxy.update({ routes: {}, clusters: {} });
    await new Promise<void>((resolve) => exchange.onComplete(resolve));
    expect([exchange.response.status, clients[0]?.closed]).toEqual([200, 1]);
  });

  it("that takes the cluster away still lets its client go", async () => {
    const { proxy, clients, send } = await testProxy(
      oneCluster(["a"]),
      before("answer", (ctx, next) => {
        ctx.cluster = undefined;
        return next(ctx);
      }),
    );
    await send();
    await proxy.close();
    expect(clients.map(({ closed }) => closed)).toEqual([1]);
  });

  it("cannot reassign a request that was forwarded", async () => {
    const faults: unknown[] = [];
    const { send } = await testProxy(
      oneCluster(["a"]),
      before("forward", async (ctx, next) => {
        const sent = next(ctx);
        try {
          ctx.reassign(ctx.state.cluster("c") as NonNullable<ProxyContext["clusterState"]>);
        } catch (error) {
          faults.push((error as Error).message);
        }
        await sent;
      }),
    );
    expect((await send()).response.status).toBe(200);
    expect(faults).toEqual(["a request that was forwarded cannot be reassigned"]);
  });
});

describe("a balancing policy", () => {
  const policy = (pick: () => unknown): LoadBalancingPolicy => ({ name: "Mine", pick }) as unknown as LoadBalancingPolicy;

  it.each([
    ["null", () => null, 503, undefined],
    ["undefined", () => undefined, 503, undefined],
    ["a promise", () => Promise.resolve(), 500, /does not belong to a proxy/],
    ["an object of its own", () => ({ id: "stranger" }), 500, /'stranger' does not belong to a proxy/],
    ["a number", () => 7, 500, /does not belong to a proxy/],
    ["nothing but a throw", () => { throw new Error("mine"); }, 500, /mine/],
  ])("that gives %s ends the request and nothing else", async (_, pick, status, fault) => {
    const { send, log, proxy } = await testProxy(oneCluster(["a", "b"], { loadBalancingPolicy: "Mine" }), {
      loadBalancingPolicies: [policy(pick)],
    });
    expect((await send()).response.status).toBe(status);
    if (fault !== undefined) expect(messages(log.named("step-failed"))[0]).toMatch(fault);
    expect(proxy.state.cluster("c")?.inFlight).toBe(0);
  });

  it("cannot change the destinations of others", async () => {
    const { send, proxy } = await testProxy(oneCluster(["b", "a"], { loadBalancingPolicy: "Mine" }), {
      loadBalancingPolicies: [
        { name: "Mine", pick: (_exchange, _cluster, available) => (available as unknown as unknown[]).pop() as never },
      ],
    });
    expect((await send()).response.status).toBe(500);
    expect(proxy.state.cluster("c")?.destinations.available.map(({ id }) => id)).toEqual(["b", "a"]);
  });
});

describe("a transform", () => {
  it.each([
    ["a number", 7],
    ["true", true],
    ["null", null],
    ["a text", "then"],
    ["an object", {}],
  ])("that gives %s counts as one that gives nothing", async (_, given) => {
    const { send, log } = await testProxy(
      { ...oneCluster(["a"]), routes: { r: { clusterId: "c", match: { path: "/" }, transforms: [{ Mine: "1" }] } } },
      {
        transforms: [
          {
            key: "Mine",
            build(_settings, plan) {
              plan.request.push(() => given as unknown as undefined);
              plan.response.push(() => given as unknown as undefined);
            },
          },
        ],
      },
    );
    expect((await send()).response.status).toBe(200);
    expect(log.named("forwarding-failed")).toEqual([]);
  });
});

describe("the timeout of a route", () => {
  const timed = { ...oneCluster(["a"]), routes: { all: { clusterId: "c", match: { path: "/{**rest}" }, timeout: "100ms" } } };

  it("counts while a step waits, and the request is not forwarded any more", async () => {
    let proceed = (): void => {};
    const { proxy, clients, log } = await testProxy(
      timed,
      before("answer", async (ctx, next) => {
        await new Promise<void>((resolve) => (proceed = resolve));
        await next(ctx);
      }),
    );
    const exchange = new FakeExchange();
    const handled = proxy.handle(exchange);
    await new Promise<void>((resolve) => exchange.onComplete(resolve));
    expect([exchange.response.status, exchange.response.header("Content-Length")]).toEqual([504, "0"]);
    proceed();
    await handled;
    expect(clients[0]?.calls).toEqual([]);
    expect(log.named("forwarding-failed")).toMatchObject([{ fields: { route: "all", code: "RouteTimeout", source: "gateway" } }]);
    expect(log.named("step-failed")).toEqual([]);
  });

  it("is what steps left of it when the request is forwarded", async () => {
    // The clock stands still: only what is advanced here passes.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    onTestFinished(() => clock.mockRestore());
    // Others may hold the timers running, and their tick may be late.
    sharedTimers.catchUp();
    let outcome: unknown;
    const { proxy } = await testProxy(timed, {
      script: () => {},
      ...before("forward", async (ctx, next) => {
        sharedTimers.advance();
        const forwarded = next(ctx);
        // What is left takes as many ticks; the whole would take more.
        sharedTimers.advance(sharedTimers.ticks(100 - sharedTimers.period));
        await forwarded;
        outcome = ctx.outcome?.code;
      }),
    });
    const exchange = new FakeExchange();
    const handled = proxy.handle(exchange);
    await new Promise(setImmediate);
    expect(exchange.response.status).toBe(504);
    await handled;
    expect(outcome).toBe("RouteTimeout");
  });

  it("leaves a step alone that has started its own answer", async () => {
    const { send } = await testProxy(
      timed,
      before("answer", async (ctx) => {
        ctx.exchange.response.start({ status: 200, headers: ctx.exchange.request.headers.copy() });
        // The answer has begun when others come to run.
        await new Promise(setImmediate);
        sharedTimers.advance(sharedTimers.ticks(1000));
        ctx.exchange.response.end();
      }),
    );
    const { response } = await send();
    expect([response.status, response.aborted]).toEqual([200, undefined]);
  });
});

describe("a proxy that is closed", () => {
  it("answers 503 and forwards nothing", async () => {
    const { proxy, send, clients } = await testProxy(oneCluster(["a"]));
    await send();
    const closing = proxy.close();
    expect((await send()).response.status).toBe(503);
    await closing;
    expect((await send()).response.status).toBe(503);
    expect(clients[0]?.calls).toHaveLength(1);
  });
});
