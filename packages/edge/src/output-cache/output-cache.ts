/**
 * The cache of one policy.
 *
 * 1. A look at the request: what no cache has to do with goes by (other methods, bodies, upgrades, conditions on changes, users, where the policy does not vary by them).
 * 2. One look-up. An answer that is there and fresh is given at once: no promise, its head made ready.
 * 3. Stale answers (mode `Http`): given while a destination is asked, where they allow it; otherwise the destination is asked whether they hold.
 * 4. Nothing there: the first of several requests for the same goes on, without the fields that no key holds, and its answer is kept on its way to the
 *    client. The others wait for it, bounded in number and time; where it is not for them they go on, each for itself.
 */
import type { Clock } from "@proxy/cluster";
import { routePolicies, type RouteConfig } from "@proxy/config";
import { HeaderList, type Exchange, type RequestHead } from "@proxy/http";
import { clientScheme, ProxyContext, type Next } from "@proxy/pipeline";
import { AnsweredExchange } from "../exchange/answered-exchange.ts";
import { changedRequest } from "../exchange/request-exchange.ts";
import type { CacheControl } from "./cache-control.ts";
import { largestText, type CacheEntry } from "./cache-entry.ts";
import { cacheKey, keyPart } from "./cache-key.ts";
import { partitionOf } from "./cache-partition.ts";
import { asks, lookAt, type CachePolicy } from "./cache-policy.ts";
import { BodiesBeingSent } from "./bodies-being-sent.ts";
import { Fill, type FillCache } from "./fill.ts";
import { fillingExchange } from "./filling-exchange.ts";
import { Flights, type Flight } from "./flights.ts";
import { giveEntry } from "./give-entry.ts";
import type { OutputCacheStore } from "./output-cache-store.ts";
import { ownText } from "./own-text.ts";
import { changedPlaces, isSafe } from "./invalidation.ts";
import { RefreshExchange } from "./refresh-exchange.ts";
import { withHeaders } from "./unkeyed-headers.ts";
import { controlOf, flightName, isFor, noControl, pick, useOf } from "./use-of-entry.ts";

/** What is known of a route whose answers are kept. */
export interface CachedRoute {
  /** Stands for it, and for what of it decides what may be kept. */
  readonly scope: string;
  /** Of `asks`. */
  readonly bits: number;
}

export function cachedRoute(config: RouteConfig): CachedRoute {
  const hasCors = routePolicies(config).cors !== undefined;
  return { scope: `${keyPart(config.routeId)}${hasCors ? "c" : ""}`, bits: hasCors ? asks.corsHere : 0 };
}

/** A request that may be answered from here. */
interface Looked {
  readonly ctx: ProxyContext;
  readonly next: Next;
  /** As a destination is to be told it, but for its fields. */
  readonly request: RequestHead;
  readonly key: string;
  readonly partition: string;
  readonly bits: number;
}

/** One that was not answered at once. */
interface Asked extends Looked {
  readonly control: CacheControl;
  /** How often it waited for others. */
  readonly waits: number;
}

const conditions: ReadonlySet<string> = new Set(["if-none-match", "if-modified-since", "if-range"]);
/** Then a request goes on by itself, whatever others are under way. */
const mostWaits = 2;
/** Answers that go on to come though their clients left: who asks and leaves at once, over and over, would have destinations do any amount of work at a time that no limit counts. */
const mostLeft = 256;

export class OutputCache implements FillCache {
  readonly policy: CachePolicy;
  readonly #store: OutputCacheStore;
  readonly #clock: Clock;
  readonly #flights: Flights;
  readonly #fills = new Set<Fill>();
  readonly #left = new Set<Fill>();
  /** Bytes of bodies on their way in. */
  #reserved = 0;
  /** On their way out. */
  readonly #sent = new BodiesBeingSent();

  constructor(policy: CachePolicy, store: OutputCacheStore, clock: Clock) {
    this.policy = policy;
    this.#store = store;
    this.#clock = clock;
    this.#flights = new Flights(clock);
  }

  /** Fills under way, for tests. */
  get filling(): number {
    return this.#fills.size + this.#flights.size;
  }

  /** Bytes under way in both directions, for tests. */
  get underWay(): number {
    return this.#reserved + this.#sent.bytes;
  }

