/**
 * The exchange of a request whose answer may be kept.
 *
 * 1. Before the head: a client that leaves is not told of, as nginx does not: its answer is for others too. The owner bounds how many go on like that.
 * 2. The head: its owner judges. What is not kept passes, and everything is as if nothing stood in between; a client that has left by then is told of.
 * 3. What is kept goes to the client as it comes, from the copy that is kept: a client that is slow, or leaves, holds back neither the answer nor those who wait for it. What waits
 *    to be sent to a slow client is bounded by the size that is kept at most, and counted until it is sent.
 * 4. The end: only a body that is whole is kept. Beyond the size, after a cut or with trailers it is not, and what has come passes.
 *
 * Where the owner answers by itself (a 304 to its own question), what the destination sends is dropped.
 */
import type { Exchange, HeaderList, RequestHead, ResponseHead, ResponseSink } from "@proxy/http";
import { ClientGoneError } from "@proxy/http";
import { WrappedExchange } from "@proxy/pipeline";
import { FillLife } from "./fill-life.ts";
import { KeptBody, type BodyRoom } from "./kept-body.ts";

export type Verdict =
  /** Not kept: `head` goes to the client, and all that follows. */
  | { readonly kind: "pass"; readonly head: ResponseHead }
  /** Kept; `notModified`: the client has it, and gets this head alone. */
  | { readonly kind: "keep"; readonly head: ResponseHead; readonly notModified: ResponseHead | undefined }
  /** The client was answered. */
  | { readonly kind: "answered" };

export interface FillOwner extends BodyRoom {
  /** The client left before the end; whether the answer may go on to come. Called at most once. */
  goesOn(): boolean;
  /** The final head came; called once. Must not throw. */
  judge(head: ResponseHead): Verdict;
  /** The body is whole; `sent`: what the client is being sent, that body or copies of its pieces; undefined: nothing of it. */
  filled(body: Buffer, sent: object | undefined): void;
  /** Nothing comes of it. May be called twice. */
  abandoned(): void;
  /** Nothing is left in memory of what was abandoned. May be called at any time then. */
  freed(): void;
}

const waiting = 0;
const passing = 1;
const keeping = 2;
const dropping = 3;
const over = 4;

/** More of an answer that nobody gets is not read. */
const enoughDropped = 1_048_576;

export function fillingExchange(presented: Exchange, request: RequestHead, owner: FillOwner): Exchange {
  const life = new FillLife(presented);
  const sink = new FillingSink(presented.response, life, owner);
  life.begin(sink);
  return new FillingExchange(presented, request, life, sink);
}

class FillingExchange extends WrappedExchange {
  override readonly request: RequestHead;
  readonly #life: FillLife;

  constructor(presented: Exchange, request: RequestHead, life: FillLife, sink: FillingSink) {
    super(presented, sink);
    this.request = request;
    this.#life = life;
  }

  override onClientGone(listener: (cause: Error) => void): void {
    this.#life.onGone(listener);
  }

  override onComplete(listener: () => void): void {
    this.#life.onComplete(listener);
  }
}

class FillingSink implements ResponseSink {
  readonly #client: ResponseSink;
  readonly #life: FillLife;
  readonly #owner: FillOwner;
  #phase = waiting;
  #status: number | undefined;
  /** The client gets what is kept. */
  #sends = true;
  #body: KeptBody | undefined;
  #dropped = 0;
  /** The client left, and nobody is to have the answer. */
  #isLeft = false;
  /** What came while it was kept waits for the client still, though it is not kept any more. */
  #holds = false;

  constructor(client: ResponseSink, life: FillLife, owner: FillOwner) {
    this.#client = client;
    this.#life = life;
    this.#owner = owner;
  }

  /** Whether it goes on without the client. */
  get outlives(): boolean {
    return !this.#isLeft && (this.#phase === waiting || this.#phase === keeping || this.#phase === dropping);
  }

  left(): void {
    this.#isLeft = !this.#owner.goesOn();
  }

  get started(): boolean {
    return this.#status !== undefined;
  }

  get status(): number | undefined {
    return this.#status;
  }

  get ended(): boolean {
    return this.#phase === over || (this.#phase === passing && this.#client.ended);
  }

  get trailersSupported(): boolean {
    return this.#client.trailersSupported;
  }

  get pending(): number {
    return this.#phase === passing ? this.#client.pending : 0;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#phase === waiting && !this.#life.isClientGone) this.#client.informational(status, headers);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.#sendWhole(head, bytes, (client, passed) => client.send(passed, body));
  }

