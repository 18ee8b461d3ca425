/** The example of each transform in the manual, from a configuration file through a whole gateway. */
import { describe, expect, test } from "vitest";
import { manualEntries } from "@proxy/pipeline/manual";
// @boundaries-ignore the examples live with the manual
import { runExample } from "../../../../packages/pipeline/test/support/manual-example.ts";
import { configFolder } from "../support/config-file.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";

describe("through the gateway", () => {
  test.each(manualEntries.map((entry) => [entry.key, entry.example] as const))("%s does what its example says", async (_key, example) => {
    await using folder = await configFolder();
    let gateway: RunningGateway | undefined;
    try {
      await runExample(example, async ({ route, address }) => {
        const Routes = { r: { ClusterId: "c", Match: { Path: route.path }, Transforms: route.transforms } };
        const file = await folder.write("gateway.json", { ReverseProxy: { Routes, Clusters: { c: { Destinations: { d: { Address: address } } } } } });
        gateway = await startGateway([file], { strict: true });
        return gateway.port;
      });
    } finally {
      await gateway?.[Symbol.asyncDispose]();
    }
  });

  test("there is one for each", () => {
    expect(manualEntries.length).toBeGreaterThan(30);
  });
});
