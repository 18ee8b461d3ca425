/** What clients are still being sent counts, also when it was pushed out of the cache: the limit is one of memory. */
import { describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
// @boundaries-ignore as above
import { settled } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore as above
import { FakeExchange, type FakeRequest } from "../../../pipeline/test/support/fake-exchange.ts";
import { memoryOutputCacheStore, type OutputCacheStore } from "../../src/index.ts";
import { cachedProxy, type Fields, type Policy } from "./cached-proxy.ts";

/** A client that has taken nothing yet of what it was sent. */
class SlowExchange extends FakeExchange {
  readonly #listeners: (() => void)[] = [];

  constructor(request: FakeRequest = {}) {
    super(request);
    const write = this.response.write.bind(this.response);
    this.response.write = (chunk) => {
      write(chunk);
      return false;
    };
    Object.defineProperty(this.response, "pending", { get: () => (this.response.started ? 1 : 0) });
  }

  override onComplete(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** It has all of it, or is gone. */
  finish(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }
}

const size = 20_000;
const body = "x".repeat(size);

function answering(headers: Fields = [["Content-Length", String(size)], ["ETag", '"v1"']]): (call: FakeCall) => void {
  return (call) => {
    if (call.request.target.startsWith("/small")) call.respond(200, [], "small");
    else call.respond(200, headers, body);
  };
}

/** A cache with room for four bodies, and as many under way. */
async function cached(policy: Policy = {}, script = answering(), store?: OutputCacheStore) {
  const made = await cachedProxy({ sizeLimit: 4.5 * size, ...policy }, script, store === undefined ? {} : { edge: { outputCacheStore: () => store } });
  return {
    ...made,
    async slow(target: string, headers: Fields = [], method = "GET"): Promise<SlowExchange> {
      const exchange = new SlowExchange({ target, headers, method });
      await made.proxy.handle(exchange);
      return exchange;
    },
    /** Whether an answer to a new address is kept. */
    async keeps(target: string): Promise<boolean> {
      await made.get(target);
      await made.get(target);
      return made.outcomes.at(-1) === "hit";
    },
  };
}

describe("what clients are being sent", () => {
  it("keeps others from being kept, beyond the limit, until they have it", async () => {
    const { slow, keeps } = await cached();
    const clients: SlowExchange[] = [];
    for (let i = 0; i < 4; i++) clients.push(await slow(`/${i}`));
    expect([await keeps("/new"), await keeps("/small")]).toEqual([false, true]);
    clients[0]?.finish();
    expect(await keeps("/new")).toBe(true);
  });

  it("counts once, whatever the number of clients, whether they came first or found it", async () => {
    const { slow, keeps } = await cached();
    const clients: SlowExchange[] = [];
    for (let i = 0; i < 20; i++) clients.push(await slow("/one"));
    expect([await keeps("/a"), await keeps("/b"), await keeps("/c")]).toEqual([true, true, true]);
    for (const client of clients.slice(1)) client.finish();
    for (let i = 0; i < 3; i++) await slow(`/${i}`);
    expect(await keeps("/new")).toBe(false);
    clients[0]?.finish();
    expect(await keeps("/new")).toBe(true);
  });

  it("counts as a whole where a part of it is sent, and not where its head or a 304 is", async () => {
    const { slow, keeps, get } = await cached();
    for (let i = 0; i < 4; i++) await get(`/${i}`);
    for (let i = 0; i < 4; i++) await slow(`/${i}`, [], "HEAD");
    for (let i = 0; i < 4; i++) expect((await slow(`/${i}`, [["If-None-Match", '"v1"']])).response.status).toBe(304);
    for (let i = 0; i < 3; i++) expect((await slow(`/${i}`, [["Range", "bytes=0-9"]])).response.status).toBe(206);
    expect(await keeps("/one")).toBe(true);
    await get("/3");
    await slow("/3", [["Range", "bytes=0-9"]]);
    expect(await keeps("/two")).toBe(false);
  });

  it("goes on to be given from what is kept", async () => {
    const { slow, get, outcomes } = await cached();
    for (let i = 0; i < 4; i++) await slow(`/${i}`);
    expect([(await get("/0")).response.text.length, outcomes.at(-1)]).toEqual([size, "hit"]);
  });

  it("counts in pieces too, where the answer does not say how long it is", async () => {
    const { slow, keeps } = await cached({}, answering([]));
    const clients: SlowExchange[] = [];
    for (let i = 0; i < 4; i++) clients.push(await slow(`/${i}`));
    expect(await keeps("/new")).toBe(false);
    for (const client of clients) client.finish();
    expect(await keeps("/new")).toBe(true);
  });

  it("counts as well when it turned out to be too much to be kept, or was evicted on its way", async () => {
    const { keeps, calls, proxy, edge } = await cached({ maximumBodySize: 30_000 }, (call) => {
      if (!call.request.target.startsWith("/by-hand")) answering([])(call);
    });
    const begin = (target: string): SlowExchange => {
      const exchange = new SlowExchange({ target });
      void proxy.handle(exchange);
      return exchange;
    };
    const clients = ["/by-hand-1", "/by-hand-2", "/by-hand-3", "/by-hand-4"].map(begin);
    await settled();
    const own = calls.slice(-4);
    expect(own.length).toBe(4);
    for (const call of own) call.begin(200, [], body);
    // Two are longer than what is kept, two are evicted.
    for (const call of own.slice(0, 2)) call.more(body);
    await edge.outputCache.clear();
    for (const call of own) call.finish();
    expect(await keeps("/new")).toBe(false);
    for (const client of clients) client.finish();
    expect(await keeps("/new")).toBe(true);
  });

  it("of a store elsewhere is asked for at the destination, beyond the limit", async () => {
    const inner = memoryOutputCacheStore({ sizeLimit: 10_000_000, maxVariants: 8 });
    const store: OutputCacheStore = {
      get: async (key) => {
        await Promise.resolve();
        return inner.get(key);
      },
      put: (key, entry) => inner.put(key, entry),
      remove: (key) => inner.remove(key),
      evictByTag: (tag) => inner.evictByTag(tag),
      clear: () => inner.clear(),
    };
    const { slow, get, outcomes } = await cached({}, answering(), store);
    for (let i = 0; i < 5; i++) await get(`/${i}`);
    const clients: SlowExchange[] = [];
    for (let i = 0; i < 4; i++) clients.push(await slow(`/${i}`));
    expect(outcomes.slice(-4)).toEqual(["hit", "hit", "hit", "hit"]);
    expect([(await get("/4")).response.text.length, outcomes.at(-1)]).toEqual([size, "miss"]);
    for (const client of clients) client.finish();
    await get("/4");
    expect(outcomes.at(-1)).toBe("hit");
  });
});