  sendLatin1(head: ResponseHead, body: string): void {
    const bytes = Buffer.allocUnsafeSlow(body.length);
    bytes.write(body, "latin1");
    this.#sendWhole(head, bytes, (client, passed) => {
      if (client.sendLatin1 === undefined) client.send(passed, bytes);
      else client.sendLatin1(passed, body);
    });
  }

  start(head: ResponseHead): void {
    const verdict = this.#judge(head);
    if (verdict.kind === "answered") return;
    if (verdict.kind === "keep") {
      this.#body = new KeptBody(head.headers, this.#owner);
      if (!this.#sends) return;
    }
    this.#toClient(() => this.#client.start(verdict.head));
  }

  write(chunk: Uint8Array): boolean {
    switch (this.#phase) {
      case passing:
        return this.#client.write(chunk);
      case keeping: {
        const copy = this.#body?.add(chunk);
        if (copy !== undefined) {
          if (this.#sends) this.#client.write(copy);
          return true;
        }
        this.#pass();
        // What has come was sent already.
        if (!this.#sends) return true;
        const goesOn = this.#client.write(chunk);
        if (goesOn) this.#owner.freed();
        else this.#holds = true;
        return goesOn;
      }
      case dropping:
        this.#dropped += chunk.length;
        if (this.#dropped > enoughDropped) this.#nobody();
        return true;
      default:
        return true;
    }
  }

  onDrain(listener: () => void): void {
    if (!this.#holds) {
      this.#client.onDrain(listener);
      return;
    }
    this.#holds = false;
    this.#client.onDrain(() => {
      this.#owner.freed();
      listener();
    });
  }

  flush(): void {
    if (this.#sends && (this.#phase === passing || this.#phase === keeping)) this.#client.flush();
  }

  end(trailers?: HeaderList): void {
    if (this.#phase === over) return;
    const body = this.#phase === keeping && trailers === undefined ? this.#body?.whole() : undefined;
    const wasDropping = this.#phase === dropping;
    this.#phase = over;
    if (body === undefined) this.#owner.abandoned();
    else this.#owner.filled(body, this.#sends ? this.#body?.sent(body) : undefined);
    if (!wasDropping && this.#sends) this.#client.end(trailers);
    this.#life.check();
  }

  abort(cause: Error): void {
    if (this.#phase === over) return;
    const wasDropping = this.#phase === dropping;
    this.#phase = over;
    this.#owner.abandoned();
    if (!wasDropping && this.#sends) this.#client.abort(cause);
    this.#life.check();
  }

  #sendWhole(head: ResponseHead, bytes: Uint8Array | undefined, send: (client: ResponseSink, head: ResponseHead) => void): void {
    if (this.#phase === over) return;
    const verdict = this.#judge(head);
    if (verdict.kind === "answered") {
      this.#phase = over;
      this.#owner.abandoned();
      this.#life.check();
      return;
    }
    let kept: Buffer | undefined;
    if (verdict.kind === "keep") {
      const body = new KeptBody(head.headers, this.#owner);
      kept = bytes === undefined || bytes.length === 0 || body.add(bytes) !== undefined ? body.whole() : undefined;
    }
    if (this.#sends) this.#toClient(() => send(this.#client, verdict.head));
    this.#phase = over;
    if (kept === undefined) this.#owner.abandoned();
    else this.#owner.filled(kept, this.#sends ? bytes : undefined);
    this.#life.check();
  }

  #judge(head: ResponseHead): Verdict {
    if (this.#phase !== waiting) return { kind: "pass", head };
    const verdict = this.#owner.judge(head);
    this.#status = head.status;
    switch (verdict.kind) {
      case "pass":
        this.#pass();
        break;
      case "keep":
        this.#phase = keeping;
        if (verdict.notModified !== undefined) {
          this.#sends = false;
          const { notModified } = verdict;
          this.#toClient(() => this.#client.send(notModified));
        }
        break;
      case "answered":
        this.#phase = dropping;
        break;
    }
    return verdict;
  }

  /** What cannot be written is not kept either; whoever answered may answer otherwise. */
  #toClient(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#phase = passing;
      this.#status = this.#client.status;
      this.#owner.abandoned();
      throw error;
    }
  }

  #pass(): void {
    this.#phase = passing;
    this.#body = undefined;
    this.#owner.abandoned();
    if (this.#life.isClientGone || !this.#sends) this.#nobody();
    this.#life.check();
  }

  /** Told when the call in hand is over: those behind do not expect it within. */
  #nobody(): void {
    queueMicrotask(() => {
      this.#life.tellGone(new ClientGoneError("nobody waits for the rest of the answer"));
      this.#life.check();
    });
  }
}
