/**
 * An answer that is kept: whole, immutable, with its head made ready. What a store in another process would have to carry is `CacheEntryData`; the rest
 * follows from it.
 */
import { HeaderList, type ResponseHead } from "@proxy/http";

export interface CacheEntryData {
  readonly status: number;
  readonly reason: string | undefined;
  /** As a destination sent them, without Age, with the length of the body. */
  readonly headers: HeaderList;
  readonly body: Buffer;
  /** Milliseconds since 1970, as all times here. */
  readonly storedAt: number;
  /** Milliseconds that it was old when it came (RFC 9111, 4.2.3). */
  readonly initialAge: number;
  /** Until then it is given without asking. */
  readonly freshUntil: number;
  /** Until then it is given while a destination is asked; no earlier than `freshUntil` (RFC 5861, 3). */
  readonly staleWhileRevalidateUntil: number;
  /** Until then it is given where no destination gives an answer (RFC 5861, 4). */
  readonly staleIfErrorUntil: number;
  /** Never to be given once it is stale, whatever a client accepts. */
  readonly mustRevalidate: boolean;
  /** Whom it is for: the route, and what the policy says that it varies by. Equal for those that share it. */
  readonly partition: string;
  /** What its Vary names, each with what the request said of it (`fieldSelection`). */
  readonly vary: readonly (readonly [key: string, selection: string])[];
  readonly tags: readonly string[];
}

/** Bodies up to this are kept as text too: they leave together with their head, without another copy. */
export const largestText = 8192;
/** What an entry takes beside its bytes, about. */
const overhead = 1024;

/** Fields that say something of content, which a 304 has not (RFC 9110, 15.4.5). */
const ofContent: ReadonlySet<string> = new Set(["content-length", "content-type", "content-encoding", "content-language", "content-range", "content-md5", "content-digest", "accept-ranges"]);

/** A stored answer with what decides when it may be used. */
export class CacheEntry {
  readonly data: CacheEntryData;
  /** Bytes that it takes, about. */
  readonly size: number;
  readonly etag: string | undefined;
  /** The field as it came. */
  readonly lastModified: string | undefined;
  /** The body as text of one character for each byte; undefined where it is large. */
  readonly text: string | undefined;
  readonly #cacheStatus: boolean;
  #head: ResponseHead;
  /** The head holds at those times. */
  #from = 0;
  #until = 0;

  /** `cacheStatus`: heads tell by Cache-Status that they are from here. */
  constructor(data: CacheEntryData, cacheStatus = false) {
    this.data = data;
    const { headers, body } = data;
    this.etag = headers.get("etag");
    this.lastModified = headers.get("last-modified");
    this.text = body.length > largestText ? undefined : body.toString("latin1");
    let size = overhead + body.length * (this.text === undefined ? 1 : 2) + data.partition.length;
    for (const [name, value] of headers) size += name.length + value.length + 80;
    for (const [key, selection] of data.vary) size += key.length + selection.length;
    this.size = size;
    this.#cacheStatus = cacheStatus;
    this.#head = { status: data.status, reason: data.reason, headers };
  }

  /** Seconds since a destination made it, as Age tells (RFC 9111, 4.2.3). */
  ageAt(now: number): number {
    const { storedAt, initialAge } = this.data;
    return Math.max(Math.floor((initialAge + Math.max(now - storedAt, 0)) / 1000), 0);
  }

  /** The head of the whole answer; the same object for all of a second. */
  headAt(now: number): ResponseHead {
    return now >= this.#from && now < this.#until ? this.#head : this.#renew(now);
  }

  /** The head of a 304 for it. */
  notModifiedAt(now: number): ResponseHead {
    const { headers } = this.headAt(now);
    const kept = headers.copy();
    const hasTag = this.etag !== undefined;
    kept.filter((key) => !ofContent.has(key) && !(hasTag && key === "last-modified"));
    return { status: 304, reason: undefined, headers: kept };
  }

  #renew(now: number): ResponseHead {
    const { data } = this;
    const age = this.ageAt(now);
    const headers = data.headers.copy();
    headers.append("Age", String(age));
    if (this.#cacheStatus) headers.append("Cache-Status", `edge; hit; ttl=${Math.floor((data.freshUntil - now) / 1000)}`);
    this.#head = { status: data.status, reason: data.reason, headers };
    // To the moment when the age becomes another one; a clock that leaps makes a head of its own.
    const next = data.storedAt - data.initialAge + (age + 1) * 1000;
    this.#from = now;
    this.#until = Math.min(Math.max(next, now + 1), now + 1000);
    return this.#head;
  }
}