  serve(ctx: ProxyContext, next: Next, { scope, bits: known }: CachedRoute): void | Promise<void> {
    const { policy } = this;
    const { exchange } = ctx;
    const looked = lookAt(exchange, policy);
    if (looked < 0) return this.#passBy(ctx, next);
    const bits = looked | known;
    const request = (bits & asks.scheme) === 0 ? exchange.request : byClientScheme(ctx);
    const key = cacheKey(request, policy.varyByHost, policy.selectQuery);
    const partition = key === undefined ? undefined : partitionOf(ctx, policy, scope, bits);
    if (key === undefined || partition === undefined) return this.#passBy(ctx, next);
    let found: ReturnType<OutputCacheStore["get"]>;
    try {
      found = this.#store.get(key);
    } catch {
      found = undefined;
    }
    if (found instanceof Promise) {
      return found.then(
        (later) => this.#decide({ ctx, next, request, key, partition, bits }, this.#affordable(later)),
        () => this.#decide({ ctx, next, request, key, partition, bits }, undefined),
      );
    }
    return this.#decide({ ctx, next, request, key, partition, bits }, found);
  }

  /** Forgets answers by tag, those under way included. */
  evictByTag(tag: string): number | Promise<number> {
    if (this.policy.tags.includes(tag)) for (const fill of this.#fills) fill.isDoomed = true;
    return this.#store.evictByTag(tag);
  }

  clear(): void | Promise<void> {
    for (const fill of this.#fills) fill.isDoomed = true;
    return this.#store.clear();
  }

  close(): void {
    this.#flights.close();
  }

  // What fills ask

  date(): number {
    return this.#clock.date();
  }

  /**
   * Beside what is kept, so much may be under way as is kept at most: `sizeLimit`. Bodies that are being sent count whether they are still kept or not, since any of them may be pushed out by
   * the next answer. Small ones are sent as text, which their clients hold in any case.
   */
  reserve(bytes: number, total: number): boolean {
    const sent = total > largestText ? this.#sent.bytes : 0;
    if (this.#reserved + sent + bytes > this.policy.sizeLimit) return false;
    this.#reserved += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#reserved -= bytes;
  }

  hasRoom(body: Buffer): boolean {
    return body.length <= largestText || this.underWay <= this.policy.sizeLimit;
  }

  mayGoOn(fill: Fill): boolean {
    if (this.#left.size >= mostLeft) return false;
    this.#left.add(fill);
    return true;
  }

  settled(fill: Fill): void {
    this.#fills.delete(fill);
    this.#left.delete(fill);
  }

  give(entry: CacheEntry, exchange: Exchange, bits: number, now: number): void {
    if (giveEntry(entry, exchange, bits, now)) this.#sent.note(entry.data.body, entry.data.body.length, exchange);
  }

  sends(body: object, bytes: number, exchange: Exchange): void {
    if (bytes > largestText) this.#sent.note(body, bytes, exchange);
  }

  keep(key: string, entry: CacheEntry): void {
    quietly(() => this.#store.put(ownText(key), entry));
  }

  forget(key: string): void {
    quietly(() => this.#store.remove(key));
  }

  // Requests

  /** What a store elsewhere gives is memory of its own each time: beyond the limit destinations are asked, whose answers need not be held. */
  #affordable(found: readonly CacheEntry[] | undefined): readonly CacheEntry[] | undefined {
    return found?.filter(({ data }) => data.body.length <= largestText || this.underWay + data.body.length <= this.policy.sizeLimit);
  }

  #decide(looked: Looked, found: readonly CacheEntry[] | undefined): void | Promise<void> {
    const { ctx, partition, bits } = looked;
    const { exchange } = ctx;
    const entry = found === undefined ? undefined : pick(found, partition, exchange.request.headers);
    const now = this.#clock.date();
    const says = (bits & (asks.cacheControl | asks.pragma)) !== 0;
    if (entry !== undefined && now < entry.data.freshUntil && (!says || this.policy.ignoresRequestControl)) {
      ctx.cache = "hit";
      this.give(entry, exchange, bits, now);
      return;
    }
    const control = says ? controlOf(exchange.request.headers) : noControl;
    return this.#use({ ...looked, control, waits: 0 }, entry, found);
  }

  #use(asked: Asked, entry: CacheEntry | undefined, found: readonly CacheEntry[] | undefined): void | Promise<void> {
    const { ctx, bits, control } = asked;
    const now = this.#clock.date();
    const keepsNothing = control.has("no-store") && !this.policy.ignoresRequestControl;
    const use = entry === undefined ? undefined : useOf(entry, control, now, this.policy.ignoresRequestControl);
    if (entry !== undefined && (use === "fresh" || use === "stale" || use === "refresh")) {
      ctx.cache = use === "fresh" ? (asked.waits > 0 ? "collapsed" : "hit") : "stale";
      // What is asked for on behalf of a request that wants nothing kept would not be kept.
      if (use === "refresh" && !keepsNothing) this.#refresh(asked, entry);
      this.give(entry, ctx.exchange, bits, now);
      return;
    }
    if (control.has("only-if-cached")) {
      ctx.cache = "absent";
      ctx.exchange.response.send({ status: 504, headers: HeaderList.from([["Content-Length", "0"]]) });
      return;
    }
    // What is answered to HEAD and Range is a part of what would be kept.
    const isPart = ctx.exchange.request.method === "HEAD" || (bits & asks.range) !== 0;
    if (isPart || keepsNothing) return this.#passBy(ctx, asked.next);
    const name = flightName(asked.key, asked.partition, asked.ctx.exchange.request.headers, entry ?? found?.find(({ data }) => data.partition === asked.partition));
    const goesAlone = !this.policy.locking || use === "client-validates" || asked.waits >= mostWaits || this.#flights.goesAlone(name);
    if (goesAlone) return this.#lead(asked, name, entry, undefined);
    const flight = this.#flights.find(name);
    if (flight === undefined) return this.#lead(asked, name, entry, this.#flights.begin(name));
    if (flight.waiting >= this.policy.lockQueueLimit) return this.#lead(asked, name, entry, undefined);
    return this.#follow(asked, flight, name);
  }

  /** Goes on to a destination, and keeps what it answers. */
  #lead({ ctx, next, request, key, partition, bits, control }: Asked, name: string, stale: CacheEntry | undefined, flight: Flight | undefined): void | Promise<void> {
    const { exchange } = ctx;
    // Without a validator there is nothing to ask for.
    const old = stale === undefined || (stale.etag === undefined && stale.lastModified === undefined && this.#clock.date() >= stale.data.staleIfErrorUntil) ? undefined : stale;
    const fill = new Fill(this, {
      ctx,
      exchange,
      key,
      partition,
      bits,
      by: { authorization: (bits & asks.authorization) !== 0, cookie: (bits & asks.cookie) !== 0 && this.policy.cookies !== "Remove", noStore: control.has("no-store") && !this.policy.ignoresRequestControl },
      stale: old,
      landed: (entry, remember) => {
        if (entry !== undefined) this.#flights.forget(name);
        else if (remember) this.#flights.remember(name);
        flight?.land(entry ?? "alone");
      },
    });
    this.#fills.add(fill);
    ctx.cache = stale === undefined ? "miss" : "expired";
    const filling = fillingExchange(exchange, withHeaders(request, this.#fieldsFor(request, bits, old)), fill);
    ctx.exchange = filling;
    const over = (): void => {
      // Nobody will answer any more.
      if (!filling.response.started) fill.abandoned();
    };
    let pending: void | Promise<void>;
    try {
      pending = next(ctx);
    } catch (error) {
      over();
      throw error;
    }
    if (pending === undefined) over();
    else pending.then(over, over);
    return pending;
  }

  /** The fields of the client's request, as the destination is to see them. */
  #fieldsFor({ headers }: RequestHead, bits: number, stale: CacheEntry | undefined): HeaderList {
    const { unkeyed, cookies } = this.policy;
    const fields = headers.copy();
    const drops = (bits & (asks.unkeyed | asks.notModified | asks.cookie)) !== 0;
    if (drops) fields.filter((key) => !unkeyed.has(key) && !conditions.has(key) && !(key === "cookie" && cookies === "Remove"));
    if (stale?.etag !== undefined) fields.append("If-None-Match", stale.etag);
    if (stale?.lastModified !== undefined) fields.append("If-Modified-Since", stale.lastModified);
    return fields;
  }

  async #follow(asked: Asked, flight: Flight, name: string): Promise<void> {
    const { ctx, bits } = asked;
    const { exchange } = ctx;
    const landing = await flight.wait(this.#clock, this.policy.lockTimeout, (listener) => exchange.onComplete(listener));
    if (landing === "over" || exchange.response.started || exchange.response.ended) return;
    if (landing !== "alone" && isFor(landing, asked.partition, exchange.request.headers)) {
      const now = this.#clock.date();
      ctx.cache = now < landing.data.freshUntil ? "collapsed" : "stale";
      this.give(landing, exchange, bits, now);
      return;
    }
    if (landing === "alone") {
      await this.#lead(asked, name, undefined, undefined);
      return;
    }
    // It was for others: the answer tells now what it varies by, and with whom to wait.
    const again = { ...asked, waits: asked.waits + 1 };
    const found = await this.#found(asked.key);
    await this.#use(again, found === undefined ? undefined : pick(found, asked.partition, exchange.request.headers), found);
  }

  async #found(key: string): Promise<readonly CacheEntry[] | undefined> {
    try {
      return this.#affordable(await this.#store.get(key));
    } catch {
      return undefined;
    }
  }

  /** Asks a destination while the client has its answer already. */
  #refresh(asked: Asked, entry: CacheEntry): void {
    const name = flightName(asked.key, asked.partition, asked.ctx.exchange.request.headers, entry);
    if (this.#flights.find(name) !== undefined) return;
    const { ctx } = asked;
    const values = {
      get values() {
        return ctx.routeValues;
      },
    };
    const own = new ProxyContext(new RefreshExchange(ctx.exchange), ctx.route, values, ctx.state);
    const over = (): void => own.release();
    try {
      if (ctx.clusterState !== undefined && ctx.clusterState !== own.clusterState) own.reassign(ctx.clusterState);
      const pending = this.#lead({ ...asked, ctx: own, bits: asked.bits & ~(asks.notModified | asks.range), control: noControl }, name, entry, this.#flights.begin(name));
      if (pending === undefined) over();
      else pending.then(over, over);
    } catch {
      // A step threw: the next request finds the answer as stale as this one.
      over();
    }
  }

  /** Goes on as if there were no cache; what changes something takes away what was known of it (RFC 9111, 4.4). */
  #passBy(ctx: ProxyContext, next: Next): void | Promise<void> {
    ctx.cache = "bypass";
    const { exchange } = ctx;
    const { isHttp, sendsStatus } = this.policy;
    const changes = isHttp && !isSafe(exchange.request.method);
    if (changes || sendsStatus) {
      ctx.exchange = new AnsweredExchange(exchange, (head) => {
        if (changes && head.status >= 200 && head.status < 400) this.#invalidate(byClientScheme({ exchange, state: ctx.state }), head.headers);
        if (!sendsStatus) return head;
        const headers = head.headers.copy();
        headers.append("Cache-Status", "edge; fwd=bypass");
        return { ...head, headers };
      });
    }
    return next(ctx);
  }

  #invalidate(request: RequestHead, headers: HeaderList): void {
    for (const place of changedPlaces(request, headers)) {
      const key = cacheKey(place, this.policy.varyByHost, this.policy.selectQuery);
      if (key === undefined) continue;
      for (const fill of this.#fills) if (fill.key === key) fill.isDoomed = true;
      this.forget(key);
    }
  }
}

/** The request as by the scheme of its client, which a trusted proxy in front may tell: destinations are told it, and answer by it. */
function byClientScheme({ exchange, state }: Pick<ProxyContext, "exchange" | "state">): RequestHead {
  const { request } = exchange;
  const scheme = clientScheme({ exchange, trustedPeer: state.trusts(exchange.connection.remoteAddress) });
  return scheme === request.scheme ? request : changedRequest(request, { scheme });
}

/** A store that fails keeps nothing: that is no fault of the request. */
function quietly(run: () => void | Promise<void>): void {
  try {
    run()?.catch(() => {});
  } catch {
    // As above.
  }
}
