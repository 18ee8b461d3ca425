import { describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock, settled } from "../../../pipeline/test/support/fake-clock.ts";
import { Flights } from "../../src/output-cache/flights.ts";
import { cachedProxy, counting, type Fields } from "./cached-proxy.ts";

describe("a burst of requests for what is not there", () => {
  it("asks the destination once", async () => {
    const { begin, calls, outcomes } = await cachedProxy({}, "by hand");
    const all = Array.from({ length: 20 }, () => begin());
    await settled();
    expect(calls.length).toBe(1);
    calls[0]?.respond(200, [], "one");
    await settled();
    expect(all.map(({ response }) => response.text)).toEqual(Array.from({ length: 20 }, () => "one"));
    expect(calls.length).toBe(1);
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => "collapsed"), "miss"]);
  });

  it("asks it for each of them where the policy does not have them wait", async () => {
    const { begin, calls } = await cachedProxy({ locking: false }, "by hand");
    for (let i = 0; i < 3; i++) begin();
    await settled();
    expect(calls.length).toBe(3);
  });

  it("goes on at once, all of them, where the answer is not kept, and does not wait the next time", async () => {
    const { begin, calls, clock } = await cachedProxy({}, "by hand");
    const all = Array.from({ length: 5 }, () => begin());
    await settled();
    calls[0]?.respond(200, [["Cache-Control", "private"]], "mine");
    await settled();
    expect(calls.length).toBe(5);
    for (const [index, call] of calls.slice(1).entries()) call.respond(200, [["Cache-Control", "private"]], `mine ${index}`);
    await settled();
    expect(all.map(({ response }) => response.text)).toEqual(["mine", "mine 0", "mine 1", "mine 2", "mine 3"]);
    for (let i = 0; i < 3; i++) begin();
    await settled();
    expect(calls.length).toBe(8);
    clock.set(20_000);
    for (let i = 0; i < 3; i++) begin();
    await settled();
    expect(calls.length).toBe(9);
  });

  it("waits again once an answer is kept", async () => {
    const { begin, calls, clock } = await cachedProxy({ duration: 1000 }, "by hand");
    begin();
    await settled();
    calls[0]?.respond(200, [["Cache-Control", "private"]]);
    await settled();
    begin();
    await settled();
    calls[1]?.respond(200, [], "kept");
    await settled();
    clock.set(1000);
    for (let i = 0; i < 3; i++) begin();
    await settled();
    expect(calls.length).toBe(3);
  });

  it("goes on where the first of them fails, or its client leaves and then the destination", async () => {
    for (const fail of ["refused", "cut"] as const) {
      const { begin, calls } = await cachedProxy({}, "by hand");
      const [first, second, third] = [begin(), begin(), begin()];
      await settled();
      if (fail === "cut") first?.leave();
      await settled();
      expect(calls[0]?.aborted).toBeUndefined();
      calls[0]?.fail();
      await settled();
      expect(calls.length).toBe(3);
      for (const call of calls.slice(1)) call.respond(200, [], "x");
      await settled();
      expect([second?.response.text, third?.response.text]).toEqual(["x", "x"]);
      expect(first?.response.status).toBe(fail === "cut" ? undefined : 502);
    }
  });

  it("waits for those only that the answer is for", async () => {
    const { begin, calls } = await cachedProxy({}, "by hand");
    const of = (language: string): Fields => [["Accept-Language", language]];
    const all = ["de", "de", "fr", "fr", "fr", "en"].map((language) => begin("/", of(language)));
    await settled();
    expect(calls.length).toBe(1);
    const answer = (index: number): void => calls[index]?.respond(200, [["Vary", "Accept-Language"]], calls[index].request.headers.get("accept-language"));
    answer(0);
    await settled();
    // One for each language that is left.
    expect(calls.map(({ request }) => request.headers.get("accept-language")).toSorted()).toEqual(["de", "en", "fr"]);
    answer(1);
    answer(2);
    await settled();
    expect(all.map(({ response }) => response.text)).toEqual(["de", "de", "fr", "fr", "fr", "en"]);
    expect(calls.length).toBe(3);
  });

  it("waits no longer, and no more of them, than the policy says", async () => {
    const { begin, calls, clock } = await cachedProxy({ lockTimeout: 3000, lockQueueLimit: 2 }, "by hand");
    const all = Array.from({ length: 4 }, () => begin());
    await settled();
    expect(calls.length).toBe(2);
    await clock.advance(2999);
    expect(calls.length).toBe(2);
    await clock.advance(1);
    expect(calls.length).toBe(4);
    for (const [index, call] of calls.entries()) call.respond(200, [], `${index}`);
    await settled();
    expect(all.every(({ response }) => response.status === 200)).toBe(true);
    expect(clock.pending.filter((delay) => delay <= 3000)).toEqual([]);
  });

  it("forgets those who leave", async () => {
    const { begin, calls, clock } = await cachedProxy({ lockTimeout: 3000 }, "by hand");
    const [first, second] = [begin(), begin()];
    await settled();
    second?.leave();
    await settled();
    expect(clock.pending.filter((delay) => delay <= 3000)).toEqual([]);
    calls[0]?.respond(200, [], "x");
    await settled();
    expect([first?.response.text, second?.response.started]).toEqual(["x", false]);
  });

  it("is answered when the proxy closes", async () => {
    const { begin, calls, proxy, clock } = await cachedProxy({}, "by hand");
    begin();
    begin();
    await settled();
    expect(calls.length).toBe(1);
    const closing = proxy.close();
    await settled();
    expect(clock.pending.filter((delay) => delay <= 5000)).toEqual([]);
    for (const call of calls) call.respond();
    await closing;
  });
});

