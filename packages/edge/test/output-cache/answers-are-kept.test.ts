import { describe, expect, it } from "vitest";
import { insertBefore } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { settled } from "../../../pipeline/test/support/fake-clock.ts";
import { setUser } from "../../src/index.ts";
import { cachedProxy, counting, type Fields, type Policy } from "./cached-proxy.ts";

async function texts(policy: Policy, requests: readonly (readonly [target: string, headers?: Fields])[]): Promise<string[]> {
  const { get } = await cachedProxy(policy);
  const found: string[] = [];
  for (const [target, headers] of requests) found.push((await get(target, headers)).response.text);
  return found;
}

describe("an answer", () => {
  it("is given again for the duration, with its age, and asked for anew afterwards", async () => {
    const { get, clock, calls, outcomes } = await cachedProxy({ duration: 10_000 }, counting([["Content-Type", "text/plain"], ["Age", "7"]]));
    const first = await get("/a");
    expect([first.response.text, first.response.header("age")]).toEqual(["answer 1", "7"]);
    clock.set(9_999);
    const second = await get("/a");
    expect([second.response.text, second.response.header("age"), second.response.header("content-type"), second.response.header("content-length")]).toEqual(["answer 1", "9", "text/plain", "8"]);
    clock.set(10_000);
    expect((await get("/a")).response.text).toBe("answer 2");
    expect(calls.length).toBe(2);
    expect(outcomes).toEqual(["miss", "hit", "expired"]);
  });

  it("is kept for a minute unless the policy says otherwise, and by both names of the duration", async () => {
    for (const [policy, kept] of [[{}, 60_000], [{ expirationTimeSpan: 5000 }, 5000]] as const) {
      const { get, clock, calls } = await cachedProxy(policy);
      await get();
      clock.set(kept - 1);
      await get();
      expect(calls.length).toBe(1);
      clock.set(kept);
      await get();
      expect(calls.length).toBe(2);
    }
  });

  it("has the Date of when it came, also where the destination told none", async () => {
    const { get, clock } = await cachedProxy();
    await get();
    clock.set(30_000);
    expect((await get()).response.header("date")).toBe(new Date(clock.epoch).toUTCString());
  });

  it("is not kept by a policy that keeps nothing, and on routes that disable the base policy", async () => {
    const off = await cachedProxy({ noCache: true });
    await off.get();
    await off.get();
    expect([off.calls.length, off.outcomes]).toEqual([2, [undefined, undefined]]);
    const disabled = await cachedProxy({}, counting(), { route: { outputCachePolicy: "Disable" } });
    await disabled.get();
    await disabled.get();
    expect(disabled.calls.length).toBe(2);
  });
});

