import { afterAll, describe, expect, it } from "vitest";
import {
  AffinityError,
  ClusterAffinity,
  createAffinityFailurePolicies,
  createAffinityPolicies,
  type KeyProtector,
} from "@proxy/cluster";
import { parseDuration, type ClusterConfig, type SessionAffinityConfig } from "@proxy/config";
import { loadArea, type ConformanceCase, type Shapeless } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { HeaderList } from "@proxy/http";
import { destinationsOf, emptyCluster } from "./support/clusters.ts";
import { exchangeOf } from "./support/exchanges.ts";
import { FakeClock } from "./support/fake-clock.ts";

// The shape differs by case.
const identity: KeyProtector = { protect: (_purpose, plain) => plain, unprotect: (_purpose, sealed) => sealed };
const blind: KeyProtector = { ...identity, unprotect: () => undefined };

/** The cases of kind `middleware` stand with the step in the tests of the pipeline, but for the names. */
const cases = loadArea("affinity").cases.filter((each) => each.given.kind !== "middleware" || each.given.question);

describe("conformance: affinity, policies", () => {
  let held = 0;
  afterAll(() => reportArea("affinity (policies)", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, async () => {
      await check(each);
      held++;
    });
  }
});

async function check({ given, expect: expected }: ConformanceCase): Promise<void> {
  if (given.kind === "middleware") return checkNames(expected);
  if (given.kind === "failure") return checkFailure(given, expected);
  if (expected.error === "affinity-disabled") {
    expect(() => affinityOf({ ...given, keyName: "k" })).toThrow(AffinityError);
    return;
  }
  if (given.kind === "key") return checkKey(given, expected);
  if (given.kind === "find") return checkFind(given, expected);
  checkAffinitize(given, expected);
}

function affinityOf(given: Shapeless): ClusterAffinity {
  const { SecurePolicy, SameSite, MaxAge, ...cookie } = given.cookie ?? {};
  const config: ClusterConfig = {
    clusterId: "c",
    sessionAffinity: {
      enabled: given.enabled ?? true,
      policy: given.policy,
      affinityKeyName: given.keyName,
      cookie: {
        path: cookie.Path,
        domain: cookie.Domain,
        httpOnly: cookie.HttpOnly,
        securePolicy: SecurePolicy,
        sameSite: SameSite,
        maxAge: MaxAge === undefined ? undefined : parseDuration(MaxAge),
      },
    } as SessionAffinityConfig,
  };
  const protector = given.cipher === "decryption gives nothing" ? blind : identity;
  return new ClusterAffinity(config, {
    affinity: createAffinityPolicies({ protector, clock: new FakeClock() }),
    affinityFailure: createAffinityFailurePolicies(),
  });
}

function checkKey(given: Shapeless, expected: Shapeless): void {
  const headers = new HeaderList();
  const [destination] = destinationsOf([given.destinationId, 0]);
  if (destination === undefined) throw new Error("no destination");
  const { exchange } = exchangeOf();
  affinityOf({ ...given, keyName: "k" }).affinitize(exchange, { status: "AffinityKeyNotSet", destinations: [] }, destination, headers);
  expect(headers.get("set-cookie")).toBe(`k=${expected.key}; path=/; httponly`);
}

async function checkFind(given: Shapeless, expected: Shapeless): Promise<void> {
  const { cookies, headers = [] } = given.request;
  const cookieLine = cookies?.map(([name, value]: [string, string]) => `${name}=${value}`).join("; ");
  const { exchange } = exchangeOf({ headers: cookieLine === undefined ? headers : [["Cookie", cookieLine]] });
  const available = destinationsOf(...given.destinations.map((id: string) => [id, 0] as const));
  const found = await affinityOf(given).find(exchange, available);
  expect(found.status).toBe(expected.status);
  expect(found.destinations.map((each) => each.id)).toEqual(expected.destination === null ? [] : [expected.destination]);
  if (expected.logged !== undefined) expect(found.reason).toBe(expected.logged);
}

function checkAffinitize(given: Shapeless, expected: Shapeless): void {
  const { exchange, answer } = exchangeOf({ scheme: given.https ? "https" : "http" });
  answer.ended = given.requestAborted === true;
  const [destination] = destinationsOf([given.destination, 0]);
  if (destination === undefined) throw new Error("no destination");
  const headers = new HeaderList();
  const status = given.alreadyAffinitized ? "OK" : "AffinityKeyNotSet";
  affinityOf(given).affinitize(exchange, { status, destinations: [] }, destination, headers);
  const written = [...headers];
  if (expected.setCookie) expect(written).toEqual([["Set-Cookie", expected.setCookie]]);
  else expect(written).toEqual(expected.header ? [expected.header] : []);
}

async function checkFailure(given: Shapeless, expected: Shapeless): Promise<void> {
  const policy = createAffinityFailurePolicies().get(given.failurePolicy);
  const { exchange, answer } = exchangeOf();
  const handled = Promise.try(() => policy.handle(exchange, emptyCluster(), given.status));
  if (expected.error !== undefined) {
    await expect(handled).rejects.toMatchObject({ code: expected.error });
    return;
  }
  expect(await handled).toBe(expected.continue);
  expect(answer.status).toBe(expected.statusCode);
}

function checkNames(expected: Shapeless): void {
  expect([...createAffinityPolicies().names].sort()).toEqual(expected.policies);
  expect([...createAffinityFailurePolicies().names].sort()).toEqual(expected.failurePolicies);
}
