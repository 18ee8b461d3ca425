import { describe, expect, it } from "vitest";
import {
  compileSteps,
  insertAfter,
  insertBefore,
  type ProxyContext,
  type RouteModel,
  type Step,
} from "@proxy/pipeline";
import { chainCompiler } from "../src/steps/runner.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

const noContext = {} as ProxyContext;

function noting(name: string, notes: string[]): Step {
  return {
    name,
    run(ctx, next) {
      notes.push(`> ${name}`);
      const rest = next(ctx);
      notes.push(`< ${name}`);
      return rest;
    },
  };
}

describe("a chain of steps", () => {
  it("runs them in order, each around the next", () => {
    const notes: string[] = [];
    compileSteps([noting("a", notes), noting("b", notes)])(noContext);
    expect(notes).toEqual(["> a", "> b", "< b", "< a"]);
  });

  it("gives no promise when no step waits", () => {
    expect(compileSteps([noting("a", []), noting("b", [])])(noContext)).toBeUndefined();
  });

  it("gives the promise of the step that waits, and goes on after it", async () => {
    const notes: string[] = [];
    const waiting: Step = {
      name: "waiting",
      async run(ctx, next) {
        await Promise.resolve();
        notes.push("waited");
        await next(ctx);
        notes.push("after");
      },
    };
    const running = compileSteps([waiting, noting("b", notes)])(noContext);
    expect(running).toBeInstanceOf(Promise);
    await running;
    expect(notes).toEqual(["waited", "> b", "< b", "after"]);
  });

  it("ends where a step does not call next", () => {
    const notes: string[] = [];
    compileSteps([{ name: "stop", run: () => {} }, noting("b", notes)])(noContext);
    expect(notes).toEqual([]);
  });

  it("keeps requests apart that run through it at once", async () => {
    const seen: unknown[] = [];
    const chain = compileSteps([
      {
        name: "wait",
        async run(ctx, next) {
          await Promise.resolve();
          await next(ctx);
        },
      },
      { name: "note", run: (ctx) => void seen.push(ctx) },
    ]);
    const contexts = [{}, {}] as unknown as ProxyContext[];
    await Promise.all(contexts.map((ctx) => chain(ctx)));
    expect(seen[0]).toBe(contexts[0]);
    expect(seen[1]).toBe(contexts[1]);
  });

  it("passes a throw and a rejection on to who started it", async () => {
    const fault = new Error("mine");
    const throwing: Step = {
      name: "throwing",
      run() {
        throw fault;
      },
    };
    expect(() => compileSteps([noting("a", []), throwing])(noContext)).toThrow(fault);
    const rejecting: Step = { name: "rejecting", run: () => Promise.reject(fault) };
    await expect(compileSteps([noting("a", []), rejecting])(noContext)).rejects.toBe(fault);
  });

  it("is shared by routes that have the same steps and leaves out those that do not apply", () => {
    const notes: string[] = [];
    const compile = chainCompiler([
      { ...noting("limited", notes), applies: (route) => route.config.maxRequestBodySize !== undefined },
      noting("always", notes),
    ]);
    const route = (maxRequestBodySize?: number): RouteModel =>
      ({ config: { routeId: "r", match: {}, maxRequestBodySize } }) as unknown as RouteModel;
    expect(compile(route())).toBe(compile(route()));
    expect(compile(route())).not.toBe(compile(route(1)));
    compile(route())(noContext);
    expect(notes).toEqual(["> always", "< always"]);
  });

  it("is refused when two steps have the same name", () => {
    expect(() => chainCompiler([noting("a", []), noting("a", [])])).toThrow("two steps are named 'a'");
  });
});