describe("what is kept", () => {
  const cases: readonly [title: string, status: number, headers: Fields, kept: boolean][] = [
    ["200", 200, [], true],
    ["404", 404, [], false],
    ["204", 204, [], false],
    ["301", 301, [["Location", "/b"]], false],
    ["400", 400, [], false],
    ["431", 431, [], false],
    ["500", 500, [], false],
    ["206", 206, [["Content-Range", "bytes 0-7/100"]], false],
    ["a 200 that says it is a part", 200, [["Content-Range", "bytes 0-7/100"]], false],
    ["with Set-Cookie", 200, [["Set-Cookie", "a=b"]], false],
    ["with Authentication-Info", 200, [["Authentication-Info", "nextnonce=1"]], false],
    ["with Clear-Site-Data", 200, [["Clear-Site-Data", "*"]], false],
    ["private", 200, [["Cache-Control", "Private"]], false],
    ["no-store", 200, [["Cache-Control", "max-age=5, No-Store"]], false],
    ["private for a field", 200, [["Cache-Control", 'private="x, y"']], false],
    ["no-cache", 200, [["Cache-Control", "no-cache"]], true],
    ["Vary: *", 200, [["Vary", "Accept, *"]], false],
    ["Vary by the address of the client", 200, [["Vary", "X-Forwarded-For"]], false],
    ["Vary by very much", 200, [["Vary", Array.from({ length: 17 }, (_, i) => `x-${i}`).join(",")]], false],
    ["an event stream", 200, [["Content-Type", "text/event-stream"]], false],
  ];
  for (const [title, status, headers, kept] of cases) {
    it(`is ${kept ? "" : "not "}an answer: ${title}`, async () => {
      const { get, calls, outcomes } = await cachedProxy({}, counting(headers, status));
      await get();
      const again = await get();
      expect([calls.length, outcomes[0], again.response.status]).toEqual([kept ? 1 : 2, kept ? "miss" : status < 500 ? "pass" : "miss", status]);
    });
  }

  it("is, where the policy says so, also what answers do not want to be kept", async () => {
    const { get, calls } = await cachedProxy({ ignoreAnswerCacheControl: true }, counting([["Cache-Control", "no-store"]]));
    await get();
    await get();
    expect(calls.length).toBe(1);
  });

  it("has no trailers, nor a body larger than the policy allows", async () => {
    const trailers = await cachedProxy({}, (call) => call.respond(200, [["Trailer", "X-Sum"]], "x", [["X-Sum", "1"]]));
    expect((await trailers.get()).response.trailers?.get("x-sum")).toBe("1");
    await trailers.get();
    expect(trailers.calls.length).toBe(2);
    for (const headers of [[], [["Content-Length", "100"]]] as const) {
      const large = await cachedProxy({ maximumBodySize: 99 }, (call) => call.respond(200, headers, "x".repeat(100)));
      expect((await large.get()).response.text.length).toBe(100);
      expect((await large.get()).response.text.length).toBe(100);
      expect(large.calls.length).toBe(2);
    }
    const fits = await cachedProxy({ maximumBodySize: 100 }, (call) => call.respond(200, [], "x".repeat(100)));
    await fits.get();
    await fits.get();
    expect(fits.calls.length).toBe(1);
  });
});

describe("requests that go by", () => {
  const cases: readonly [title: string, request: Parameters<Awaited<ReturnType<typeof cachedProxy>>["get"]>[2], headers?: Fields][] = [
    ["POST", { method: "POST" }],
    ["with Authorization", {}, [["Authorization", "Basic eDp5"]]],
    ["with a cookie", {}, [["Cookie", "session=1"]]],
    ["with a key by custom", {}, [["X-Api-Key", "secret"]]],
    ["with a token by custom", {}, [["x-auth-token", "secret"]]],
    ["conditions on changes", {}, [["If-Match", '"a"']]],
    ["a client certificate", { connection: { tls: { serverName: undefined, alpnProtocol: undefined, protocol: undefined, cipher: undefined, clientCertificate: Buffer.from("x"), clientCertificateAuthorized: true } } }],
    ["Connection that takes fields away", {}, [["Connection", "close, X-Tenant"]]],
  ];
  for (const [title, more, headers = []] of cases) {
    it(`are neither answered from here nor kept: ${title}`, async () => {
      const { get, calls, outcomes } = await cachedProxy();
      await get("/", headers, more);
      expect((await get()).response.text).toBe("answer 2");
      expect((await get("/", headers, more)).response.text).toBe("answer 3");
      expect([calls.length, outcomes]).toEqual([3, ["bypass", "miss", "bypass"]]);
    });
  }

  it("are not those with a key that the policy varies by", async () => {
    const { get } = await cachedProxy({ varyByHeader: ["X-Api-Key"] });
    const texts = [];
    for (const headers of [[["X-Api-Key", "a"]], [["X-Api-Key", "b"]], [], [["X-Api-Key", "a"]], []] as Fields[]) texts.push((await get("/", headers)).response.text);
    expect(texts).toEqual(["answer 1", "answer 2", "answer 3", "answer 1", "answer 3"]);
  });

  it("are those of users, unless the policy varies by them", async () => {
    const who: Parameters<typeof cachedProxy>[2] = {
      steps: {
        steps: (steps) => insertBefore(steps, "output-cache", { name: "who", run(ctx, next) {
          const user = ctx.exchange.request.headers.get("x-user");
          if (user !== undefined) setUser(ctx, user);
          return next(ctx);
        } }),
      },
    };
    const of = (user: string): Fields => [["X-User", user]];
    const plain = await cachedProxy({}, counting(), who);
    for (const headers of [of("ann"), of("ann"), []]) await plain.get("/", headers);
    expect(plain.calls.length).toBe(3);
    const each = await cachedProxy({ varyByUser: true }, counting(), who);
    const texts = [];
    for (const headers of [of("ann"), of("bob"), of("ann"), [], of("bob"), []]) texts.push((await each.get("/", headers)).response.text);
    expect(texts).toEqual(["answer 1", "answer 2", "answer 1", "answer 3", "answer 2", "answer 3"]);
    // What signed them in, a cookie or a token, is no ground to go by.
    for (const field of ["Cookie", "Authorization", "X-Api-Key"]) {
      const { get, calls } = await cachedProxy({ varyByUser: true }, counting(), who);
      for (const user of ["ann", "bob", "ann"]) await get("/", [...of(user), [field, user]]);
      await get("/", [[field, "ann"]]);
      expect(calls.length).toBe(3);
    }
  });
});

