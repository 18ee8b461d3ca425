import { describe, expect, it } from "vitest";
import { assert as assertProperty, property, string } from "fast-check";
import { loadArea, type Shapeless } from "@proxy/conformance";
import type { CorsPolicyConfig, RouteConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { compileCorsPolicy } from "../src/cors/cors-policy.ts";
import { configOf, edgeProxy } from "./proxies.ts";

type Policy = Omit<CorsPolicyConfig, "name">;

async function corsProxy(policy: Policy, route: Partial<RouteConfig> = {}, answer: readonly (readonly [string, string])[] = []) {
  return edgeProxy(configOf({ cors: { p: policy } }, { corsPolicy: "p", ...route }), {}, {
    script: (call) => call.respond(200, answer),
  });
}

function preflight(origin: string, method = "PUT", more: readonly (readonly [string, string])[] = []) {
  return { method: "OPTIONS", headers: [["Origin", origin], ["Access-Control-Request-Method", method], ...more] as const };
}

/** The fields of an answer that CORS is about. */
function corsFields(headers: HeaderList | undefined): Record<string, string> {
  return Object.fromEntries([...(headers ?? [])].filter(([name]) => /^(access-control-|vary)/i.test(name)));
}

describe("preflights", () => {
  it("are answered at the edge with what the policy allows", async () => {
    const { send, clients } = await corsProxy({
      origins: ["https://app.example"], methods: ["PUT", "DELETE"], headers: ["X-Token", "Content-Type"], credentials: true, maxAge: 600_000,
    });
    const { response } = await send(preflight("https://app.example", "PUT", [["Access-Control-Request-Headers", "x-token"]]));
    expect(response.status).toBe(204);
    expect(corsFields(response.head?.headers)).toEqual({
      "Access-Control-Allow-Origin": "https://app.example",
      "Access-Control-Allow-Credentials": "true",
      "Access-Control-Allow-Methods": "PUT, DELETE, GET, HEAD, POST",
      "Access-Control-Allow-Headers": "X-Token, Content-Type",
      "Access-Control-Max-Age": "600",
      Vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
    });
    expect(clients[0]?.calls.length).toBe(0);
  });

  it("of other origins get no leave", async () => {
    const { send, clients } = await corsProxy({ origins: ["https://app.example"], methods: ["*"] });
    for (const origin of ["https://evil.example", "http://app.example", "https://app.example:8443", "https://app.example.evil.example", "null", "", "https://APP.example"]) {
      const { response } = await send(preflight(origin));
      expect(response.status).toBe(204);
      expect(Object.keys(corsFields(response.head?.headers)), origin).toEqual(["Vary"]);
    }
    expect(clients[0]?.calls.length).toBe(0);
  });

  it("reach routes with explicit methods by the method that they ask about", async () => {
    const { send } = await edgeProxy({
      ...configOf({ cors: { read: { origins: ["https://read.example"] }, write: { origins: ["https://write.example"] } } }),
      routes: {
        get: { clusterId: "c", match: { path: "/x", methods: ["GET"] }, corsPolicy: "read" },
        put: { clusterId: "c", match: { path: "/x", methods: ["PUT"] }, corsPolicy: "write" },
      },
    });
    expect((await send({ ...preflight("https://write.example", "PUT"), target: "/x" })).response.header("Access-Control-Allow-Origin")).toBe("https://write.example");
    expect((await send({ ...preflight("https://write.example", "GET"), target: "/x" })).response.header("Access-Control-Allow-Origin")).toBe(undefined);
    expect((await send({ ...preflight("https://write.example", "DELETE"), target: "/x" })).response.status).toBe(405);
  });

  it("get back what they ask for where anything is allowed, and nothing that is no name", async () => {
    const { send } = await corsProxy({ origins: ["*"], methods: ["*"], headers: ["*"] });
    const { response } = await send(preflight("https://a.example", "PATCH", [["Access-Control-Request-Headers", "authorization, x-a"]]));
    expect(response.header("Access-Control-Allow-Methods")).toBe("PATCH");
    expect(response.header("Access-Control-Allow-Headers")).toBe("authorization, x-a");
    const odd = await send(preflight("https://a.example", "PA TCH", [["Access-Control-Request-Headers", "x-a, b c"]]));
    expect(odd.response.header("Access-Control-Allow-Methods")).toBe(undefined);
    expect(odd.response.header("Access-Control-Allow-Headers")).toBe(undefined);
  });

  it("from public pages get leave for a private network only where the policy says so", async () => {
    const ask = preflight("https://app.example", "PUT", [["Access-Control-Request-Private-Network", "true"]]);
    for (const privateNetwork of [true, false]) {
      const { send } = await corsProxy({ origins: ["https://app.example"], privateNetwork });
      expect((await send(ask)).response.header("Access-Control-Allow-Private-Network")).toBe(privateNetwork ? "true" : undefined);
    }
  });

  it("are refused by Disable, and go to the destination without a policy", async () => {
    const off = await edgeProxy(configOf({}, { corsPolicy: "Disable" }));
    expect(corsFields((await off.send(preflight("https://a.example"))).response.head?.headers)).toEqual({});
    expect(off.clients[0]?.calls.length).toBe(0);
    const none = await edgeProxy(configOf({}));
    await none.send(preflight("https://a.example"));
    expect(none.clients[0]?.calls.length).toBe(1);
  });
});

describe("answers to pages of other origins", () => {
  const from = (origin: string) => ({ headers: [["Origin", origin]] as const });

  it("say what the policy says, whatever the destination does", async () => {
    const { send } = await corsProxy({ origins: ["https://app.example"], exposedHeaders: ["X-Total"] }, {}, [
      ["Access-Control-Allow-Origin", "*"], ["Access-Control-Allow-Credentials", "true"], ["Vary", "Accept"],
    ]);
    const allowed = await send(from("https://app.example"));
    expect([...(allowed.response.head?.headers ?? [])].filter(([name]) => /^(access|vary)/i.test(name))).toEqual([
      ["Vary", "Accept"],
      ["Access-Control-Allow-Origin", "https://app.example"],
      ["Access-Control-Expose-Headers", "X-Total"],
      ["Vary", "Origin"],
    ]);
    const refused = await send(from("https://evil.example"));
    expect(refused.response.header("Access-Control-Allow-Origin")).toBe(undefined);
    expect(refused.response.header("Access-Control-Allow-Credentials")).toBe(undefined);
  });

  it("vary by origin also where the request has none, unless any will do", async () => {
    const some = await corsProxy({ origins: ["https://app.example"] });
    expect((await some.send()).response.header("Vary")).toBe("Origin");
    const any = await corsProxy({ origins: ["*"] });
    const { response } = await any.send(from("null"));
    expect(corsFields(response.head?.headers)).toEqual({ "Access-Control-Allow-Origin": "*" });
  });

  it("of the gateway itself have them too", async () => {
    const { send } = await corsProxy({ origins: ["https://app.example"] }, { clusterId: undefined, respond: { statusCode: 404, body: "no" } });
    const { response } = await send(from("https://app.example"));
    expect(response.status).toBe(404);
    expect(response.header("Access-Control-Allow-Origin")).toBe("https://app.example");
  });

  it("have none for a request of two origins", async () => {
    const { send } = await corsProxy({ origins: ["https://app.example"] });
    const { response } = await send({ headers: [["Origin", "https://app.example"], ["Origin", "https://evil.example"]] });
    expect(response.header("Access-Control-Allow-Origin")).toBe(undefined);
  });
});

describe("origins with a wildcard", () => {
  const policy = compileCorsPolicy({ name: "p", origins: ["https://*.example.org", "http://*.local.test:8080"] });

  it("stand for whole labels before the domain", () => {
    for (const origin of ["https://a.example.org", "https://a.b.example.org", "http://x.local.test:8080"]) expect(policy.allowedOrigin(origin)).toBe(origin);
    for (const origin of [
      "https://example.org", "https://.example.org", "https://evilexample.org", "http://a.example.org", "https://a.example.org:444",
      "https://evil.test/.example.org", "https://evil.test?.example.org", "https://evil.test#.example.org", "https://user@a.example.org", "https://evil.test:1.example.org", "http://x.local.test",
    ]) expect(policy.allowedOrigin(origin), origin).toBe(undefined);
  });

  it("never let another host in, whatever stands before the suffix", () => {
    assertProperty(
      property(string({ unit: "binary-ascii" }), (text) => {
        const origin = `https://${text}.example.org`;
        if (policy.allowedOrigin(origin) === undefined) return;
        expect(new URL(origin).hostname).toMatch(/\.example\.org$/);
      }),
    );
  });
});

describe("conformance routing-methods, preflights through the proxy", () => {
  for (const one of loadArea("routing-methods").cases) {
    const { given, expect: expected } = one;
    const { headers = {}, method, path } = given.request;
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    if (method !== "OPTIONS" || !names.includes("origin") || !names.includes("access-control-request-method")) continue;
    it(one.id, async () => {
      const policies: Record<string, Policy> = {};
      const routes = Object.fromEntries(given.routes.map((route: Shapeless) => {
        if (route.corsPolicy && !/^disable$/i.test(route.corsPolicy)) policies[route.corsPolicy] = { origins: ["*"] };
        return [route.id, { clusterId: "c", match: { path: route.path, methods: route.methods }, corsPolicy: route.corsPolicy ?? undefined }];
      }));
      const { send, clients } = await edgeProxy({ ...configOf({ cors: policies }), routes });
      const { response } = await send({ method, target: path, headers: Object.entries(headers as Record<string, string>) });
      if (expected.route === null) {
        expect(response.status).toBe(expected.status ?? 404);
        return;
      }
      const asked = routes[expected.route].corsPolicy;
      expect(clients[0]?.calls.length ?? 0).toBe(asked ? 0 : 1);
      if (asked) expect(response.status).toBe(204);
    });
  }
});
