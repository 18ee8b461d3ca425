/** One answer on its way from a destination into the cache: judges its head, and keeps its body. */
import { listElements, type Exchange, HeaderList, type ResponseHead } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { spellingsOf } from "../exchange/field-spellings.ts";
import { CacheEntry, type CacheEntryData } from "./cache-entry.ts";
import { fieldSelection } from "./cache-key.ts";
import { asks, type CachePolicy } from "./cache-policy.ts";
import { isNotModified } from "./conditions.ts";
import type { FillOwner, Verdict } from "./filling-exchange.ts";
import { isShareable, policyFreshness, variedFields, type Freshness } from "./freshness.ts";
import { httpFreshness, type AskedBy } from "./http-freshness.ts";
import { ownText } from "./own-text.ts";

/** What a fill needs of its cache. */
export interface FillCache {
  readonly policy: CachePolicy;
  date(): number;
  /** Room for `bytes` more of a body, of which `total` are there then, among all that is under way. */
  reserve(bytes: number, total: number): boolean;
  /** Gives room back. */
  release(bytes: number): void;
  /** Whether there is room for a body that is whole, and reserved. */
  hasRoom(body: Buffer): boolean;
  /** A client left its fill; whether that may go on without it, until it is settled. */
  mayGoOn(fill: Fill): boolean;
  /** The fill is over. */
  settled(fill: Fill): void;
  /** Answers with what is kept. */
  give(entry: CacheEntry, exchange: Exchange, bits: number, now: number): void;
  /** A client is being sent `body`, of so many bytes. */
  sends(body: object, bytes: number, exchange: Exchange): void;
  keep(key: string, entry: CacheEntry): void;
  forget(key: string): void;
}

export interface FillRequest {
  readonly ctx: ProxyContext;
  /** The client's, in front of the cache. */
  readonly exchange: Exchange;
  readonly key: string;
  readonly partition: string;
  readonly bits: number;
  readonly by: AskedBy;
  /** What is asked whether it still holds; undefined: nothing is there. */
  readonly stale: CacheEntry | undefined;
  /** Told once: an answer for all who wait, whether it was new or not; undefined: there is none. `remember`: there will be none the next time either. */
  readonly landed: (entry: CacheEntry | undefined, remember: boolean) => void;
}

const failures: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** Fields that are not kept: those of a connection, of a moment, or written anew. */
const notKept: ReadonlySet<string> = new Set(["age", "connection", "content-length", "keep-alive", "proxy-connection", "trailer", "transfer-encoding", "upgrade"]);
/** Fields of a 304 that say nothing of what is kept (RFC 9111, 3.2). */
const notUpdated: ReadonlySet<string> = new Set([...notKept, "content-digest", "content-encoding", "content-md5", "content-range", "digest", "repr-digest", "set-cookie", "set-cookie2", "clear-site-data"]);

export class Fill implements FillOwner {
  /** Evicted, or invalidated, before it was there: not kept. */
  isDoomed = false;
  readonly key: string;
  readonly #cache: FillCache;
  readonly #request: FillRequest;
  readonly #asked: number;
  #head: ResponseHead | undefined;
  #vary: CacheEntryData["vary"] = [];
  #freshness: Freshness | undefined;
  #answered = 0;
  #reserved = 0;
  #isOver = false;
  #hasLanded = false;

  constructor(cache: FillCache, request: FillRequest) {
    this.#cache = cache;
    this.#request = request;
    this.key = request.key;
    this.#asked = cache.date();
  }

  goesOn(): boolean {
    return this.#isOver || this.#cache.mayGoOn(this);
  }