describe("cookies", () => {
  it("do not reach the destination where the policy removes them, and are disregarded where it says so", async () => {
    const removed = await cachedProxy({ cookies: "Remove" });
    await removed.get("/", [["Cookie", "a=b"]]);
    expect(removed.calls[0]?.request.headers.has("cookie")).toBe(false);
    await removed.get("/", [["Cookie", "c=d"]]);
    expect(removed.calls.length).toBe(1);
    const ignored = await cachedProxy({ cookies: "Ignore" });
    await ignored.get("/", [["Cookie", "a=b"]]);
    expect(ignored.calls[0]?.request.headers.get("cookie")).toBe("a=b");
    await ignored.get();
    expect(ignored.calls.length).toBe(1);
    const varied = await cachedProxy({ varyByHeader: ["Cookie"] });
    for (const value of ["a", "b", "a"]) await varied.get("/", [["Cookie", value]]);
    expect(varied.calls.length).toBe(2);
  });
});

describe("answers of their own", () => {
  it("have each path, query, host and scheme", async () => {
    expect(await texts({}, [["/a"], ["/b"], ["/a?x=1"], ["/a?x=2"], ["/a?x=1"], ["/A"], ["/a"]])).toEqual(["answer 1", "answer 2", "answer 3", "answer 4", "answer 3", "answer 5", "answer 1"]);
    const { get, calls } = await cachedProxy();
    for (const [authority, scheme] of [["a.test", "http"], ["a.test", "https"], ["b.test", "http"], ["a.test:8080", "http"]] as const) await get("/", [], { authority, scheme });
    expect(calls.length).toBe(4);
    for (const [authority, scheme] of [["A.TEST", "http"], ["a.test:80", "http"], ["a.test:443", "https"]] as const) await get("/", [], { authority, scheme });
    expect(calls.length).toBe(4);
  });

  it("have values of fields, parameters and the route that the policy varies by", async () => {
    expect(await texts({ varyByHeader: ["X-Tenant"] }, [["/"], ["/", [["x-tenant", "a"]]], ["/", [["X-Tenant", ""]]], ["/", [["X-Tenant", "a"]]], ["/"]])).toEqual(["answer 1", "answer 2", "answer 3", "answer 2", "answer 1"]);
    expect(await texts({ varyByQuery: ["page"] }, [["/?page=1"], ["/?page=2"], ["/?page=1&utm=x"], ["/?Page=1"], ["/"]])).toEqual(["answer 1", "answer 2", "answer 1", "answer 3", "answer 4"]);
    expect(await texts({ varyByQuery: [""] }, [["/?page=1"], ["/?page=2"], ["/"]])).toEqual(["answer 1", "answer 1", "answer 1"]);
    expect(await texts({ varyByQuery: ["page"] }, [["/"], ["/?utm=x"], ["/?page"]])).toEqual(["answer 1", "answer 1", "answer 2"]);
    const { get, calls } = await cachedProxy({ varyByHost: false });
    for (const authority of ["a.test", "b.test"]) await get("/", [], { authority });
    expect(calls.length).toBe(1);
    const routed = await cachedProxy({ varyByRouteValue: ["id"] }, counting(), { route: { match: { path: "/{id}/x" } } });
    for (const target of ["/1/x", "/2/x", "/1/x"]) await routed.get(target);
    expect(routed.calls.length).toBe(2);
  });

  it("have requests that the answer's Vary tells apart, codings as sets", async () => {
    const { get, calls } = await cachedProxy({}, (call) => call.respond(200, [["Vary", "Accept-Encoding"], ["Vary", "Accept-Language"]], `${call.request.headers.get("accept-encoding")} ${call.request.headers.get("accept-language")}`));
    const of = async (encoding: string, language: string): Promise<string> => (await get("/", [["Accept-Encoding", encoding], ["Accept-Language", language]])).response.text;
    expect(await of("gzip, br", "de")).toBe("gzip, br de");
    expect(await of("br;q=0.9,gzip;q=1.0, zstd;q=0", "de")).toBe("gzip, br de");
    expect(await of("gzip", "de")).toBe("gzip de");
    expect(await of("gzip", "fr")).toBe("gzip fr");
    expect(await of("gzip", "de")).toBe("gzip de");
    expect(calls.length).toBe(3);
  });

  it("have hosts, where the answer's Vary says so too", async () => {
    const { get, calls } = await cachedProxy({}, counting([["Vary", "Host"]]));
    for (const authority of ["a.test", "b.test", "a.test"]) await get("/", [], { authority });
    expect(calls.length).toBe(2);
  });

  it("have codings also where the destination forgets Vary", async () => {
    const { get, calls } = await cachedProxy({}, (call) => call.respond(200, call.request.headers.get("accept-encoding") === "gzip" ? [["Content-Encoding", "gzip"]] : [], "x"));
    await get("/", [["Accept-Encoding", "gzip"]]);
    expect((await get("/")).response.header("content-encoding")).toBeUndefined();
    await get("/", [["Accept-Encoding", "gzip"]]);
    expect(calls.length).toBe(2);
  });

  it("are bounded for each address, the oldest go", async () => {
    const { get, calls } = await cachedProxy({ maxVariants: 2 }, counting([["Vary", "X-V"]]));
    for (const value of ["1", "2", "3", "3", "2"]) await get("/", [["X-V", value]]);
    expect(calls.length).toBe(3);
    await get("/", [["X-V", "1"]]);
    expect(calls.length).toBe(4);
  });

  it("have routes of their own", async () => {
    const clusters = { a: { destinations: { d: { address: "http://a.test/" } } }, b: { destinations: { d: { address: "http://b.test/" } } } };
    const { proxy, send, clients } = await cachedProxy();
    const match = { path: "/{**rest}" };
    await proxy.update({
      routes: {
        a: { clusterId: "a", match: { ...match, headers: [{ name: "X-A", values: ["1"] }] }, outputCachePolicy: "p", order: 1 },
        b: { clusterId: "b", match, outputCachePolicy: "p", order: 2 },
      },
      clusters,
      policies: { outputCache: { p: {} } },
    });
    for (const headers of [[["X-A", "1"]], [], [["X-A", "1"]], []] as Fields[]) await send({ headers });
    expect(clients.map(({ calls }) => calls.length)).toEqual(clients.map(({ calls }) => calls.length));
    expect(clients.flatMap(({ calls }) => calls.map(({ origin }) => origin.host))).toEqual(["a.test", "b.test"]);
  });
});

