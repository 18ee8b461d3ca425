import { describe, expect, it } from "vitest";
import type { AuthorizationPolicyConfig } from "@proxy/config";
import { createEdgePolicies, identityOf, userOf, type EdgePoliciesOptions } from "../../src/index.ts";
import { testScheme } from "../authentication/test-scheme.ts";
import { configOf, edgeProxy } from "../proxies.ts";

type Policies = Readonly<Record<string, Omit<AuthorizationPolicyConfig, "name">>>;
type Headers = readonly (readonly [string, string])[];

/** Asks a proxy whose one route has `policy`; gives the status. */
async function asking(policies: Policies, policy: string | undefined, edge: EdgePoliciesOptions = { schemes: [testScheme("a")] }) {
  const { send, clients, log, proxy } = await edgeProxy(configOf({ authorization: policies }, { authorizationPolicy: policy }), edge);
  const ask = async (headers: Headers = [], method = "GET") => (await send({ headers, method })).response;
  const status = async (who?: string, method?: string): Promise<number> => (await ask(who === undefined ? [] : [["X-A", who]], method)).status ?? 0;
  return { ask, status, send, clients, log, proxy };
}

describe("authorization", () => {
  it("lets nobody but the authenticated pass by default", async () => {
    const { status, clients, ask } = await asking({ p: {} }, "p");
    expect([await status(), await status("!"), await status("ann")]).toEqual([401, 401, 200]);
    expect(clients[0]?.calls.length).toBe(1);
    const refusal = await ask();
    expect([refusal.header("WWW-Authenticate"), refusal.header("Cache-Control"), refusal.text]).toEqual(['Test realm="a"', "no-store", ""]);
  });

  it("Default is anybody authenticated where there is one scheme and nothing else is said", async () => {
    const { status } = await asking({}, "dEFAULT");
    expect([await status(), await status("ann")]).toEqual([401, 200]);
  });

  it("Default is what Policies say it is", async () => {
    const { status } = await asking({ default: { roles: ["boss"] } }, "Default");
    expect([await status("ann"), await status("ann;role=boss")]).toEqual([403, 200]);
  });

  it("Fallback holds for routes that name no policy, and not for Anonymous", async () => {
    const named = await asking({ Fallback: {} }, undefined);
    expect([await named.status(), await named.status("ann")]).toEqual([401, 200]);
    const anonymous = await asking({ Fallback: {} }, "anonymous");
    expect(await anonymous.status()).toBe(200);
  });

  it("asks for one of the roles, in claims that can be named", async () => {
    const roles = ["editor", "admin"];
    const { status } = await asking({ p: { roles } }, "p");
    expect([await status("ann;role=editor"), await status("ann;roles=admin"), await status("ann;role=Editor"), await status("ann;group=admin")]).toEqual([200, 200, 403, 403]);
    const groups = await asking({ p: { roles, roleClaims: ["group"] } }, "p");
    expect([await groups.status("ann;group=admin"), await groups.status("ann;role=admin")]).toEqual([200, 403]);
  });

  it("asks for each of the scopes, in scope or scp, as a list or in one text", async () => {
    const { status } = await asking({ p: { scopes: ["read", "write"] } }, "p");
    expect(await Promise.all(["ann;scope=read write", "ann;scp=write;scope=read", "ann;scp=read;scp=write", "ann;scope=read", "ann;scope=readwrite"].map((who) => status(who)))).toEqual([200, 200, 200, 403, 403]);
  });

  it("asks for claims with one of their values, or any", async () => {
    const { status } = await asking({ p: { claims: { tenant: ["x", "y"], email: ["*"] } } }, "p");
    expect(await Promise.all(["ann;tenant=y;email=a", "ann;tenant=z;email=a", "ann;tenant=x"].map((who) => status(who)))).toEqual([200, 403, 403]);
  });

  it("combines policies by all, any and not", async () => {
    const base: Policies = { staff: { roles: ["staff"] }, owner: { claims: { owner: ["*"] } }, suspended: { claims: { suspended: ["yes"] } } };
    const { status } = await asking({ ...base, p: { any: ["STAFF", "owner"], not: ["suspended"] } }, "p");
    expect(await Promise.all(["a;role=staff", "a;owner=1", "a", "a;role=staff;suspended=yes"].map((who) => status(who)))).toEqual([200, 200, 403, 403]);
    const all = await asking({ ...base, p: { all: ["staff", "owner"] } }, "p");
    expect(await Promise.all(["a;role=staff", "a;owner=1;role=staff"].map((who) => all.status(who)))).toEqual([403, 200]);
  });

  it("decides by method, and lets none pass that is not named", async () => {
    const base: Policies = { readers: {}, writers: { roles: ["writer"] } };
    const { status } = await asking({ ...base, p: { methods: { get: "readers", POST: "writers" } } }, "p");
    expect([await status("a", "GET"), await status("a", "POST"), await status("a;role=writer", "POST"), await status("a;role=writer", "DELETE")]).toEqual([200, 403, 200, 403]);
    const others = await asking({ ...base, p: { methods: { GET: "readers", "*": "writers" } } }, "p");
    expect([await others.status("a;role=writer", "DELETE"), await others.status("a", "DELETE")]).toEqual([200, 403]);
  });

  it("takes a method for the one that it is in another case, and not for one of the others", async () => {
    const { status } = await asking({ any: {}, admins: { roles: ["admin"] }, p: { methods: { DELETE: "admins", "*": "any" } } }, "p");
    expect([await status("a", "delete"), await status("a", "Delete"), await status("a;role=admin", "delete"), await status("a", "PATCH")]).toEqual([403, 403, 200, 200]);
  });

  it("without RequireAuthenticated lets nobody in particular pass, and still knows the others", async () => {
    const users: (string | undefined)[] = [];
    const { send } = await edgeProxy(
      configOf({ authorization: { p: { requireAuthenticated: false } } }, { authorizationPolicy: "p" }),
      { schemes: [testScheme("a")] },
      {
        steps: (steps) => [
          ...steps.slice(0, -1),
          { name: "look", run: (ctx, next) => (users.push(userOf(ctx), identityOf(ctx)?.claims.get("role")?.join()), next(ctx)) },
          ...steps.slice(-1),
        ],
      },
    );
    for (const who of [undefined, "!", "ann;role=x"]) expect((await send({ headers: who === undefined ? [] : [["X-A", who]] })).response.status).toBe(200);
    expect(users).toEqual([undefined, undefined, undefined, undefined, "a:ann", "x"]);
  });

  it("does not take the absence of a claim for leave when nobody is there", async () => {
    const { status } = await asking({ suspended: { claims: { suspended: ["yes"] } }, p: { not: ["suspended"] } }, "p");
    expect([await status(), await status("ann")]).toEqual([401, 200]);
  });
});