  judge(head: ResponseHead): Verdict {
    this.#answered = this.#cache.date();
    const { stale, ctx } = this.#request;
    const answered = stale === undefined ? undefined : this.#judgeOld(stale, head);
    if (answered !== undefined) return answered;
    const freshness = this.#freshnessOf(head);
    const fields = freshness === undefined ? undefined : this.#variedFields(head);
    const announced = head.headers.get("content-length");
    const { policy } = this.#cache;
    if (freshness === undefined || fields === undefined || (announced !== undefined && !(Number(announced) <= policy.maximumBodySize))) {
      if (head.status < 500) ctx.cache = "pass";
      // A destination that says otherwise now is believed.
      if (stale !== undefined && head.status < 500) this.#cache.forget(this.key);
      this.#land(undefined, head.status < 500);
      return { kind: "pass", head: this.#told(head, "") };
    }
    const { headers } = this.#request.exchange.request;
    this.#vary = this.#selectionsOf(fields);
    this.#freshness = freshness;
    this.#head = head;
    // It is kept to be asked for again, not to be given as it is: nobody is to wait for that.
    if (freshness.freshUntil <= this.#answered) this.#land(undefined, true);
    const told = this.#told(head, "; stored");
    const has304 = (this.#request.bits & asks.notModified) !== 0 && head.status === 200;
    const validators = { etag: head.headers.get("etag"), lastModified: head.headers.get("last-modified") };
    return { kind: "keep", head: told, notModified: has304 && isNotModified(headers, validators) ? new CacheEntry(this.#dataOf(told, Buffer.alloc(0))).notModifiedAt(this.#answered) : undefined };
  }

  reserve(bytes: number, total: number): boolean {
    if (total > this.#cache.policy.maximumBodySize || !this.#cache.reserve(bytes, total)) return false;
    this.#reserved += bytes;
    return true;
  }

  filled(body: Buffer, sent: object | undefined): void {
    if (this.#isOver) return;
    const cache = this.#cache;
    let entry: CacheEntry | undefined;
    try {
      if (!this.isDoomed && this.#head !== undefined) entry = new CacheEntry(this.#dataOf(this.#head, body), cache.policy.sendsStatus);
    } catch {
      // A field that cannot be written: not kept.
    }
    if (entry !== undefined && cache.hasRoom(body)) cache.keep(this.key, entry);
    this.#land(entry, false);
    this.#settle();
    this.freed();
    if (sent !== undefined) cache.sends(sent, body.length, this.#request.exchange);
  }

  abandoned(): void {
    this.#land(undefined, false);
    this.#settle();
    // The client may not have got yet what has come.
    if (this.#reserved > 0) this.#request.exchange.onComplete(() => this.freed());
  }

  freed(): void {
    const reserved = this.#reserved;
    this.#reserved = 0;
    if (reserved > 0) this.#cache.release(reserved);
  }

  /** The destination was asked whether `stale` still holds; undefined: what it says is an answer of its own. */
  #judgeOld(stale: CacheEntry, head: ResponseHead): Verdict | undefined {
    const { ctx, exchange, bits } = this.#request;
    const now = this.#answered;
    if (head.status === 304) {
      const tag = head.headers.get("etag");
      if (tag !== undefined && stale.etag !== undefined && weakly(tag) !== weakly(stale.etag)) {
        // It says so of another one: what was asked for holds, and is not made newer by it (RFC 9111, 4.3.4).
        ctx.cache = "revalidated";
        this.#land(undefined, false);
        this.#cache.give(stale, exchange, bits, now);
        return { kind: "answered" };
      }
      ctx.cache = "revalidated";
      const entry = this.#renewed(stale, head);
      this.#cache.give(entry, exchange, bits, now);
      return { kind: "answered" };
    }
    const { freshUntil, staleIfErrorUntil } = stale.data;
    // Only where it says so: a client may have wanted to know although it is fresh.
    if (failures.has(head.status) && staleIfErrorUntil > freshUntil && now < staleIfErrorUntil) {
      ctx.cache = "stale";
      this.#land(stale, false);
      this.#cache.give(stale, exchange, bits, now);
      return { kind: "answered" };
    }
    return undefined;
  }

  #renewed(stale: CacheEntry, { headers }: ResponseHead): CacheEntry {
    const { data } = stale;
    const merged = new HeaderList();
    for (let i = 0; i < data.headers.size; i++) {
      const key = data.headers.keyAt(i);
      if (notUpdated.has(key) || !headers.has(key)) merged.appendFrom(data.headers, i);
    }
    for (let i = 0; i < headers.size; i++) if (!notUpdated.has(headers.keyAt(i)) && !this.#isOfCors(headers.keyAt(i))) merged.appendFrom(headers, i);
    if (!headers.has("date")) merged.set("Date", new Date(this.#answered).toUTCString());
    const aged = merged.copy();
    const age = headers.get("age");
    if (age !== undefined) aged.append("Age", age);
    const freshness = this.#freshnessOf({ status: data.status, headers: aged });
    // What it varies by may be another thing now.
    const fields = freshness === undefined ? undefined : this.#variedFields({ status: data.status, headers: merged });
    const vary = fields === undefined ? data.vary : this.#selectionsOf(fields);
    const entry = new CacheEntry({ ...data, ...(freshness ?? { freshUntil: this.#answered }), vary, headers: merged.packed(), storedAt: this.#answered }, this.#cache.policy.sendsStatus);
    if (freshness === undefined || fields === undefined) {
      this.#cache.forget(this.key);
      this.#land(undefined, true);
    } else {
      if (!this.isDoomed) this.#cache.keep(this.key, entry);
      this.#land(freshness.freshUntil > this.#answered && !this.isDoomed ? entry : undefined, freshness.freshUntil <= this.#answered);
    }
    return entry;
  }

  /** Undefined also where the request has one of them in another spelling: it may be that what the answer varies by. */
  #variedFields(head: ResponseHead): readonly string[] | undefined {
    const fields = variedFields(head, this.#request.bits);
    const { headers } = this.#request.exchange.request;
    return fields?.some((field) => field.includes("-") && spellingsOf(field).some((name) => name !== field && headers.has(name))) === true ? undefined : fields;
  }

  #selectionsOf(fields: readonly string[]): CacheEntryData["vary"] {
    const { headers } = this.#request.exchange.request;
    return fields.map((field) => [ownText(field), ownText(fieldSelection(headers, field))] as const);
  }

  /** A field for the origin that asked, where the gateway tells each its own. */
  #isOfCors(key: string): boolean {
    return (this.#request.bits & asks.corsHere) !== 0 && key.startsWith("access-control-");
  }

  #freshnessOf(head: ResponseHead): Freshness | undefined {
    const { ctx, by } = this.#request;
    if (!isShareable(head)) return undefined;
    // It tells this client which destination is its own.
    if (ctx.affinity !== undefined && ctx.affinity.status !== "OK") return undefined;
    const { policy } = this.#cache;
    return policy.isHttp
      ? httpFreshness(by, head, { asked: this.#asked, answered: this.#answered })
      : policyFreshness(head, this.#answered, policy.duration, policy.ignoresAnswerControl);
  }

  #dataOf({ status, reason, headers }: ResponseHead, body: Buffer): CacheEntryData {
    const kept = new HeaderList();
    const named = headers.getAll("connection").flatMap((value) => listElements(value.toLowerCase()));
    for (let i = 0; i < headers.size; i++) {
      const key = headers.keyAt(i);
      if (!notKept.has(key) && !named.includes(key) && !this.#isOfCors(key)) kept.appendFrom(headers, i);
    }
    if (status !== 204) kept.append("Content-Length", String(body.length));
    if (status === 200 && !kept.has("accept-ranges")) kept.append("Accept-Ranges", "bytes");
    if (!kept.has("date")) kept.append("Date", new Date(this.#answered).toUTCString());
    const partition = ownText(this.#request.partition);
    return { ...(this.#freshness as Freshness), status, reason: reason === undefined ? undefined : ownText(reason), headers: kept.packed(), body, storedAt: this.#answered, partition, vary: this.#vary, tags: this.#cache.policy.tags };
  }

  /** `head` with Cache-Status, where that is told (RFC 9211). */
  #told(head: ResponseHead, more: string): ResponseHead {
    if (!this.#cache.policy.sendsStatus) return head;
    const headers = head.headers.copy();
    headers.append("Cache-Status", `edge; fwd=${this.#request.stale === undefined ? "miss" : "stale"}${more}`);
    return { ...head, headers };
  }

  #land(entry: CacheEntry | undefined, remember: boolean): void {
    if (this.#hasLanded) return;
    this.#hasLanded = true;
    this.#request.landed(entry, remember);
  }

  #settle(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cache.settled(this);
  }
}

function weakly(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