describe("what a client asks of an answer that is kept", () => {
  const tagged: Fields = [["ETag", '"v1"'], ["Last-Modified", "Mon, 01 Dec 2025 10:00:00 GMT"], ["Content-Type", "text/plain"], ["X-Other", "1"]];
  async function kept() {
    const found = await cachedProxy({}, (call) => call.respond(200, tagged, "0123456789"));
    await found.get();
    return found;
  }

  it("is 304 where it has it already, by tag before date", async () => {
    const { get, calls } = await kept();
    const cases: readonly [Fields, number][] = [
      [[["If-None-Match", '"v1"']], 304],
      [[["If-None-Match", 'W/"v1"']], 304],
      [[["If-None-Match", '"x", W/"v1"']], 304],
      [[["If-None-Match", '"x"'], ["If-None-Match", '"v1"']], 304],
      [[["If-None-Match", "*"]], 304],
      [[["If-None-Match", '"v2"']], 200],
      [[["If-None-Match", "v1"]], 200],
      [[["If-None-Match", '"v2"'], ["If-Modified-Since", "Mon, 01 Dec 2025 10:00:00 GMT"]], 200],
      [[["If-Modified-Since", "Mon, 01 Dec 2025 10:00:00 GMT"]], 304],
      [[["If-Modified-Since", "Mon, 01 Dec 2025 10:00:01 GMT"]], 304],
      [[["If-Modified-Since", "Mon, 01 Dec 2025 09:59:59 GMT"]], 200],
      [[["If-Modified-Since", "Mon Dec  1 10:00:00 2025"]], 304],
      [[["If-Modified-Since", "yesterday"]], 200],
    ];
    for (const [headers, status] of cases) {
      const { response } = await get("/", headers);
      expect([JSON.stringify(headers), response.status]).toEqual([JSON.stringify(headers), status]);
      if (status !== 304) continue;
      expect([response.text, response.header("etag"), response.header("content-type"), response.header("content-length"), response.header("x-other"), response.header("age")]).toEqual(["", '"v1"', undefined, undefined, "1", "0"]);
    }
    expect(calls.length).toBe(1);
  });

  it("is a range, whole where there are several or the condition does not hold", async () => {
    const { get, calls } = await kept();
    const cases: readonly [Fields, number, string, string | undefined][] = [
      [[["Range", "bytes=0-3"]], 206, "0123", "bytes 0-3/10"],
      [[["Range", "bytes=8-"]], 206, "89", "bytes 8-9/10"],
      [[["Range", "bytes=-3"]], 206, "789", "bytes 7-9/10"],
      [[["Range", "bytes=5-99"]], 206, "56789", "bytes 5-9/10"],
      [[["Range", "bytes=10-"]], 416, "", "bytes */10"],
      [[["Range", "bytes=-0"]], 416, "", "bytes */10"],
      [[["Range", "bytes=3-2"]], 200, "0123456789", undefined],
      [[["Range", "bytes=0-1,3-4"]], 200, "0123456789", undefined],
      [[["Range", "lines=0-1"]], 200, "0123456789", undefined],
      [[["Range", "bytes=0-1"], ["Range", "bytes=2-3"]], 200, "0123456789", undefined],
      [[["Range", "bytes=0-0"], ["If-Range", '"v1"']], 206, "0", "bytes 0-0/10"],
      [[["Range", "bytes=0-0"], ["If-Range", 'W/"v1"']], 200, "0123456789", undefined],
      [[["Range", "bytes=0-0"], ["If-Range", '"v2"']], 200, "0123456789", undefined],
      [[["Range", "bytes=0-0"], ["If-Range", "Mon, 01 Dec 2025 10:00:00 GMT"]], 206, "0", "bytes 0-0/10"],
      [[["Range", "bytes=0-0"], ["If-None-Match", '"v1"']], 304, "", undefined],
    ];
    for (const [headers, status, text, range] of cases) {
      const { response } = await get("/", headers);
      expect([JSON.stringify(headers), response.status, response.text, response.header("content-range")]).toEqual([JSON.stringify(headers), status, text, range]);
    }
    expect(calls.length).toBe(1);
  });

  it("is its head", async () => {
    const { get, calls } = await kept();
    const { response } = await get("/", [], { method: "HEAD" });
    expect([response.status, response.text, response.header("content-length"), calls.length]).toEqual([200, "", "10", 1]);
    expect((await get("/", [["Range", "bytes=0-1"]], { method: "HEAD" })).response.status).toBe(200);
  });

  it("is 304 at once where the answer, new here, is what it has; the answer is kept", async () => {
    const { get, calls } = await cachedProxy({}, (call) => call.respond(200, tagged, "0123456789"));
    const first = await get("/", [["If-None-Match", '"v1"']]);
    expect([first.response.status, first.response.text, calls[0]?.request.headers.has("if-none-match")]).toEqual([304, "", false]);
    expect([(await get()).response.text, calls.length]).toEqual(["0123456789", 1]);
  });

  it("is asked of the destination, and not kept, where there is nothing whole", async () => {
    const { get, calls } = await cachedProxy({}, (call) => {
      if (call.request.headers.has("range")) call.respond(206, [["Content-Range", "bytes 0-1/10"]], "01");
      else call.respond(200, [], "0123456789");
    });
    expect((await get("/", [["Range", "bytes=0-1"]])).response.status).toBe(206);
    await get("/", [], { method: "HEAD" });
    expect((await get()).response.text).toBe("0123456789");
    expect(calls.length).toBe(3);
  });

  it("is what is kept or nothing", async () => {
    const { get, calls, outcomes } = await cachedProxy();
    expect((await get("/", [["Cache-Control", "only-if-cached"]])).response.status).toBe(504);
    await get();
    expect((await get("/", [["Cache-Control", "Only-If-Cached"]])).response.text).toBe("answer 1");
    expect([calls.length, outcomes]).toEqual([1, ["absent", "miss", "hit"]]);
  });

  it("is not that everybody else's answer is made anew", async () => {
    const { get, calls } = await cachedProxy();
    await get();
    await get("/", [["Cache-Control", "no-cache"], ["Pragma", "no-cache"]]);
    expect(calls.length).toBe(1);
  });

  it("is asked whether it holds when its time is over", async () => {
    const { get, clock, calls, outcomes } = await cachedProxy({}, (call) => {
      if (call.request.headers.get("if-none-match") === '"v1"') call.respond(304, [["ETag", '"v1"'], ["X-Other", "2"]]);
      else call.respond(200, tagged, "0123456789");
    });
    await get();
    clock.set(60_000);
    const again = await get();
    expect([again.response.status, again.response.text, again.response.header("x-other"), again.response.header("age")]).toEqual([200, "0123456789", "2", "0"]);
    clock.set(119_999);
    expect((await get("/", [["If-None-Match", '"v1"']])).response.status).toBe(304);
    expect([calls.length, outcomes]).toEqual([2, ["miss", "revalidated", "hit"]]);
  });
});

