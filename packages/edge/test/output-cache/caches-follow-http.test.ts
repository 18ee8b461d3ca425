/** Mode `Http`: a shared cache by RFC 9111, with RFC 5861. */
import { describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import { settled } from "../../../pipeline/test/support/fake-clock.ts";
import { cachedProxy, counting, type Fields, type Policy } from "./cached-proxy.ts";

const http = (more: Policy = {}): Policy => ({ mode: "Http", ...more });
const control = (value: string): Fields => [["Cache-Control", value]];
const date = (clock: { date(): number }, offset = 0): string => new Date(clock.date() + offset).toUTCString();

describe("how long an answer is fresh", () => {
  const cases: readonly [title: string, headers: Fields, seconds: number][] = [
    ["max-age", control("max-age=10"), 10],
    ["s-maxage before max-age", control("max-age=100, s-maxage=10"), 10],
    ["any case and blanks", control("  Max-Age=10 ,Public"), 10],
    ["a quoted number", control('max-age="10"'), 10],
    ["the least of two", [["Cache-Control", "max-age=20"], ["Cache-Control", "max-age=10"]], 10],
    ["a number that is none", control("max-age=ten"), 0],
    ["a negative number", control("max-age=-5"), 0],
    ["the age that it had", [...control("max-age=10"), ["Age", "4"]], 6],
    ["the first of several ages", [...control("max-age=10"), ["Age", "4, 0"]], 6],
    ["an Age that is none", [...control("max-age=10"), ["Age", "-4"]], 10],
    ["the age that its Date tells", [...control("max-age=10"), ["Date", new Date(Date.UTC(2026, 0, 1) - 7000).toUTCString()]], 3],
    ["Expires", [["Expires", new Date(Date.UTC(2026, 0, 1) + 10_000).toUTCString()]], 10],
    ["Expires that is no date", [["Expires", "9999"]], 0],
    ["Expires of the past, however it is written", [["Expires", "0"]], 0],
    ["max-age before Expires", [...control("max-age=10"), ["Expires", "0"]], 10],
    ["nothing said", [["Last-Modified", "Mon, 01 Dec 2025 10:00:00 GMT"]], 0],
    ["public alone", control("public"), 0],
    ["no-cache", control("no-cache, max-age=10"), 0],
    ["no-cache for a field", control('no-cache="set-cookie, x", max-age=10'), 0],
    ["must-revalidate", control("must-revalidate, max-age=10"), 10],
    ["proxy-revalidate", control("proxy-revalidate, max-age=10"), 10],
    ["no-store", control("no-store, max-age=10"), 0],
    ["private", control("PRIVATE, max-age=10"), 0],
    ["private for a field", control('private="x, y", max-age=10'), 0],
    ["a comma in quotes", control('ext="a, no-store, b", max-age=10'), 10],
    ["Set-Cookie, though public", [...control("public, max-age=10"), ["Set-Cookie", "a=b"]], 0],
  ];
  for (const [title, headers, seconds] of cases) {
    it(`is told by ${title}`, async () => {
      const { get, clock, calls } = await cachedProxy(http(), counting(headers));
      await get();
      if (seconds > 0) {
        clock.set(seconds * 1000 - 1);
        await get();
        expect(calls.length).toBe(1);
      }
      clock.set(seconds * 1000);
      await get();
      expect(calls.length).toBe(2);
    });
  }

  const statuses: readonly [status: number, kept: boolean][] = [
    [200, true], [203, true], [204, true], [300, true], [301, true], [302, true], [307, true], [308, true], [404, true], [410, true],
    [400, false], [401, false], [403, false], [405, false], [414, false], [429, false], [431, false], [500, false], [501, false], [503, false],
  ];
  for (const [status, kept] of statuses) {
    it(`${kept ? "holds" : "does not hold"} for ${status}`, async () => {
      const { get, calls } = await cachedProxy(http(), (call) => call.respond(status, control("max-age=10"), status === 204 ? "" : "x"));
      await get();
      expect([(await get()).response.status, calls.length]).toEqual([status, kept ? 1 : 2]);
    });
  }

  it("is nothing for statuses of requests that nobody says how long they hold", async () => {
    const { get, calls } = await cachedProxy(http(), counting([], 404));
    await get();
    await get();
    expect(calls.length).toBe(2);
  });
});

describe("requests with Authorization", () => {
  for (const [directives, kept] of [["max-age=10", false], ["public, max-age=10", true], ["s-maxage=10", true], ["must-revalidate, max-age=10", true]] as const) {
    it(`have answers that are ${kept ? "" : "not "}kept with ${directives}`, async () => {
      const { get, calls } = await cachedProxy(http(), counting(control(directives)));
      await get("/", [["Authorization", "Bearer x"]]);
      await get("/", [["X-Api-Key", "x"]]);
      await get();
      expect(calls.length).toBe(kept ? 1 : 3);
    });
  }
});

describe("requests with cookies", () => {
  it("have answers that are kept only where they say how long they hold", async () => {
    for (const [headers, count] of [[control("max-age=10"), 1], [[["ETag", '"a"']] as Fields, 2]] as const) {
      const { get, calls } = await cachedProxy(http(), counting(headers));
      await get("/", [["Cookie", "a=b"]]);
      await get();
      expect([calls.length, calls[1]?.request.headers.has("if-none-match") ?? false]).toEqual([count, false]);
    }
  });
});

describe("Cache-Control of requests", () => {
  const cases: readonly [value: string, at: number, asks: boolean][] = [
    ["no-cache", 0, true],
    ["max-age=5", 5000, false],
    ["max-age=5", 5001, true],
    ["max-age=0", 1, true],
    ["min-fresh=5", 5000, false],
    ["min-fresh=5", 5001, true],
    ["max-stale=5", 15_000, false],
    ["max-stale=5", 15_001, true],
    ["max-stale", 1_000_000, false],
    ["max-age=100", 10_000, true],
    ["no-transform", 0, false],
  ];
  for (const [value, at, expected] of cases) {
    it(`${value}, ${at} ms after an answer for 10 s, ${expected ? "asks the destination" : "does not"}`, async () => {
      const { get, clock, calls } = await cachedProxy(http(), counting(control("max-age=10")));
      await get();
      clock.set(at);
      await get("/", control(value));
      expect(calls.length).toBe(expected ? 2 : 1);
    });
  }

  it("is what Pragma says where there is none", async () => {
    const { get, calls } = await cachedProxy(http(), counting(control("max-age=10")));
    await get();
    await get("/", [["Pragma", "no-cache"], ...control("max-age=5")]);
    expect(calls.length).toBe(1);
    await get("/", [["Pragma", "no-cache"]]);
    expect(calls.length).toBe(2);
  });

  it("no-store keeps nothing", async () => {
    const { get, calls } = await cachedProxy(http(), counting(control("max-age=10")));
    await get("/", control("no-store"));
    await get();
    expect(calls.length).toBe(2);
  });

  it("max-stale does not help where the answer forbids it", async () => {
    for (const directive of ["must-revalidate", "proxy-revalidate", "s-maxage=10"]) {
      const { get, clock, calls } = await cachedProxy(http(), counting(control(`${directive}, max-age=10`)));
      await get();
      clock.set(10_000);
      await get("/", control("max-stale=100"));
      expect(calls.length).toBe(2);
    }
  });

  it("only-if-cached is 504 where the destination would have to be asked", async () => {
    const { get, clock } = await cachedProxy(http(), counting(control("max-age=10")));
    expect((await get("/", control("only-if-cached"))).response.status).toBe(504);
    await get();
    expect((await get("/", control("only-if-cached"))).response.status).toBe(200);
    clock.set(10_000);
    expect((await get("/", control("only-if-cached"))).response.status).toBe(504);
  });

  it("is disregarded where the policy says so", async () => {
    const { get, calls } = await cachedProxy(http({ ignoreRequestCacheControl: true }), counting(control("max-age=10")));
    await get("/", control("no-store"));
    for (const value of ["no-cache", "max-age=0", "min-fresh=100", "no-store"]) await get("/", [...control(value), ["Pragma", "no-cache"]]);
    expect(calls.length).toBe(1);
  });

  it("no-cache is not answered with what is kept where no destination answers", async () => {
    let count = 0;
    const { get } = await cachedProxy(http(), (call) => (++count === 1 ? call.respond(200, control("max-age=10"), "old") : call.fail()));
    await get();
    expect((await get("/", control("no-cache"))).response.status).toBe(502);
    expect((await get()).response.text).toBe("old");
  });

  it("of a client that wants an answer of its own does not have others wait", async () => {
    const { begin, calls, get } = await cachedProxy(http(), "by hand");
    begin();
    await settled();
    calls[0]?.respond(200, control("max-age=10"), "one");
    await settled();
    begin("/", control("no-cache"));
    begin("/", control("no-cache"));
    await settled();
    expect(calls.length).toBe(3);
    expect((await get()).response.text).toBe("one");
  });
});

describe("what is stale", () => {
  it("is asked for with its validators, and given again when it still holds", async () => {
    const { get, clock, calls, outcomes } = await cachedProxy(http(), (call) => {
      if (call.request.headers.has("if-none-match")) call.respond(304, [...control("max-age=20"), ["X-New", "1"], ["Content-Length", "70"], ["Content-Type", "text/html"], ["Content-Encoding", "gzip"]]);
      else call.respond(200, [...control("max-age=10"), ["ETag", '"v1"'], ["Last-Modified", "Mon, 01 Dec 2025 10:00:00 GMT"], ["Content-Type", "text/plain"]], "content");
    });
    await get();
    clock.set(10_000);
    const second = await get("/", [["If-None-Match", '"other"'], ["If-Modified-Since", "Mon, 01 Dec 2025 10:00:00 GMT"]]);
    expect(calls[1]?.request.headers.getAll("if-none-match")).toEqual(['"v1"']);
    expect(calls[1]?.request.headers.getAll("if-modified-since")).toEqual(["Mon, 01 Dec 2025 10:00:00 GMT"]);
    expect([second.response.status, second.response.text, second.response.header("content-type"), second.response.header("x-new"), second.response.header("cache-control"), second.response.header("content-length"), second.response.header("content-encoding")]).toEqual([200, "content", "text/html", "1", "max-age=20", "7", undefined]);
    clock.set(29_999);
    expect((await get()).response.text).toBe("content");
    expect(outcomes).toEqual(["miss", "revalidated", "hit"]);
  });

  it("gives way to what the destination has now", async () => {
    const { get, clock, calls, outcomes } = await cachedProxy(http(), counting([...control("max-age=10"), ["ETag", '"v1"']]));
    await get();
    clock.set(10_000);
    expect((await get()).response.text).toBe("answer 2");
    expect((await get()).response.text).toBe("answer 2");
    expect([calls.length, outcomes]).toEqual([2, ["miss", "expired", "hit"]]);
  });

  it("is gone once the destination's answer is not to be kept", async () => {
    let count = 0;
    const { get, clock, outcomes } = await cachedProxy(http(), (call) => call.respond(200, control(++count === 1 ? "max-age=10, stale-if-error=1000" : "private"), `${count}`));
    await get();
    clock.set(10_000);
    expect((await get()).response.text).toBe("2");
    expect((await get()).response.text).toBe("3");
    expect(outcomes).toEqual(["miss", "pass", "pass"]);
  });

  it("is made no newer where the destination says of something else that it has not changed", async () => {
    const { get, clock, calls, outcomes } = await cachedProxy(http(), (call) => {
      if (call.request.headers.has("if-none-match")) call.respond(304, [...control("max-age=10"), ["ETag", '"v2"'], ["X-New", "1"]]);
      else call.respond(200, [...control("max-age=10"), ["ETag", '"v1"']], "content");
    });
    await get();
    clock.set(10_000);
    for (let i = 0; i < 2; i++) {
      const { response } = await get();
      expect([response.text, response.header("etag"), response.header("x-new")]).toEqual(["content", '"v1"', undefined]);
    }
    expect([calls.length, outcomes]).toEqual([3, ["miss", "revalidated", "revalidated"]]);
  });

  it("is given while the destination is asked, once, where the answer allows that", async () => {
    const { begin, clock, calls, get, outcomes } = await cachedProxy(http(), "by hand");
    begin();
    await settled();
    calls[0]?.respond(200, [...control("max-age=10, stale-while-revalidate=5"), ["ETag", '"v1"']], "old");
    await settled();
    clock.set(12_000);
    expect((await get()).response.text).toBe("old");
    expect((await get("/", [["If-None-Match", '"v1"']])).response.status).toBe(304);
    await settled();
    expect([calls.length, calls[1]?.request.headers.get("if-none-match")]).toEqual([2, '"v1"']);
    calls[1]?.respond(200, control("max-age=10"), "new");
    await settled();
    expect((await get()).response.text).toBe("new");
    expect(outcomes).toEqual(["miss", "stale", "stale", "hit"]);
    clock.set(27_000);
    begin();
    await settled();
    expect(calls.length).toBe(3);
  });

  it("stays where asking in the background fails", async () => {
    const { begin, clock, calls, get } = await cachedProxy(http(), "by hand");
    begin();
    await settled();
    calls[0]?.respond(200, control("max-age=10, stale-while-revalidate=50"), "old");
    await settled();
    clock.set(12_000);
    await get();
    await settled();
    calls[1]?.fail();
    await settled();
    expect((await get()).response.text).toBe("old");
    await settled();
    expect(calls.length).toBe(3);
  });

  it("is given where no destination answers, where the answer allows that", async () => {
    for (const [fails, expected] of [
      [(call: Parameters<Exclude<Parameters<typeof cachedProxy>[1], string | undefined>>[0]) => call.fail(), 200],
      [(call: Parameters<Exclude<Parameters<typeof cachedProxy>[1], string | undefined>>[0]) => call.respond(503, [], "sorry"), 200],
      [(call: Parameters<Exclude<Parameters<typeof cachedProxy>[1], string | undefined>>[0]) => call.respond(404, [], "gone"), 404],
    ] as const) {
      let count = 0;
      const { get, clock, outcomes } = await cachedProxy(http(), (call) => (++count === 1 ? call.respond(200, control("max-age=10, stale-if-error=20"), "old") : fails(call)));
      await get();
      clock.set(29_999);
      const { response } = await get();
      expect([response.status, outcomes[1]]).toEqual([expected, expected === 200 ? "stale" : "pass"]);
      if (expected !== 200) continue;
      expect([response.text, response.header("age")]).toEqual(["old", "29"]);
      clock.set(30_000);
      expect((await get()).response.status).not.toBe(200);
    }
  });

  it("is not given after all where the answer must be revalidated", async () => {
    let count = 0;
    const { get, clock } = await cachedProxy(http(), (call) => (++count === 1 ? call.respond(200, control("max-age=10, must-revalidate, stale-if-error=20, stale-while-revalidate=20"), "old") : call.fail()));
    await get();
    clock.set(10_001);
    expect((await get()).response.status).toBe(502);
  });
});

describe("what changes something", () => {
  const cases: readonly [title: string, method: string, status: number, headers: Fields, gone: readonly string[]][] = [
    ["POST", "POST", 200, [], ["/a"]],
    ["a method that nobody knows", "FROB", 200, [], ["/a"]],
    ["PUT that redirects", "PUT", 303, [["Location", "/b?x=1"]], ["/a", "/b?x=1"]],
    ["POST with the place of what it made", "POST", 201, [["Content-Location", "http://GATEWAY.test:80/./b?x=1"]], ["/a", "/b?x=1"]],
    ["POST that names another host", "POST", 200, [["Location", "http://other.test/b?x=1"]], ["/a"]],
    ["POST that names another scheme", "POST", 200, [["Location", "https://gateway.test/b?x=1"]], ["/a"]],
    ["POST that names nothing", "POST", 200, [["Location", "http://[::1/"]], ["/a"]],
    ["POST that is refused", "POST", 403, [], []],
    ["OPTIONS", "OPTIONS", 200, [], []],
  ];
  for (const [title, method, status, headers, gone] of cases) {
    it(`takes away what was known of it: ${title}`, async () => {
      const { get, calls } = await cachedProxy(http(), (call) => (call.request.method === "GET" ? call.respond(200, control("max-age=10"), "x") : call.respond(status, headers)));
      for (const target of ["/a", "/b?x=1"]) await get(target);
      await get("/a", [], { method });
      const before = calls.length;
      for (const target of ["/a", "/b?x=1"]) await get(target);
      expect(calls.slice(before).map(({ request }) => request.target)).toEqual(gone);
    });
  }

  it("takes away what is on its way too", async () => {
    const { begin, calls } = await cachedProxy(http(), "by hand");
    begin();
    await settled();
    begin("/", [], { method: "DELETE" });
    await settled();
    calls[1]?.respond(204);
    await settled();
    calls[0]?.respond(200, control("max-age=10"), "as it was");
    begin();
    await settled();
    expect(calls.length).toBe(3);
  });
});

describe("a burst", () => {
  it("is not answered with what every one of them has to ask for", async () => {
    const { begin, calls } = await cachedProxy(http(), "by hand");
    const all = Array.from({ length: 3 }, () => begin());
    await settled();
    calls[0]?.respond(200, [...control("no-cache"), ["ETag", '"v1"']], "one");
    await settled();
    expect(calls.length).toBe(3);
    for (const call of calls.slice(1)) call.respond(200, control("no-cache"), "two");
    await settled();
    expect(all.map(({ response }) => response.text)).toEqual(["one", "two", "two"]);
  });

  it("of requests for what is stale asks once", async () => {
    const { begin, calls, clock, outcomes } = await cachedProxy(http(), "by hand");
    begin();
    await settled();
    calls[0]?.respond(200, [...control("max-age=10"), ["ETag", '"v1"'], ["Date", date(clock)]], "one");
    await settled();
    clock.set(20_000);
    const all = Array.from({ length: 3 }, () => begin());
    await settled();
    expect(calls.length).toBe(2);
    calls[1]?.respond(304, control("max-age=10"));
    await settled();
    expect(all.map(({ response }) => response.text)).toEqual(["one", "one", "one"]);
    expect(outcomes.toSorted()).toEqual(["collapsed", "collapsed", "miss", "revalidated"]);
  });
});
