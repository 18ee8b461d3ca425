/**
 * The response on its way to the client: head, transforms, body with backpressure, trailers. What comes while an asynchronous
 * transform has the head is kept; the head waits for the first byte of the body, the end, or the next tick.
 */
import { type DestinationError, HeaderList, type ResponseHead } from "@proxy/http";
import { type BodyChange, BodyContentError } from "./body/body-transform.ts";
import { ChangedBody, type ChangedBodyOwner } from "./body/changed-body.ts";
import { changeResponseFields, changeTrailers } from "./body/changed-head.ts";
import { contentCodings } from "./body/content-coding.ts";
import { responseFailure } from "./failure.ts";
import type { ClientResponse } from "./forward-options.ts";
import { ForwardingEnds } from "./forwarding-ends.ts";
import { finishingRequest, over, relaying, transformingResponse, waiting } from "./forwarding-state.ts";
import { checkResponse } from "./outgoing.ts";
import { PendingResponse } from "./pending-response.ts";
import { clientHead, copyResponseFields, isEventStream } from "./response-headers.ts";
import { clientTrailers } from "./response-trailers.ts";
import { isThenable } from "./thenable.ts";

export abstract class ForwardingResponse extends ForwardingEnds implements ChangedBodyOwner {
  /** Whether the head may not pass as the answer to an upgrade. */
  protected abstract looksUpgraded(head: ResponseHead): boolean;
  abstract onError(error: DestinationError): void;

  // What the destination's client tells

  onInformational(status: number, headers: HeaderList): void {
    if (this.phase !== waiting) return;
    this.touch();
    // 100 is between the destination and its client; the client gets its own when its body is read.
    if (status === 100 || status === 101) return;
    const passing = new HeaderList();
    try {
      copyResponseFields({ status, headers }, passing);
      this.exchange.response.informational(status, passing);
    } catch (cause) {
      this.fail(responseFailure("ResponseHeaders", "gateway", cause));
    }
  }

  onResponse(head: ResponseHead): void {
    if (this.phase !== waiting) return;
    if (this.options.attempt?.responded(head) === true) {
      this.phase = over;
      this.giveUp();
      this.settle(undefined);
      return;
    }
    if (this.looksUpgraded(head)) {
      this.fail(responseFailure("ResponseHeaders", "destination", new Error("the destination did not upgrade, and answered as if it had")));
      return;
    }
    const response = this.transformHead(head);
    if (response === undefined) this.headReady(head);
    else this.awaitTransform(response, head, () => this.headReady(head));
  }

  onData(chunk: Uint8Array): boolean | void {
    if (this.phase === relaying) return this.changed === undefined ? this.write(chunk) : this.change(this.changed, chunk);
    if (this.phase === transformingResponse) this.pending?.data.push(chunk);
    return false;
  }

  /** A body that goes on as it is, to a server that has a use for text. */
  get takesText(): boolean {
    return this.phase === relaying && this.changed === undefined && this.exchange.response.writeLatin1 !== undefined;
  }

  onText(text: string): void {
    this.touch();
    try {
      if (this.head !== undefined) this.startResponse();
      if (this.exchange.response.writeLatin1?.(text) === false && !this.draining) this.awaitDrain();
    } catch (cause) {
      this.fail(responseFailure("ResponseBodyClient", "gateway", cause));
    }
  }