describe("eviction", () => {
  it("by tag takes the answers of policies that have it, those under way too", async () => {
    const { get, begin, edge, calls } = await cachedProxy({ tags: ["news", "all"] }, "by hand");
    const first = begin("/a");
    await settled();
    calls[0]?.respond(200, [], "old");
    await settled();
    expect(first.response.text).toBe("old");
    const second = begin("/b");
    await settled();
    expect(await edge.outputCache.evictByTag("news")).toBe(1);
    expect(await edge.outputCache.evictByTag("other")).toBe(0);
    calls[1]?.respond(200, [], "old");
    await settled();
    expect(second.response.text).toBe("old");
    for (const target of ["/a", "/b"]) begin(target);
    await settled();
    expect(calls.length).toBe(4);
    calls[2]?.respond(200, [], "new");
    await settled();
    expect((await get("/a")).response.text).toBe("new");
    await edge.outputCache.clear();
    begin("/a");
    await settled();
    expect(calls.length).toBe(5);
  });
});

describe("a reload", () => {
  it("leaves what is kept where the policy stays as it is", async () => {
    const { get, proxy, calls } = await cachedProxy();
    await get();
    const config = (policy: Policy) => ({
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, outputCachePolicy: "P", order: 3 } },
      clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
      policies: { outputCache: { p: policy } },
    });
    await proxy.update(config({}));
    await get();
    expect(calls.length).toBe(1);
    await proxy.update(config({ duration: 1000 }));
    await get();
    expect(calls.length).toBe(2);
  });
});