describe("functions of the application", () => {
  it("decide by name, at once or later, alone or named by policies", async () => {
    const edge: EdgePoliciesOptions = {
      schemes: [testScheme("a")],
      authorization: {
        even: { authorize: (identity) => (identity?.name?.length ?? 1) % 2 === 0 },
        later: { authorize: async (identity) => identity?.name === "anna" },
      },
    };
    for (const policy of ["even", "LATER"]) {
      const { status } = await asking({}, policy, edge);
      expect([await status(), await status("ann"), await status("anna")]).toEqual([401, 403, 200]);
    }
    const { status } = await asking({ p: { all: ["even", "later"], not: ["q"] }, q: { any: ["later"], claims: { x: ["*"] } } }, "p", edge);
    expect([await status("ann"), await status("anna"), await status("anna;x=1")]).toEqual([403, 200, 403]);
  });

  it("that throw or reject are answered with 500, not with leave", async () => {
    const thrown = (): never => {
      throw new Error("broken");
    };
    const { status } = await asking({}, "p", { schemes: [testScheme("a")], authorization: { p: { authorize: thrown } } });
    const rejecting = await asking({}, "p", { schemes: [testScheme("a")], authorization: { p: { authorize: async () => thrown() } } });
    expect([await status("ann"), await rejecting.status("ann")]).toEqual([500, 500]);
  });
});

describe("several schemes", () => {
  const two: Policies = { p: { schemes: ["a", "b"] } };

  for (const waits of [false, true]) {
    const schemes = [testScheme("a", { waits }), testScheme("b", { waits })];
    it(`are asked in order until one knows who it is${waits ? ", also when they wait" : ""}`, async () => {
      const { ask } = await asking(two, "p", { schemes });
      expect((await ask([["X-B", "ann"]])).status).toBe(200);
      expect((await ask([["X-A", "!"], ["X-B", "ann"]])).status).toBe(200);
      expect((await ask([["X-A", "?"], ["X-B", "ann"]])).status).toBe(200);
      expect((await ask([["X-A", "302"], ["X-B", "ann"]])).status).toBe(200);
    });

    it(`challenge together${waits ? ", also when they wait" : ""}`, async () => {
      const { ask } = await asking(two, "p", { schemes });
      expect((await ask()).head?.headers.getAll("www-authenticate")).toEqual(['Test realm="a"', 'Test realm="b"']);
      const unavailable = await ask([["X-A", "!"], ["X-B", "?"]]);
      expect([unavailable.status, unavailable.header("Retry-After"), unavailable.header("WWW-Authenticate")]).toEqual([503, "7", undefined]);
      const answered = await ask([["X-A", "!"], ["X-B", "302"]]);
      expect([answered.status, answered.header("Location"), answered.header("Cache-Control"), answered.text]).toEqual([302, "https://b.example/", "no-store", "asked"]);
    });
  }

  it("are those of the policies that one names, where it has none itself", async () => {
    const { ask } = await asking({ p: { any: ["x", "y"] }, x: { schemes: ["a"] }, y: { schemes: ["b"], roles: ["r"] } }, "p", { schemes: [testScheme("a"), testScheme("b"), testScheme("c")] });
    expect((await ask([["X-B", "ann;role=r"]])).status).toBe(200);
    expect((await ask([["X-C", "ann;role=r"]])).head?.headers.getAll("www-authenticate")).toEqual(['Test realm="a"', 'Test realm="b"']);
  });

  it("may answer in their own way, and say 403 where nothing can be said", async () => {
    const redirect = { kind: "answer", answer: { head: (await import("./redirect-head.ts")).redirectHead } } as const;
    const first = await asking(two, "p", { schemes: [testScheme("a"), testScheme("b", { challenge: redirect })] });
    expect((await first.ask()).header("Location")).toBe("/login");
    const mute = await asking(two, "p", { schemes: [testScheme("a", { challenge: { kind: "none" } }), testScheme("b", { challenge: { kind: "none" } })] });
    expect((await mute.ask()).status).toBe(403);
  });

  it("say themselves why somebody may not", async () => {
    const schemes = [testScheme("a", { forbid: (_exchange, { name }, scopes) => ({ kind: "values", values: [`Test user="${name}" scope="${scopes.join(" ")}"`] }) })];
    const { ask } = await asking({ p: { scopes: ["x", "y"] } }, "p", { schemes });
    const refusal = await ask([["X-A", "ann"]]);
    expect([refusal.status, refusal.header("WWW-Authenticate")]).toEqual([403, 'Test user="ann" scope="x y"']);
  });
});