  onWholeResponse(head: ResponseHead, body: string): void {
    this.onResponse(head);
    const response = this.head;
    const sink = this.exchange.response;
    // All but the plain case goes the way of a streamed response: a body that is changed, a length that a transform took away.
    if (
      sink.sendLatin1 === undefined || this.phase !== relaying || response === undefined || this.changed !== undefined
      || this.transformer.trailers !== undefined || !response.headers.has("content-length")
    ) {
      if (body !== "") this.onData(Buffer.from(body, "latin1"));
      this.onEnd(undefined);
      return;
    }
    this.head = undefined;
    try {
      sink.sendLatin1(response, body);
    } catch (cause) {
      this.fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return;
    }
    this.responseOver();
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.phase === transformingResponse) {
      (this.pending as PendingResponse).end(trailers);
      return;
    }
    if (this.phase !== relaying) return;
    this.touch();
    if (this.changed !== undefined) {
      this.trailers = changeTrailers(trailers);
      // Its connection may serve somebody else while transforms still give.
      this.call = undefined;
      this.changed.end();
    } else this.finish(trailers);
  }

  // The head

  /** Builds the client's head and runs the response transform; a promise when that is one. */
  protected transformHead(head: ResponseHead): PromiseLike<void | false> | undefined {
    this.headCame();
    this.phase = transformingResponse;
    const { exchange, transformer } = this;
    const response = clientHead(head, exchange.request.httpVersion, this.options.responseHeaders);
    this.head = response;
    try {
      if (transformer.copyResponseHeaders !== false) copyResponseFields(head, response.headers);
      const result = transformer.response?.(exchange, response, head);
      if (isThenable(result)) return result;
      this.transformed(result, head);
    } catch (cause) {
      this.responseFailed(cause);
    }
    return undefined;
  }

  protected awaitTransform(response: PromiseLike<void | false>, head: ResponseHead, then: () => void): void {
    this.pending = new PendingResponse();
    this.pause();
    // A promise of ours, once: what a transform gives may be any thenable.
    Promise.resolve(response).then(
      (result) => {
        if (this.phase !== transformingResponse) return;
        try {
          this.transformed(result, head);
        } catch (cause) {
          this.responseFailed(cause);
          return;
        }
        then();
      },
      (cause: unknown) => this.responseFailed(cause),
    );
  }

  private transformed(result: void | false, head: ResponseHead): void {
    const response = this.head as ClientResponse;
    const sink = this.exchange.response;
    if (!this.transformer.trusted && this.transformer.response !== undefined) checkResponse(response, head);
    // A transform made a HEAD of the request: the length is that of a body which does not come.
    if (this.outgoing?.method === "HEAD" && this.exchange.request.method !== "HEAD") response.headers.remove("content-length");
    if (sink.started) {
      this.giveUp();
      this.settle(undefined);
    } else if (result === false) {
      this.giveUp();
      response.headers.remove("content-length");
      sink.send(response);
      this.settle(undefined);
    }
  }

  private headReady(head: ResponseHead): void {
    if (this.phase !== transformingResponse) return;
    const response = this.head as ClientResponse;
    if (response.bodyChange !== undefined && head.status !== 206 && !this.changeBody(response, head)) return;
    this.phase = relaying;
    if (isEventStream(response.headers)) this.flushHead();
    // A transform may find that the body cannot be used: until it gave something, that can still be told.
    else if (this.changed === undefined) this.wheel.move(this, this.wheel.tick + 1);
    const { pending } = this;
    if (pending === undefined || (this.phase as number) !== relaying) return;
    this.pending = undefined;
    pending.deliver(this);
    if ((this.phase as number) === relaying && !this.draining) this.resume();
  }

  protected ticked(): void {
    if (this.phase === relaying && this.head !== undefined && this.changed === undefined) this.flushHead();
  }

  /** Starts the response without content, and sends the head now. */
  private flushHead(): void {
    try {
      this.startResponse();
      this.exchange.response.flush();
    } catch (cause) {
      this.fail(responseFailure("ResponseBodyClient", "gateway", cause));
    }
  }

  private startResponse(): void {
    const { head } = this;
    if (head === undefined) return;
    this.head = undefined;
    this.exchange.response.start(head);
  }

  // A body that is changed

  /** False when it cannot be changed: the forwarding is over then. */
  private changeBody(response: ClientResponse, head: ResponseHead): boolean {
    try {
      const change = response.bodyChange as BodyChange;
      const decode = contentCodings(head.headers);
      const encode = contentCodings(response.headers);
      changeResponseFields(response.headers);
      this.changed = new ChangedBody({ change, decode, encode, flushing: isEventStream(response.headers) }, this);
      return true;
    } catch (cause) {
      this.fail(responseFailure("ResponseHeaders", cause instanceof BodyContentError ? "destination" : "gateway", cause));
      return false;
    }
  }

  private change(changed: ChangedBody, chunk: Uint8Array): false {
    this.touch();
    if (!changed.write(chunk)) this.call?.pause();
    return false;
  }

  onChangedRoom(): void {
    if (this.phase === relaying) this.call?.resume();
  }

  onChangedData(chunk: Uint8Array): void {
    if (this.phase === relaying && chunk.length > 0) this.write(chunk);
  }

  onChangedEnd(): void {
    if (this.phase === relaying) this.finish(this.trailers);
  }

  onChangedError(error: Error): void {
    if (this.phase !== relaying) return;
    const ofDestination = error instanceof BodyContentError;
    const code = ofDestination ? "ResponseBodyDestination" : "ResponseBodyClient";
    this.fail(responseFailure(code, ofDestination ? "destination" : "gateway", error));
  }

  // Body and end

  private write(chunk: Uint8Array): boolean {
    this.touch();
    const sink = this.exchange.response;
    try {
      if (this.head !== undefined) this.startResponse();
      if (!sink.write(chunk) && !this.draining) this.awaitDrain();
      return sink.pending === 0;
    } catch (cause) {
      this.fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return false;
    }
  }

  private awaitDrain(): void {
    this.draining = true;
    this.pause();
    this.exchange.response.onDrain(() => this.onDrain());
  }

  private onDrain(): void {
    if (this.phase !== relaying || !this.draining) return;
    this.draining = false;
    this.touch();
    this.resume();
  }

  private pause(): void {
    this.paused = true;
    if (this.changed === undefined) this.call?.pause();
    else this.changed.pause();
  }

  private resume(): void {
    this.paused = false;
    this.changed?.resume();
    if (this.changed?.full !== true) this.call?.resume();
  }

  private finish(trailers: HeaderList | undefined): void {
    const { transformer } = this;
    try {
      const passing =
        trailers === undefined && transformer.trailers === undefined
          ? undefined
          : clientTrailers(this.exchange, transformer, trailers);
      this.startResponse();
      this.exchange.response.end(passing);
    } catch (cause) {
      this.fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return;
    }
    this.responseOver();
  }

  private responseOver(): void {
    if (this.body !== undefined && this.body.state === "flowing") {
      this.phase = finishingRequest;
      return;
    }
    this.settle(undefined);
  }
}