describe("Cache-Status", () => {
  it("is told where the policy says so", async () => {
    const { get, clock } = await cachedProxy({ sendCacheStatus: true, duration: 30_000 });
    const status = async (more?: Parameters<typeof get>[2]) => (await get("/", [], more)).response.header("cache-status");
    expect(await status()).toBe("edge; fwd=miss; stored");
    clock.set(1500);
    expect(await status()).toBe("edge; hit; ttl=28");
    expect(await status({ method: "POST" })).toBe("edge; fwd=bypass");
  });
});

describe("the base policy", () => {
  it("holds for routes that name none, and gives way to their own and to `Disable`", async () => {
    const { proxy, send, clients } = await cachedProxy();
    const route = (id: string, outputCachePolicy?: string) => ({ [id]: { clusterId: "c", match: { path: `/${id}` }, outputCachePolicy } });
    await proxy.update({
      routes: { ...route("base"), ...route("named", "own"), ...route("off", "disable") },
      clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
      policies: { outputCache: { Default: {}, own: { noCache: true } } },
    });
    for (const target of ["/base", "/named", "/off", "/base", "/named", "/off"]) await send({ target });
    expect(clients.flatMap(({ calls }) => calls.map(({ request }) => request.target))).toEqual(["/base", "/named", "/off", "/named", "/off"]);
  });
});