describe("a client that leaves", () => {
  it("does not take the answer with it, whatever has come", async () => {
    const { begin, calls, get } = await cachedProxy({}, "by hand");
    begin().leave();
    await settled();
    expect(calls[0]?.aborted).toBeUndefined();
    calls[0]?.respond(200, [], "for others");
    await settled();
    expect((await get()).response.text).toBe("for others");
    expect(calls.length).toBe(1);
  });

  it("takes it where too many have left theirs: destinations do not work for a flood of those who ask and leave", async () => {
    const { begin, calls, proxy } = await cachedProxy({}, "by hand");
    for (let i = 0; i < 300; i++) begin(`/?${i}`).leave();
    await settled();
    const goOn = (): number => calls.filter(({ aborted }) => aborted === undefined).length;
    expect([calls.length, goOn()]).toEqual([300, 256]);
    // One who waits asks for itself then.
    const leader = begin("/awaited");
    const follower = begin("/awaited");
    leader.leave();
    await settled();
    expect([calls.length, goOn()]).toEqual([302, 257]);
    calls[301]?.respond(200, [], "for itself");
    await settled();
    expect(follower.response.text).toBe("for itself");
    // There is room again when answers have come.
    for (const call of calls.slice(0, 100)) call.respond(200, [], "late");
    begin("/later").leave();
    await settled();
    expect(calls[302]?.aborted).toBeUndefined();
    for (const call of calls) if (call.aborted === undefined) call.respond(200, [], "late");
    await settled();
    expect([...proxy.state.clusters.values()].map(({ inFlight }) => inFlight)).toEqual([0]);
  });

  it("takes it where the answer is for nobody else", async () => {
    const { begin, calls } = await cachedProxy({ maximumBodySize: 4 }, "by hand");
    for (const [index, [status, headers, body]] of ([[200, [["Set-Cookie", "a=b"]], "x"], [404, [], "x"], [200, [], "too long"]] as const).entries()) {
      const exchange = begin(`/${index}`);
      exchange.leave();
      await settled();
      calls[index]?.begin(status, headers, body);
      await settled();
      expect([index, calls[index]?.aborted === undefined]).toEqual([index, false]);
    }
  });
});

describe("a flood of addresses", () => {
  it("is not remembered, nor are long ones: the latest few thousand are, for a time", () => {
    const clock = new FakeClock();
    const flights = new Flights(clock);
    for (let i = 0; i < 5000; i++) flights.remember(`/?${i}`);
    const long = `/${"x".repeat(2000)}`;
    flights.remember(long);
    expect([flights.goesAlone("/?0"), flights.goesAlone("/?999"), flights.goesAlone("/?1000"), flights.goesAlone("/?4999"), flights.goesAlone(long)]).toEqual([false, false, true, true, false]);
    clock.set(10_000);
    expect(flights.goesAlone("/?4999")).toBe(false);
  });

  it("pushes out what is kept, and takes no more room than that had", async () => {
    const { get, outcomes, edge } = await cachedProxy({ sizeLimit: 50_000, tags: ["all"] }, counting());
    await get("/wanted");
    for (let i = 0; i < 1000; i++) await get(`/?${i}`);
    await get("/wanted");
    expect(outcomes.at(-1)).toBe("miss");
    // Each takes more than a kilobyte, whatever it holds.
    expect(await edge.outputCache.evictByTag("all")).toBeLessThan(50);
  });
});
