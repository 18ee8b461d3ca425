/** Web cache poisoning and deception: what one client sends must not choose what another one gets, and nobody's own page is kept for all. */
import { describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
// @boundaries-ignore as above
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore as above
import type { FakeRequest } from "../../../pipeline/test/support/fake-exchange.ts";
import type { BodySource } from "@proxy/http";
import { defaultUnkeyedHeaders, memoryOutputCacheStore, type CacheEntry, type OutputCacheStore } from "../../src/index.ts";
import { cachedProxy, counting, type Fields, type Policy } from "./cached-proxy.ts";
import { testScheme } from "../authentication/test-scheme.ts";
import { configOf, edgeProxy } from "../proxies.ts";

const modes: readonly Policy[] = [{}, { mode: "Http" }];
const lasting: Fields = [["Cache-Control", "public, max-age=600"]];

/** A destination that shows all that it was told, as careless ones do. */
function reflecting(headers: Fields = lasting): (call: FakeCall) => void {
  return (call) => call.respond(200, headers, JSON.stringify([call.request.method, call.request.target, ...call.request.headers]));
}

function storeOf(inner: OutputCacheStore): OutputCacheStore {
  return { get: (key) => inner.get(key), put: (key, entry) => inner.put(key, entry), remove: (key) => inner.remove(key), evictByTag: (tag) => inner.evictByTag(tag), clear: () => inner.clear() };
}

/** What a plain request gets after `attack`, and whether the attack left something in the cache. */
async function after(policy: Policy, attack: Partial<FakeRequest>, victim: Partial<FakeRequest> = {}, script = reflecting()): Promise<{ text: string; status: number | undefined; outcome: string | undefined }> {
  const { get, outcomes } = await cachedProxy(policy, script);
  await get(attack.target, attack.headers, attack);
  const { response } = await get(victim.target, victim.headers, victim);
  return { text: response.text, status: response.status, outcome: outcomes[1] };
}

for (const policy of modes) {
  describe(`mode ${policy.mode ?? "Policy"}`, () => {
    for (const name of defaultUnkeyedHeaders) {
      it(`the destination is not told ${name}`, async () => {
        // CGI and its heirs take one for the other.
        for (const spelling of [name, name.replaceAll("-", "_"), name.replace("-", "_")]) expect((await after(policy, { headers: [[spelling, "evil.test"]] })).text).not.toContain("evil.test");
      });
    }

    it("fields that the policy varies by reach it, and each value has an answer of its own", async () => {
      const own = { ...policy, varyByHeader: ["X-Forwarded-Prefix", "X-Original-Host"] };
      const { text, outcome } = await after(own, { headers: [["X-Original-Host", "evil.test"]] });
      expect([text.includes("evil.test"), outcome]).toEqual([false, "miss"]);
      const { get } = await cachedProxy(own, reflecting());
      expect((await get("/", [["X-Original-Host", "a.test"]])).response.text).toContain("a.test");
    });

    it("fields that answers are told apart by do not come by another spelling", async () => {
      const tenant = (call: FakeCall): void => call.respond(200, [...lasting, ...(call.request.target === "/vary" ? [["Vary", "X-Tenant"] as const] : [])], `for ${call.request.headers.get("x-tenant") ?? call.request.headers.get("x_tenant") ?? "nobody"}`);
      for (const [own, target] of [[{ ...policy, varyByHeader: ["X-Tenant"] }, "/"], [policy, "/vary"]] as const) {
        expect((await after(own, { target, headers: [["X_Tenant", "evil"]] }, { target }, tenant)).text).toBe("for nobody");
      }
    });

    for (const target of ["/account/x.css", "/account/x.js", "/account/avatar.png", "/account/.css", "/account/x.css?x.css", "/account//x.css", "/account.css"]) {
      it(`a page of somebody is not kept under the name of a file: ${target}`, async () => {
        const page = (call: FakeCall): void => call.respond(200, [["Content-Type", "text/html"]], call.request.headers.has("cookie") || call.request.headers.has("authorization") ? "secret" : "nobody");
        for (const field of [["Cookie", "session=ann"], ["Authorization", "Bearer ann"], ["X-Auth-Token", "ann"]] as const) {
          if (field[0] === "Cookie" || field[0] === "Authorization") expect((await after(policy, { target, headers: [field] }, { target }, page)).text).toBe("nobody");
          expect((await after(policy, { target, headers: [field] }, { target }, page)).outcome).not.toBe("hit");
        }
      });
    }

    it("fields of one's own are held back where the policy names them", async () => {
      const { text } = await after({ ...policy, unkeyedHeaders: ["X-Theme"] }, { headers: [["X-Theme", "evil"], ["x-theme", "<script>"]] });
      expect(text).not.toMatch(/evil|script/);
    });

    const paths = [
      "/account/x.css;a=b",
      "/account%2fx.css",
      "/account%2Fx.css",
      "/account%3b.css",
      "/account%3Fx.css",
      "/account%23x.css",
      "/account%00.css",
      "/account%0a.css",
      "/account%0d%0a.css",
      "/account%5cx.css",
      "/account%252fx.css",
      "/static/%2e%2e%2faccount",
      "/static\\..\\account",
      "/account/.%2e;x.css",
      "/account%7f.css",
      "/account%22.css",
      "/account%c0%afx.css",
      "/static/..%ef%bc%8faccount",
      "/account%20/x.css",
    ];
    for (const target of paths) {
      it(`a path that others may read otherwise goes by: ${target}`, async () => {
        const { outcome } = await after(policy, { target }, { target });
        expect(outcome).toBe("bypass");
      });
    }

    it("a GET with a body goes by, its answer is not kept", async () => {
      const body: BodySource = { length: 4, started: false, read: () => {}, pause: () => {}, resume: () => {}, cancel: () => {} };
      const { get, begin, outcomes, calls } = await cachedProxy(policy, reflecting());
      begin("/", [], { body });
      await get();
      expect([outcomes.at(-1), calls.length]).toEqual(["miss", 2]);
    });

    it("an answer to HEAD is not one to GET", async () => {
      const { outcome } = await after(policy, { method: "HEAD" });
      expect(outcome).toBe("miss");
    });

    it("methods that are written in fields are not carried out, nor kept", async () => {
      const { text } = await after(policy, { headers: [["X-HTTP-Method-Override", "POST"], ["X-Method-Override", "DELETE"]] });
      expect(text).not.toMatch(/POST|DELETE/);
    });

    it("methods in other spellings are other methods", async () => {
      for (const method of ["get", "GET2", "PURGE"]) expect((await after(policy, { method })).outcome).toBe("miss");
    });

    for (const status of [400, 403, 405, 413, 414, 416, 429, 431, 500, 502, 503]) {
      it(`${status} that a request provoked stays with it`, async () => {
        const script = (call: FakeCall): void => (call.request.headers.has("x-oversized") ? call.respond(status, lasting, "error") : call.respond(200, lasting, "fine"));
        expect((await after(policy, { headers: [["X-Oversized", "x".repeat(20_000)]] }, {}, script)).text).toBe("fine");
      });
    }

    it("Connection takes no field away that the policy varies by", async () => {
      const tenant: Fields = [["X-Tenant", "a"]];
      const { text, outcome } = await after({ ...policy, varyByHeader: ["X-Tenant"] }, { headers: [...tenant, ["Connection", "keep-alive, X-Tenant"]] }, { headers: tenant });
      expect([outcome, text.includes('["X-Tenant","a"]') || text.includes("X-Tenant")]).toEqual(["miss", true]);
      expect((await after(policy, { headers: [["Connection", "Keep-Alive"]] })).outcome).toBe("hit");
    });

    it("hosts are one in every spelling, and another with another port", async () => {
      for (const authority of ["GATEWAY.TEST", "gateway.test:80", "gateway.test:"]) expect((await after(policy, {}, { authority })).outcome).toBe("hit");
      for (const authority of ["gateway.test:8080", "gateway.test.", "evil.test", "gateway.test:443"]) expect((await after(policy, {}, { authority })).outcome).toBe("miss");
    });

    it("no two requests have one key", async () => {
      const pairs: readonly [Partial<FakeRequest>, Partial<FakeRequest>][] = [
        [{ target: "/a?b" }, { target: "/a%3fb" }],
        [{ target: "/1:a" }, { target: "/1", headers: [["X-K", ":a"]] }],
        [{ authority: "a.test", target: "/b/c" }, { authority: "a.test/b".replace("/", ""), target: "/c" }],
        [{ pathBase: "/a", target: "/b" }, { pathBase: undefined, target: "/a/b" }],
        [{ pathBase: "/a", target: "/b" }, { pathBase: "/a/b", target: "/" }],
        [{ target: "/", headers: [["X-K", "a"], ["X-L", "b"]] }, { target: "/", headers: [["X-K", "a1:b"], ["X-L", ""]] }],
        [{ target: "/", headers: [["X-K", "-"]] }, { target: "/" }],
        [{ target: "/", headers: [["X-K", ""]] }, { target: "/" }],
        [{ target: "/", headers: [["X-K", "a, b"]] }, { target: "/", headers: [["X-K", "a"], ["X-K", "b"]] }],
      ];
      for (const [one, other] of pairs) {
        const { outcome } = await after({ ...policy, varyByHeader: ["X-K", "X-L"] }, one, other);
        expect([JSON.stringify([one, other]), outcome === "hit"]).toEqual([JSON.stringify([one, other]), false]);
      }
    });

    it("parameters that are hidden from the key are not taken for it", async () => {
      const chosen = { ...policy, varyByQuery: ["id", "user_id", "a.b"] };
      for (const [attack, victim] of [
        ["/?id=1&utm=x;id=2", "/?id=1&utm=x"],
        ["/?id=1&id=2", "/?id=1"],
        ["/?id=1&%69d=2", "/?id=1"],
        ["/?id=1&ID=2", "/?id=1"],
        ["/?id=1&id[]=2", "/?id=1"],
        ["/?id=1&+id=2", "/?id=1"],
        ["/?id=1&%zz=2", "/?id=1"],
        ["/?id=12:x", "/?id=1&2:x"],
        ["/?id=1&id%00x=2", "/?id=1"],
        ["/?id=1&user.id=2", "/?id=1"],
        ["/?id=1&user+id=2", "/?id=1"],
        ["/?id=1&user%20id=2", "/?id=1"],
        ["/?id=1&user[id=2", "/?id=1"],
        ["/?id=1&user.id[]=2", "/?id=1"],
        ["/?id=1&a_b=2", "/?id=1"],
      ] as const) {
        expect([attack, (await after(chosen, { target: attack }, { target: victim })).outcome === "hit"]).toEqual([attack, false]);
      }
      expect((await after(chosen, { target: "/?id=1&utm=a" }, { target: "/?utm=b&id=1" })).outcome).toBe("hit");
    });

    it("parts are never kept as the whole", async () => {
      const script = (call: FakeCall): void => (call.request.headers.has("range") ? call.respond(200, [...lasting, ["Content-Range", "bytes 0-0/5"]], "w") : call.respond(200, lasting, "whole"));
      expect((await after(policy, { headers: [["Range", "bytes=0-0"]] }, {}, script)).text).toBe("whole");
    });

    it("what is cut is never kept", async () => {
      for (const headers of [[...lasting, ["Content-Length", "100"]], lasting] as Fields[]) {
        let count = 0;
        const { get, calls } = await cachedProxy(policy, (call) => {
          if (count++ > 0) call.respond(200, lasting, "whole");
          else {
            call.begin(200, headers, "who");
            call.breakOff();
          }
        });
        expect((await get()).response.aborted).toBeInstanceOf(Error);
        expect([(await get()).response.text, calls.length]).toEqual(["whole", 2]);
      }
    });

    it("a body of another length than announced is never kept", async () => {
      const { get, calls } = await cachedProxy(policy, (call) => call.respond(200, [...lasting, ["Content-Length", "9"]], "12345"));
      await get();
      await get();
      expect(calls.length).toBe(2);
    });

    it("Vary: * and too many variants keep nothing that grows", async () => {
      expect((await after(policy, {}, {}, reflecting([...lasting, ["Vary", "*"]]))).outcome).toBe("pass");
      const { get, calls } = await cachedProxy({ ...policy, maxVariants: 8 }, reflecting([...lasting, ["Vary", "User-Agent"]]));
      for (let i = 0; i < 100; i++) await get("/", [["User-Agent", `${i}`]]);
      for (let i = 92; i < 100; i++) await get("/", [["User-Agent", `${i}`]]);
      expect(calls.length).toBe(100);
    });

    it("what the gateway tells the destination of the client is no ground to keep an answer", async () => {
      for (const field of ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"]) expect((await after(policy, {}, {}, reflecting([...lasting, ["Vary", field]]))).outcome).toBe("pass");
    });

    describe("what a destination tells one origin", () => {
      const app: Fields = [["Origin", "https://app.test"]];
      const evil: Fields = [["Origin", "https://evil.test"]];
      const allow = "Access-Control-Allow-Origin";
      /** Allows what `allowed` says of an origin; undefined: says nothing of CORS. */
      const corsOf = (allowed: (origin: string | undefined) => string | undefined, more: Fields = []) => (call: FakeCall): void => {
        const own = allowed(call.request.headers.get("origin"));
        call.respond(200, [...lasting, ...more, ...(own === undefined ? [] : [[allow, own] as const])], "answer");
      };
      const reflecting = corsOf((origin) => origin);
      const onlyApp = corsOf((origin) => (origin === "https://app.test" ? origin : undefined));

      it("is not told another, nor those without one, where it forgets Vary", async () => {
        const { get, outcomes } = await cachedProxy(policy, reflecting);
        const told: (string | undefined)[] = [];
        for (const headers of [evil, app, [], evil, app, []] as Fields[]) told.push((await get("/", headers)).response.header(allow));
        expect(told).toEqual(["https://evil.test", "https://app.test", undefined, "https://evil.test", "https://app.test", undefined]);
        expect(outcomes).toEqual(["miss", "miss", "miss", "hit", "hit", "hit"]);
      });

      it("nor is it refused what another was refused, or what nobody asked for", async () => {
        for (const before of [evil, []] as Fields[]) {
          const { get } = await cachedProxy(policy, onlyApp);
          await get("/", before);
          expect((await get("/", app)).response.header(allow)).toBe("https://app.test");
          expect((await get("/", evil)).response.header(allow)).toBe(undefined);
        }
      });

      it("nor do origins that it knows nothing of push out what is kept", async () => {
        const { get, outcomes } = await cachedProxy({ ...policy, maxVariants: 4 }, onlyApp);
        await get();
        await get("/", app);
        for (let i = 0; i < 50; i++) await get("/", [["Origin", `https://evil${i}.test`]]);
        await get();
        await get("/", app);
        expect(outcomes.slice(-2)).toEqual(["hit", "hit"]);
      });

      it("is one answer for all where it allows any, and for each where Vary says so", async () => {
        const any = await cachedProxy(policy, corsOf(() => "*"));
        for (const headers of [app, evil, []] as Fields[]) await any.get("/", headers);
        expect(any.outcomes).toEqual(["miss", "hit", "hit"]);
        const each = await cachedProxy(policy, corsOf((origin) => (origin === "https://app.test" ? origin : undefined), [["Vary", "Origin"]]));
        for (const headers of [app, evil, [], app, evil, []] as Fields[]) await each.get("/", headers);
        expect(each.outcomes).toEqual(["miss", "miss", "miss", "hit", "hit", "hit"]);
      });

      it("is no longer for all when it says so of what was kept for all", async () => {
        let count = 0;
        const { get, clock } = await cachedProxy(policy, (call) => {
          const origin = call.request.headers.get("origin") ?? "*";
          if (count++ === 0) call.respond(200, [...lasting, ["ETag", '"v"'], [allow, "*"]], "answer");
          else call.respond(call.request.headers.has("if-none-match") ? 304 : 200, [...lasting, ["ETag", '"v"'], [allow, origin]], call.request.headers.has("if-none-match") ? "" : "answer");
        });
        await get("/", app);
        clock.set(700_000);
        expect((await get("/", evil)).response.header(allow)).toBe("https://evil.test");
        expect((await get("/", app)).response.header(allow)).toBe("https://app.test");
      });

      it("is told nobody where the route has a policy of its own: one answer, and each gets its fields", async () => {
        const kept: CacheEntry[] = [];
        const inner = memoryOutputCacheStore({ sizeLimit: 1_000_000, maxVariants: 8 });
        const outputCacheStore = () => ({
          ...storeOf(inner),
          put(key: string, entry: CacheEntry) {
            kept.push(entry);
            return inner.put(key, entry);
          },
        });
        const clock = new FakeClock();
        const config = (cors: boolean) =>
          configOf({ cors: { s: { origins: ["https://app.test", "https://other.test"], credentials: true, exposedHeaders: ["X-Total"] } }, outputCache: { p: policy } }, { outputCachePolicy: "p", ...(cors ? { corsPolicy: "s" } : {}) });
        const { send, proxy, clients } = await edgeProxy(config(true), { outputCacheStore, clock }, { clock, script: corsOf((origin) => origin, [["Access-Control-Allow-Credentials", "true"], ["Access-Control-Expose-Headers", "X-Secret"]]) });
        const told = async (headers: Fields) => {
          const { response } = await send({ headers });
          return [...(response.head?.headers ?? [])].filter(([name]) => /^(access-control-|vary)/i.test(name)).map((field) => field.join(": "));
        };
        const of = (origin: string): string[] => [`Access-Control-Allow-Origin: ${origin}`, "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: X-Total", "Vary: Origin"];
        expect(await told(evil)).toEqual(["Vary: Origin"]);
        expect(await told(app)).toEqual(of("https://app.test"));
        expect(await told([["Origin", "https://other.test"]])).toEqual(of("https://other.test"));
        expect(await told([])).toEqual(["Vary: Origin"]);
        expect([clients.flatMap(({ calls }) => calls).length, kept.length]).toEqual([1, 1]);
        for (const [name] of kept[0]?.data.headers ?? []) expect(name).not.toMatch(/^access-control-/i);
        // Without the policy it is the destination's word again, and not for those who came before.
        await proxy.update(config(false));
        expect(await told(evil)).toContain("Access-Control-Allow-Origin: https://evil.test");
        expect(await told([])).toEqual(["Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: X-Secret"]);
      });
    });

    it("tags in conditions and ranges do not change what others get", async () => {
      const { outcome, status } = await after(policy, { headers: [["If-None-Match", "*"]] }, {}, (call) => call.respond(call.request.headers.has("if-none-match") ? 304 : 200, lasting, "x"));
      expect([outcome, status]).toEqual(["hit", 200]);
    });
  });
}

describe("one user with several tokens", () => {
  it("gets for each what that token allows: by what the destination is told, and by the token where it goes there", async () => {
    const policies = { authorization: { p: { forward: { headers: { "X-Tenant": "tenant" } } } }, outputCache: { c: { varyByUser: true } } };
    const { send, clients } = await edgeProxy(configOf(policies, { authorizationPolicy: "p", outputCachePolicy: "c" }), { schemes: [testScheme("a")] }, { script: counting() });
    const texts: string[] = [];
    for (const [who, token] of [["ann;tenant=x", "1"], ["ann;tenant=y", "1"], ["ann;tenant=x", "2"], ["ann;tenant=x", "1"], ["ann;tenant=y", "1"]] as const) {
      texts.push((await send({ headers: [["X-A", who], ["Authorization", `Bearer ${token}`]] })).response.text);
    }
    expect(texts).toEqual(["answer 1", "answer 2", "answer 3", "answer 1", "answer 2"]);
    expect(clients.flatMap(({ calls }) => calls).length).toBe(3);
  });
});