describe("a user's step", () => {
  const names = ["timeout", "answer", "initialise", "session-affinity", "load-balancing", "passive-health", "limits", "forward"];

  it.each(names)("can stand before and after '%s'", async (name) => {
    const notes: string[] = [];
    let order: readonly string[] = [];
    const { send } = await testProxy(oneCluster(["a", "b"]), {
      steps(steps) {
        const around = insertAfter(insertBefore(steps, name, noting("before", notes)), name, noting("after", notes));
        order = around.map((step) => step.name);
        return around;
      },
    });
    expect(order.indexOf("before")).toBe(order.indexOf(name) - 1);
    expect(order.indexOf("after")).toBe(order.indexOf(name) + 1);
    const { response } = await send();
    expect(response.status).toBe(200);
    // Nothing runs behind the last step.
    expect(notes).toEqual(name === "forward" ? ["> before", "< before"] : ["> before", "> after", "< after", "< before"]);
  });

  it("is told when there is no step of the name it is to stand beside", async () => {
    await expect(
      testProxy(oneCluster(["a"]), { steps: (steps) => insertBefore(steps, "balancing", noting("x", [])) }),
    ).rejects.toThrow(/no step is named 'balancing': known are timeout, answer, traffic-split, initialise/);
  });

  it("sees the outcome and the destination after it has called next", async () => {
    const seen: unknown[] = [];
    const { send } = await testProxy(oneCluster(["a"]), {
      script: (call) => call.fail(),
      steps: (steps) =>
        insertBefore(steps, "answer", {
          name: "watch",
          async run(ctx, next) {
            await next(ctx);
            seen.push(ctx.outcome?.code, ctx.outcome?.retry, ctx.destination?.id, ctx.exchange.response.status);
          },
        }),
    });
    await send();
    expect(seen).toEqual(["Request", "safe", "a", 502]);
  });

  it("answers itself and nothing is forwarded", async () => {
    const { send, clients } = await testProxy(oneCluster(["a"]), {
      steps: (steps) =>
        insertBefore(steps, "initialise", {
          name: "teapot",
          run: (ctx) => ctx.exchange.response.send({ status: 418, headers: ctx.exchange.request.headers.copy() }),
        }),
    });
    const { response } = await send();
    expect(response.status).toBe(418);
    expect(clients.flatMap((client) => client.calls)).toEqual([]);
  });

  it("leaves things for other steps in the items of the context", async () => {
    const key = Symbol("who");
    let found: unknown;
    const { send } = await testProxy(oneCluster(["a"]), {
      steps: (steps) =>
        insertAfter(
          insertBefore(steps, "answer", { name: "put", run: (ctx, next) => (ctx.items.set(key, "me"), next(ctx)) }),
          "limits",
          { name: "get", run: (ctx, next) => ((found = ctx.items.get(key)), next(ctx)) },
        ),
    });
    await send();
    expect(found).toBe("me");
  });
});

describe("a step that throws", () => {
  const failing = (run: Step["run"]) => ({
    steps: (steps: readonly Step[]) => insertBefore(steps, "forward", { name: "failing", run }),
  });

  it("is answered with 500 and an event, whether at once or later", async () => {
    for (const run of [
      () => {
        throw new Error("mine");
      },
      () => Promise.reject(new Error("mine")),
    ]) {
      const { send, log } = await testProxy(oneCluster(["a"]), failing(run));
      const { response } = await send();
      expect(response.status).toBe(500);
      expect(response.header("Content-Length")).toBe("0");
      expect(log.named("step-failed")).toMatchObject([{ level: "error", fields: { route: "all" } }]);
    }
  });

  it("cuts a response that has started, so that nobody takes it for whole", async () => {
    const { send } = await testProxy(
      oneCluster(["a"]),
      failing((ctx) => {
        ctx.exchange.response.start({ status: 200, headers: ctx.exchange.request.headers.copy() });
        throw new Error("mine");
      }),
    );
    const { response } = await send();
    expect(response.aborted).toMatchObject({ message: "mine" });
  });

  it("cannot make the handler reject", async () => {
    const { proxy } = await testProxy(
      oneCluster(["a"]),
      failing(() => Promise.reject(new Error("mine"))),
    );
    await expect(proxy.handle(new FakeExchange())).resolves.toBeUndefined();
  });
});
