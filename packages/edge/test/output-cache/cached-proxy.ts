import type { OutputCachePolicyConfig, RouteConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
// @boundaries-ignore as above
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore as above
import { FakeExchange, type FakeRequest } from "../../../pipeline/test/support/fake-exchange.ts";
// @boundaries-ignore as above
import { testProxy, type TestProxy } from "../../../pipeline/test/support/proxies.ts";
import { createEdgePolicies, type EdgePoliciesExtension, type EdgePoliciesOptions } from "../../src/index.ts";
import { configOf } from "../proxies.ts";

export type Policy = Omit<OutputCachePolicyConfig, "name">;
export type Fields = readonly (readonly [string, string])[];

export interface CachedProxy extends TestProxy {
  readonly clock: FakeClock;
  readonly edge: EdgePoliciesExtension;
  /** What destinations were asked, in order. */
  readonly calls: FakeCall[];
  /** Asks for `target`, and tells where the answer came from. */
  get(target?: string, headers?: Fields, more?: Partial<FakeRequest>): Promise<FakeExchange>;
  /** A request that is not waited for. */
  begin(target?: string, headers?: Fields, more?: Partial<FakeRequest>): FakeExchange;
  /** The outcome of the last request that was begun with `get`. */
  readonly outcomes: (string | undefined)[];
}

/** A proxy whose one route keeps answers. By hand: tests answer by `calls`. */
export async function cachedProxy(
  policy: Policy = {},
  script: ((call: FakeCall) => void) | "by hand" = counting(),
  options: { readonly edge?: EdgePoliciesOptions; readonly route?: Partial<RouteConfig>; readonly steps?: Parameters<typeof testProxy>[1] } = {},
): Promise<CachedProxy> {
  const clock = new FakeClock();
  const edge = createEdgePolicies({ clock, ...options.edge });
  const calls: FakeCall[] = [];
  const outcomes: (string | undefined)[] = [];
  const proxy = await testProxy(configOf({ outputCache: { p: policy } }, { outputCachePolicy: "p", ...options.route }), {
    clock,
    extensions: [edge],
    script(call) {
      calls.push(call);
      if (script !== "by hand") script(call);
    },
    steps: (steps) => [
      {
        name: "outcomes",
        async run(ctx, next) {
          try {
            await next(ctx);
          } finally {
            outcomes.push(ctx.cache);
          }
        },
      },
      ...steps,
    ],
    ...options.steps,
  });
  const exchangeOf = (target: string, headers: Fields, more: Partial<FakeRequest>): FakeExchange => new FakeExchange({ target, headers, ...more });
  return {
    ...proxy,
    clock,
    edge,
    calls,
    outcomes,
    async get(target = "/", headers = [], more = {}) {
      const exchange = exchangeOf(target, headers, more);
      await proxy.proxy.handle(exchange);
      return exchange;
    },
    begin(target = "/", headers = [], more = {}) {
      const exchange = exchangeOf(target, headers, more);
      void proxy.proxy.handle(exchange);
      return exchange;
    },
  };
}

/** A destination that numbers its answers. */
export function counting(headers: Fields = [], status = 200): (call: FakeCall) => void {
  let count = 0;
  return (call) => {
    count++;
    call.respond(status, headers, `answer ${count}`);
  };
}
