import { expect, it } from "vitest";
import type { Exchange } from "@proxy/http";
import type { RequestDelegator } from "@proxy/pipeline";
import { testScheme } from "../authentication/test-scheme.ts";
import { configOf, edgeProxy } from "../proxies.ts";

/** Hands every request over, and remembers which. */
function takingAll(): { delegator: RequestDelegator; given: Exchange[] } {
  const given: Exchange[] = [];
  const delegator = {
    fault: () => undefined,
    delegates: () => true,
    delegate(exchange: Exchange, _destination: unknown, done: (failure: undefined) => void) {
      given.push(exchange);
      exchange.response.send({ status: 204, headers: exchange.request.headers.copy() });
      done(undefined);
    },
    close() {},
    clusterAdded() {},
    clusterChanged() {},
    clusterRemoved() {},
  } as unknown as RequestDelegator;
  return { delegator, given };
}

it("a request whose head the gateway changed is not handed to another process, which would read what the client wrote", async () => {
  const { delegator, given } = takingAll();
  const config = configOf({ authorization: { p: { forward: { headers: { "X-User": "@name" } } } } }, { authorizationPolicy: "p" });
  const { send, log } = await edgeProxy(config, { schemes: [testScheme("a")] }, { delegator });
  const { response } = await send({ headers: [["X-A", "ann"], ["X-User", "root"]] });
  expect([response.status, given.length]).toEqual([500, 0]);
  expect(String(log.named("step-failed")[0]?.fields["error"])).toContain("a step changed the head of the request");
});

it("a request that only passed a policy is handed over as it came", async () => {
  const { delegator, given } = takingAll();
  const { send } = await edgeProxy(configOf({ authorization: { p: {} } }, { authorizationPolicy: "p" }), { schemes: [testScheme("a")] }, { delegator });
  expect((await send({ headers: [["X-A", "ann"]] })).response.status).toBe(204);
  expect(given.length).toBe(1);
});