describe("policies that make no sense", () => {
  it("are told all at once, with what is known", async () => {
    const failed = edgeProxy(
      configOf({
        authorization: {
          a: { schemes: ["jwt", "nobody"] },
          b: { all: ["c"] },
          c: { any: ["b"] },
          d: { not: ["unknown"], methods: { GET: "a", PUT: "e" } },
          vague: {},
          code: {},
        },
      }, { authorizationPolicy: "Vague" }),
      { schemes: [testScheme("jwt"), testScheme("other")], authorization: { Code: { authorize: () => true } } },
    );
    const { issues } = (await failed.catch((error: unknown) => error)) as { issues: { path: string[]; message: string; hint?: string }[] };
    expect(issues.map(({ path, message }) => `${path.slice(2).join(".")}: ${message.replace(/ \(.*/, "")}`)).toEqual([
      "code: the policy 'code' comes from code too",
      "a.Schemes.1: there is no scheme 'nobody'",
      "b: the policy names itself, by itself or by others",
      "c: the policy names itself, by itself or by others",
      "d.Not.0: there is no policy 'unknown'",
      "d.Methods.PUT: there is no policy 'e'",
      "vague: which scheme tells who it is?",
    ]);
    expect(issues[1]?.hint).toBe("known are jwt, other");
  });

  it("include a Default that nobody defined among several schemes, and any without a scheme", async () => {
    const several = edgeProxy(configOf({}, { authorizationPolicy: "Default" }), { schemes: [testScheme("a"), testScheme("b")] });
    await expect(several).rejects.toThrow("AuthorizationPolicy 'Default' of route 'r' is not defined");
    await expect(edgeProxy(configOf({}, { authorizationPolicy: "Default" }))).rejects.toThrow("AuthorizationPolicy 'Default' of route 'r' is not defined");
    await expect(edgeProxy(configOf({ authorization: { p: {} } }, { authorizationPolicy: "p" }))).rejects.toThrow("nobody could pass");
  });

  it("include schemes that stand twice", () => {
    expect(() => createEdgePolicies({ schemes: [testScheme("a"), testScheme("A")] })).toThrow("'a' is no name");
  });
});

describe("schemes of the application", () => {
  it("begin with the configuration and end with the proxy", async () => {
    const life: string[] = [];
    const { proxy } = await asking({ p: {} }, "p", { schemes: [testScheme("a", { start: () => life.push("start"), close: () => life.push("close") })] });
    await proxy.update(configOf({ authorization: { p: {} } }, { authorizationPolicy: "p" }));
    expect(life).toEqual(["start"]);
    await proxy.close();
    expect(life).toEqual(["start", "close"]);
  });

  it("answer at endpoints of theirs", async () => {
    const endpoint = { path: "/signed-in", methods: ["GET"], handle: (exchange: import("@proxy/http").Exchange) => exchange.response.send({ status: 204, headers: exchange.request.headers }) };
    const { send } = await asking({ p: {} }, "p", { schemes: [testScheme("a", { endpoints: [endpoint] })] });
    expect((await send({ target: "/signed-in?code=1" })).response.status).toBe(204);
    const wrong = (await send({ target: "/signed-in", method: "POST" })).response;
    expect([wrong.status, wrong.header("Allow")]).toEqual([405, "GET"]);
    const clash = asking({ p: { schemes: ["a"] } }, "p", { schemes: [testScheme("a", { endpoints: [endpoint] }), testScheme("b", { endpoints: [endpoint] })] });
    await expect(clash).rejects.toThrow("two schemes answer at '/signed-in'");
  });
});
