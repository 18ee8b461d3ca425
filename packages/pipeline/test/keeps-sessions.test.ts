import { afterAll, describe, expect, it } from "vitest";
import { createKeyRing, type AffinityResult, type AffinityStatus, type DestinationState } from "@proxy/cluster";
import { ConfigError, type ClusterConfig, type SessionAffinityConfig } from "@proxy/config";
import { loadArea, type ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { insertAfter, type ReverseProxyOptions } from "@proxy/pipeline";
import { oneCluster, testProxy, type TestProxy } from "./support/proxies.ts";

const cases = loadArea("affinity").cases.filter((each) => each.given.kind === "middleware" && each.given.question === undefined);

describe("conformance: affinity, the step", () => {
  let held = 0;
  afterAll(() => reportArea("affinity (step)", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, async () => {
      await check(each);
      held++;
    });
  }
});

async function check({ given, expect: expected, rule }: ConformanceCase): Promise<void> {
  if (rule === "defaults") {
    const { proxy } = await testProxy(sticky(["a"], { enabled: given.config.Enabled, affinityKeyName: given.config.AffinityKeyName }));
    const affinity = proxy.state.cluster("c")?.model.affinity;
    expect({ policy: affinity?.policy.name, failurePolicy: affinity?.failurePolicy.name }).toEqual(expected);
    return;
  }
  if (rule === "pipeline") {
    const written: string[] = [];
    const made = await staged(["dest-A", "dest-B"], "AffinityKeyNotSet", undefined, written, { random: () => 0 });
    await made.send();
    expect({ affinitizeCalls: written.length, destination: written[0] }).toEqual(expected);
    return;
  }
  const calls: AffinityStatus[] = [];
  const made = await staged(given.destinations, given.status, given.found, [], {
    affinityFailurePolicies: [
      {
        name: "Staged",
        handle(exchange, _cluster, status) {
          calls.push(status);
          if (!given.failureContinues) exchange.response.send({ status: 503, headers: exchange.request.headers.copy() });
          return given.failureContinues;
        },
      },
    ],
  });
  const { response } = await made.send();
  expect(made.seen.length > 0).toBe(expected.continues);
  expect(response.status).toBe(expected.continues ? 200 : 503);
  if (expected.availableDestinations !== undefined) expect(made.seen).toEqual([expected.availableDestinations]);
  if (expected.failurePolicyCalls !== undefined) expect(calls).toHaveLength(expected.failurePolicyCalls);
  if (expected.logged !== undefined) expect(made.log.named("affinity-failed")).toHaveLength(expected.logged === null ? 0 : 1);
}

/** A proxy whose affinity policy answers as it is told; `seen` has the destinations that are left behind the step. */
async function staged(
  ids: readonly string[],
  status: AffinityStatus,
  found: string | undefined,
  written: string[],
  options: Partial<ReverseProxyOptions>,
): Promise<TestProxy & { readonly seen: string[][] }> {
  const seen: string[][] = [];
  const failurePolicy = options.affinityFailurePolicies === undefined ? "Redistribute" : "Staged";
  const made = await testProxy(sticky(ids, { enabled: true, policy: "Staged", failurePolicy, affinityKeyName: "k" }), {
    affinityPolicies: [
      {
        name: "Staged",
        find: (_exchange, _settings, available): AffinityResult => ({
          status,
          destinations: available.filter((each) => each.id === found),
        }),
        affinitize: (_exchange, _settings, destination: DestinationState) => void written.push(destination.id),
      },
    ],
    steps: (steps) =>
      insertAfter(steps, "session-affinity", {
        name: "watch",
        run(ctx, next) {
          seen.push(ctx.available.map((each) => each.id));
          return next(ctx);
        },
      }),
    ...options,
  });
  return { ...made, seen };
}

function sticky(ids: readonly string[], settings: SessionAffinityConfig, rest: Partial<ClusterConfig> = {}) {
  return oneCluster(ids, { loadBalancingPolicy: "RoundRobin", sessionAffinity: settings, ...rest });
}

const cookie: SessionAffinityConfig = { enabled: true, affinityKeyName: "k" };

/** The pair of a Set-Cookie line that a client sends back. */
function pairOf(line: string | undefined): string {
  return line?.split(";")[0] ?? "";
}

describe("a session", () => {
  for (const policy of ["HashCookie", "ArrCookie", "Cookie"]) {
    it(`stays with the destination that its first response came from, by ${policy}`, async () => {
      const { send, clients } = await testProxy(sticky(["a", "b", "c"], { ...cookie, policy }));
      await send();
      const first = await send();
      const brought = pairOf(first.response.header("Set-Cookie"));
      for (let i = 0; i < 5; i++) {
        const { response } = await send({ headers: [["Cookie", `other=1; ${brought}`]] });
        expect(clients[0]?.last.origin.host).toBe("b.test");
        expect(response.header("Set-Cookie")).toBeUndefined();
      }
    });
  }

  it("stays by a header as well", async () => {
    const { send, clients } = await testProxy(sticky(["a", "b", "c"], { ...cookie, policy: "CustomHeader", affinityKeyName: "X-Session" }));
    const first = await send();
    for (let i = 0; i < 3; i++) {
      await send({ headers: [["x-session", first.response.header("X-Session") ?? ""]] });
      expect(clients[0]?.last.origin.host).toBe("a.test");
    }
  });

  it("keeps its key over gateways that share a secret, also after it was rotated", async () => {
    const settings = { ...cookie, policy: "Cookie" };
    const [old, fresh] = ["an old secret that is long enough 0", "a new secret that is long enough 00"];
    const one = await testProxy(sticky(["a", "b"], settings), { affinityKeys: createKeyRing({ secrets: [old] }) });
    const brought = pairOf((await one.send()).response.header("Set-Cookie"));
    const two = await testProxy(sticky(["a", "b"], settings), { affinityKeys: createKeyRing({ secrets: [fresh, old] }) });
    await two.send();
    const { response } = await two.send({ headers: [["Cookie", brought]] });
    expect(two.clients[0]?.last.origin.host).toBe("a.test");
    expect(response.header("Set-Cookie")).toBeUndefined();
    const stranger = await testProxy(sticky(["a", "b"], settings), { affinityKeys: createKeyRing({ secrets: [fresh] }) });
    expect((await stranger.send({ headers: [["Cookie", brought]] })).response.header("Set-Cookie")).toBeDefined();
  });

  it("is no error page when its key was tampered with", async () => {
    const { send, log } = await testProxy(sticky(["a", "b"], { ...cookie, policy: "Cookie" }));
    const { response } = await send({ headers: [["Cookie", "k=AAAA"]] });
    expect(response.status).toBe(200);
    expect(response.header("Set-Cookie")).toMatch(/^k=/);
    expect(log.named("affinity-failed")).toEqual([]);
  });

  it("gets a new key when its destination is gone, or 503 where that is asked for", async () => {
    const gone = pairOf((await (await testProxy(sticky(["gone"], cookie))).send()).response.header("Set-Cookie"));
    const redistributing = await testProxy(sticky(["a"], cookie));
    const moved = await redistributing.send({ headers: [["Cookie", gone]] });
    expect(moved.response.status).toBe(200);
    expect(moved.response.header("Set-Cookie")).toMatch(/^k=/);
    const strict = await testProxy(sticky(["a"], { ...cookie, failurePolicy: "Return503Error" }));
    const refused = await strict.send({ headers: [["Cookie", gone]] });
    expect(refused.response.status).toBe(503);
    expect(strict.clients[0]?.calls).toEqual([]);
    expect(strict.log.named("affinity-failed")).toMatchObject([{ level: "warning", fields: { status: "DestinationNotFound" } }]);
  });

  it("is not pinned to a destination that did not answer (D4)", async () => {
    const { send } = await testProxy(sticky(["a"], cookie), { script: (call) => call.fail() });
    const { response } = await send();
    expect(response.status).toBe(502);
    expect(response.header("Set-Cookie")).toBeUndefined();
  });

  it("is written beside the route's own transforms, behind them", async () => {
    const config = sticky(["a"], cookie);
    const { send } = await testProxy({
      ...config,
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" }, transforms: [{ ResponseHeader: "X-A", Set: "1", When: "Always" }] } },
    });
    const { response } = await send();
    expect([response.header("X-A"), response.header("Set-Cookie")]).toEqual(["1", expect.stringMatching(/^k=/)]);
  });

  it("is refused at load where its cookie cannot be written", async () => {
    const faulty: Partial<SessionAffinityConfig>[] = [
      { affinityKeyName: "my key" },
      { cookie: { path: "/; domain=evil.test" } },
      { policy: "CustomHeader", affinityKeyName: "X Y" },
    ];
    for (const settings of faulty) {
      const error: unknown = await testProxy(sticky(["a"], { ...cookie, ...settings })).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map((issue) => issue.code)).toEqual(["affinity-settings"]);
    }
  });
});
