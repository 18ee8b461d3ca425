/* oxlint-disable no-console -- the console stands for the log of whoever copies this */
import { HeaderList } from "@proxy/http";
import { insertBefore, type ReverseProxyOptions, type Step } from "@proxy/pipeline";

// app.MapReverseProxy(pipeline => { pipeline.Use(…); pipeline.UseSessionAffinity(); … })
const maintenance: Step = {
  name: "maintenance",
  run(ctx, next) {
    if (ctx.cluster?.config.metadata?.["Maintenance"] !== "on") return next(ctx);
    // Short-circuits, as context.Response.StatusCode = 503 without next()
    ctx.exchange.response.send({ status: 503, headers: HeaderList.from([["Retry-After", "60"]]) });
  },
};

const errors: Step = {
  name: "errors",
  async run(ctx, next) {
    await next(ctx);
    // context.GetForwarderErrorFeature()
    if (ctx.outcome !== undefined) console.error(ctx.route.config.routeId, ctx.destination?.id, ctx.outcome.code);
  },
};

const onlySecure: Step = {
  name: "only-secure",
  run(ctx, next) {
    // context.GetReverseProxyFeature().AvailableDestinations = …
    if (ctx.route.config.metadata?.["Secure"] === "yes") ctx.available = ctx.available.filter(({ model }) => model.config.address.startsWith("https:"));
    return next(ctx);
  },
};

export const steps: NonNullable<ReverseProxyOptions["steps"]> = (defaults) =>
  insertBefore(insertBefore(insertBefore(defaults, "answer", errors), "session-affinity", maintenance), "load-balancing", onlySecure);
