/** Cases of other areas that only a whole proxy can be asked: its counters, no destination left, the timeout step. */
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError } from "@proxy/config";
import { loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { isAskedOfProxy } from "@proxy/conformance/split-areas";
import { insertBefore, type ProxyContext } from "@proxy/pipeline";
import { oneCluster, testProxy } from "./support/proxies.ts";

describe("conformance: forwarder-errors, the proxy", () => {
  const cases = loadArea("forwarder-errors").cases.filter((one) => isAskedOfProxy(one, "forwarder-errors"));
  let held = 0;
  afterAll(() => reportArea("forwarder-errors (proxy)", { held, superseded: 0, failed: cases.length - held }));
  for (const { id, title, given, expect: expected } of cases) {
    it(`${id}: ${title}`, async () => {
      let seen: ProxyContext | undefined;
      const during: Record<string, number | undefined>[] = [];
      const after: Record<string, number | undefined>[] = [];
      const destinations = given.fault === "list is empty" ? [] : ["a"];
      const { send, clients } = await testProxy(oneCluster(destinations), {
        steps: (steps) =>
          insertBefore(steps, "forward", {
            name: "watch",
            async run(ctx, next) {
              const destination = ctx.available[0];
              const note = (notes: typeof during): void => {
                notes.push({ cluster: ctx.clusterState?.inFlight, ...(destination && { destination: destination.inFlight }) });
              };
              const pending = next(ctx);
              note(during);
              await pending;
              note(after);
              seen = ctx;
            },
          }),
      });
      const { response } = await send();
      if (expected.error !== undefined) expect(seen?.outcome?.code).toBe(expected.error);
      if (expected.status !== undefined) expect(response.status).toBe(expected.status);
      if (expected.requestSent === false) expect(clients.flatMap(({ calls }) => calls)).toEqual([]);
      if (expected.during !== undefined) expect(during).toEqual([expected.during]);
      if (expected.after !== undefined) expect(after).toEqual([expected.after]);
      held++;
    });
  }
});

describe("conformance: config-parse, the proxy", () => {
  const cases = loadArea("config-parse").cases.filter((one) => isAskedOfProxy(one, "config-parse"));
  let held = 0;
  afterAll(() => reportArea("config-parse (proxy)", { held, superseded: 0, failed: cases.length - held }));
  for (const { id, title, given, expect: expected } of cases) {
    it(`${id}: ${title}`, async () => {
      expect([given.timeoutMiddleware, expected.error]).toEqual([false, "timeout-middleware-missing"]);
      // Told when the configuration is loaded, so that no request fails for it.
      const config = { ...oneCluster(["a"]), routes: { r: { clusterId: "c", match: { path: "/" }, timeout: given.route.Timeout } } };
      const loading = testProxy(config, { steps: (steps) => steps.filter((step) => step.name !== "timeout") });
      const error: unknown = await loading.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues).toMatchObject([{ code: "timeout-not-served", entity: { id: "r" } }]);
      held++;
    });
  }
});
