/**
 * One exchange to one destination.
 *
 * 1. Clock, client and caller are listened to; CONNECT and upgrades that cannot be are refused, others are planned.
 * 2. The fields that may pass are copied; request transforms run; who answers there ends it here.
 * 3. Address, Host and body are settled and the destination's client sends. Bodies flow both ways at once. A WebSocket
 *    that the destination cannot take over HTTP/2 begins again at 2, over HTTP/1.1.
 * 4. The response head comes: fields copied, response transforms run. The head waits for the first byte of the
 *    body, the end, or the next tick, so that head and body leave together and an early failure can still be told.
 * 5. The body is passed on with backpressure, then the trailers. Where the request body is still under way after
 *    that, its end is waited for.
 * 6. Once, and only once, the outcome is told. One of several attempts is asked first, in 4 and where it fails before that,
 *    whether the client is to be answered at all.
 *
 * One object for the whole of it, and one long file: every event has to be judged by the one phase there is.
 */
import {
  BadRequestError,
  type BodySource,
  type DestinationCall,
  DestinationError,
  type DestinationHandler,
  type Exchange,
  ExchangeStateError,
  HeaderList,
  isMethod,
  type ResponseHead,
  type Tunnel,
  type UpgradeFeature,
} from "@proxy/http";
import { type BodyChange, BodyContentError } from "./body/body-transform.ts";
import { ChangedBody, type ChangedBodyOwner } from "./body/changed-body.ts";
import { changeRequestFields, changeResponseFields, changeTrailers } from "./body/changed-head.ts";
import { ChangedRequestBody } from "./body/changed-request-body.ts";
import { contentCodings } from "./body/content-coding.ts";
import type { Destination } from "./destination.ts";
import {
  canceledAfterHead,
  canceledBeforeHead,
  describeFailure,
  type Failure,
  failureBeforeHead,
  requestBodyFailure,
  requestBodyUnwanted,
  responseFailure,
  stalledAfterHead,
  stalledBeforeHead,
} from "./failure.ts";
import { answerFailure } from "./failure-answer.ts";
import type { ClientResponse, ForwardWithOptions, Transformer } from "./forward-options.ts";
import type { ForwarderError } from "./forwarder-error.ts";
import { address, checkOutgoing, checkResponse, checkTarget, Outgoing } from "./outgoing.ts";
import { PendingResponse } from "./pending-response.ts";
import { EmptyBody, RequestBody, type RequestBodyOwner } from "./request-body.ts";
import { liftLimitsOfCall } from "./grpc.ts";
import { copyRequestFields, expectsContinue } from "./request-headers.ts";
import { clientHead, copyResponseFields, isEventStream } from "./response-headers.ts";
import { clientTrailers } from "./response-trailers.ts";
import { sharedTimers, type TimerWheel, type WheelEntry } from "./timer-wheel.ts";
import { defaultTransformer } from "./transformers.ts";
import { TunnelRelay } from "./tunnel-relay.ts";
import { isThenable } from "./thenable.ts";
import { type ForwardedUpgrade, forwardedUpgrade, namesUpgrade, planUpgrade, type UpgradePlan } from "./upgrade.ts";
import { connectedHead, provideKey, switchingHead, takeKey } from "./websocket/handshake.ts";

/** Told the outcome; `fault` is what a user's function threw that no outcome can carry. */
export type ForwardDone = (error: ForwarderError | undefined, fault?: unknown) => void;

const preparing = 0;
const waiting = 1;
const transformingResponse = 2;
const relaying = 3;
const upgraded = 4;
const finishingRequest = 5;
const over = 6;

const defaultActivityTimeout = 100_000;
const untransformed: Transformer = { trusted: true };

export class Forwarding implements DestinationHandler, WheelEntry, RequestBodyOwner, ChangedBodyOwner {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  readonly #exchange: Exchange;
  readonly #options: ForwardWithOptions;
  readonly #transformer: Transformer;
  readonly #done: ForwardDone;
  readonly #wheel: TimerWheel;
  readonly #activityTicks: number;
  readonly #firstDestination: Destination;
  #destination: Destination;
  #phase = preparing;
  #lastTick: number;
  #routeTick = 0;
  #attemptTick = 0;
  #attemptTicks = 0;
  #outgoing: Outgoing | undefined = undefined;
  #body: RequestBody | undefined = undefined;
  #call: DestinationCall | undefined = undefined;
  #paused = false;
  #draining = false;
  #head: ClientResponse | undefined = undefined;
  #pending: PendingResponse | undefined = undefined;
  #relay: TunnelRelay | undefined = undefined;
  #changed: ChangedBody | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  #onAbort: (() => void) | undefined = undefined;
  #aboutContent = false;
  #givenUp: Error | undefined = undefined;
  #attempt: number;
  /** What the client asked to switch to, how the destination is asked for it, and the key of the two handshakes. */
  #upgrade: ForwardedUpgrade | undefined = undefined;
  #plan: UpgradePlan | undefined = undefined;
  #key: string | undefined = undefined;

  constructor(exchange: Exchange, destination: Destination, options: ForwardWithOptions, done: ForwardDone) {
    this.#exchange = exchange;
    this.#firstDestination = destination;
    this.#attempt = options.attempt?.number ?? 1;
    this.#destination = destination;
    this.#options = options;
    this.#transformer = options.transformer ?? defaultTransformer;
    this.#done = done;
    this.#wheel = options.timers ?? sharedTimers;
    this.#activityTicks = this.#wheel.ticks(options.activityTimeout ?? defaultActivityTimeout);
    this.#lastTick = this.#wheel.tick;
  }

  /** Throws an `ExchangeStateError` when the exchange is answered already; from then on nothing throws. */
  start(): void {
    const exchange = this.#exchange;
    if (exchange.response.started) throw new ExchangeStateError("the exchange is answered already");
    const { timeout, signal, attempt } = this.#options;
    if (timeout !== undefined) this.#routeTick = this.#wheel.tick + this.#wheel.ticks(timeout);
    if (attempt?.timeout !== undefined) {
      this.#attemptTicks = this.#wheel.ticks(attempt.timeout);
      this.#attemptTick = this.#wheel.tick + this.#attemptTicks;
    }
    this.#wheel.add(this, this.#nextCheck());
    exchange.onClientGone((cause) => this.#onClientGone(cause));
    if (signal !== undefined) this.#listen(signal);
    if (this.#phase === over) return;

    const feature = exchange.features.upgrade;
    if (feature !== undefined) this.#upgrade = forwardedUpgrade(feature);
    if (this.#upgrade !== undefined) {
      this.#startUpgrade(this.#upgrade, (feature as UpgradeFeature).kind);
    } else if (exchange.request.method === "CONNECT") {
      this.#refuse(502, "CONNECT is not forwarded");
    } else {
      this.#prepare();
    }
  }

  #startUpgrade(upgrade: ForwardedUpgrade, kind: UpgradeFeature["kind"]): void {
    const { method } = this.#exchange.request;
    if (kind === "http1" && method !== "GET") {
      this.#refuse(400, `an upgrade by ${method} is not forwarded`);
      return;
    }
    const { version, versionPolicy } = this.#options;
    this.#plan = planUpgrade(upgrade, version ?? "2", versionPolicy ?? "RequestVersionOrLower", this.#destination.origin.scheme);
    if (this.#plan === undefined) this.#creationFailed(new TypeError("version and policy allow no such upgrade"));
    else this.#prepare();
  }

  #prepare(): void {
    const exchange = this.#exchange;
    const transformer = this.#transformer;
    const headers = new HeaderList();
    const body = this.#options.body ?? exchange.body;
    const outgoing = new Outgoing(exchange.request, this.#destination.prefix, headers, body, this.#options, this.#attempt);
    if (this.#plan !== undefined) this.#askForUpgrade(outgoing, this.#plan);
    this.#outgoing = outgoing;
    try {
      if (transformer.copyRequestHeaders !== false) {
        const omit = transformer.omitRequestHeaders;
        if (omit !== undefined && omit.has("host")) headers.appendFrom(this.#destination.hostLine, 0);
        this.#aboutContent = copyRequestFields(exchange.request, headers, omit);
      }
      const result = transformer.request?.(exchange, outgoing);
      if (isThenable(result)) {
        Promise.resolve(result).then(
          () => this.#send(),
          (cause: unknown) => this.#creationFailed(cause),
        );
        return;
      }
    } catch (cause) {
      this.#creationFailed(cause);
      return;
    }
    this.#send();
  }

  #send(): void {
    if (this.#phase !== preparing) return;
    const exchange = this.#exchange;
    const outgoing = this.#outgoing as Outgoing;
    if (exchange.response.started || exchange.response.ended) {
      this.#settle(undefined);
      return;
    }
    this.touch();
    let call: DestinationCall;
    try {
      const trusted = this.#transformer.trusted === true;
      if (!isMethod(outgoing.method)) throw new TypeError(`method ${JSON.stringify(outgoing.method)} is not a token`);
      if (!trusted) checkOutgoing(outgoing);
      this.#destination = address(outgoing, this.#destination);
      if (!trusted) checkTarget(outgoing.target);
      if (outgoing.body !== undefined) {
        if (exchange.body === undefined) throw new TypeError("a transform gave a body to a request that has none");
        if (outgoing.body.started) throw new ExchangeStateError("the request body was read before it could be forwarded");
        if (outgoing.bodyChange !== undefined && outgoing.body.length !== 0) this.#changeRequest(outgoing, outgoing.body);
        liftLimitsOfCall(exchange, outgoing.httpVersion, outgoing.versionPolicy, this.#destination.origin.scheme);
        this.#body = new RequestBody(outgoing.body, this);
        outgoing.body = this.#body;
        outgoing.expectContinue = expectsContinue(exchange.request);
      } else if (this.#aboutContent && this.#plan === undefined) {
        outgoing.body = new EmptyBody();
      }
      if (this.#plan !== undefined && !this.#settleKey(outgoing.headers, this.#plan)) return;
      const client = this.#destination.clientOf(this.#options.client);
      const attempt = this.#attempt;
      this.#phase = waiting;
      call = client.send(outgoing, this);
      // It failed at once, and another one stands in its place.
      if (attempt !== this.#attempt) return;
    } catch (cause) {
      this.#phase = preparing;
      this.#creationFailed(cause);
      return;
    }
    this.#call = call;
    // What came while `send` ran could not be passed on to the call yet.
    if (this.#givenUp !== undefined) call.abort(this.#givenUp);
    else if (this.#paused) call.pause();
  }

  #changeRequest(outgoing: Outgoing, body: BodySource): void {
    const change = outgoing.bodyChange as BodyChange;
    const decode = contentCodings(this.#exchange.request.headers);
    const options = { change, decode, encode: contentCodings(outgoing.headers), flushing: false };
    changeRequestFields(outgoing.headers);
    outgoing.body = new ChangedRequestBody(body, options, () => this.touch());
  }

  #askForUpgrade(outgoing: Outgoing, plan: UpgradePlan): void {
    const feature = this.#exchange.features.upgrade as UpgradeFeature;
    outgoing.upgrade = plan.connect || feature.kind === "http2" ? "websocket" : feature.protocol;
    outgoing.method = plan.connect ? "CONNECT" : "GET";
    outgoing.httpVersion = plan.connect ? "2" : "1.1";
    outgoing.versionPolicy = "RequestVersionExact";
  }

  /** A handshake between two versions needs a key on one side only. False: the client's was refused. */
  #settleKey(headers: HeaderList, plan: UpgradePlan): boolean {
    const fromHttp1 = this.#exchange.features.upgrade?.kind === "http1";
    if (fromHttp1 !== plan.connect) return true;
    this.#key = fromHttp1 ? takeKey(headers) : provideKey(headers);
    if (this.#key === undefined) this.#refuse(400, "Sec-WebSocket-Key is missing or malformed");
    return this.#key !== undefined;
  }

  /** An ordinary answer of this kind would be taken for a tunnel by a client of HTTP/2. */
  #looksUpgraded(head: ResponseHead): boolean {
    return this.#plan !== undefined && head.status < 300 && this.#exchange.features.upgrade?.kind === "http2";
  }

  #mayDowngrade(error: DestinationError): boolean {
    return this.#plan?.downgrade === true && error.versionUnavailable;
  }

  /** The second attempt, from a fresh copy of the client's head. */
  #downgrade(): void {
    this.#plan = { connect: false, downgrade: false };
    this.#attempt++;
    this.#key = undefined;
    this.#phase = preparing;
    this.#destination = this.#firstDestination;
    this.#call = undefined;
    this.#prepare();
  }

  // What the destination's client tells

  onProgress(): void {
    this.#lastTick = this.#wheel.tick;
  }

  onInformational(status: number, headers: HeaderList): void {
    if (this.#phase !== waiting) return;
    this.touch();
    // 100 is between the destination and its client; the client gets its own when its body is read.
    if (status === 100 || status === 101) return;
    const passing = new HeaderList();
    try {
      copyResponseFields({ status, headers }, passing);
      this.#exchange.response.informational(status, passing);
    } catch (cause) {
      this.#fail(responseFailure("ResponseHeaders", "gateway", cause));
    }
  }

  onResponse(head: ResponseHead): void {
    if (this.#phase !== waiting) return;
    if (this.#options.attempt?.responded(head) === true) {
      this.#phase = over;
      this.#giveUp();
      this.#settle(undefined);
      return;
    }
    if (this.#looksUpgraded(head)) {
      this.#fail(responseFailure("ResponseHeaders", "destination", new Error("the destination did not upgrade, and answered as if it had")));
      return;
    }
    const response = this.#transformHead(head);
    if (response === undefined) this.#headReady(head);
    else this.#awaitTransform(response, head, () => this.#headReady(head));
  }

  onData(chunk: Uint8Array): boolean | void {
    if (this.#phase === relaying) return this.#changed === undefined ? this.#write(chunk) : this.#change(this.#changed, chunk);
    if (this.#phase === transformingResponse) this.#pending?.data.push(chunk);
    return false;
  }

  onWholeResponse(head: ResponseHead, body: string): void {
    this.onResponse(head);
    const response = this.#head;
    const sink = this.#exchange.response;
    // All but the plain case goes the way of a streamed response: a body that is changed, a length that a transform took away.
    if (
      sink.sendLatin1 === undefined || this.#phase !== relaying || response === undefined || this.#changed !== undefined
      || this.#transformer.trailers !== undefined || !response.headers.has("content-length")
    ) {
      if (body !== "") this.onData(Buffer.from(body, "latin1"));
      this.onEnd(undefined);
      return;
    }
    this.#head = undefined;
    try {
      sink.sendLatin1(response, body);
    } catch (cause) {
      this.#fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return;
    }
    this.#responseOver();
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#phase === transformingResponse) {
      (this.#pending as PendingResponse).end(trailers);
      return;
    }
    if (this.#phase !== relaying) return;
    this.touch();
    if (this.#changed !== undefined) {
      this.#trailers = changeTrailers(trailers);
      // Its connection may serve somebody else while transforms still give.
      this.#call = undefined;
      this.#changed.end();
    } else this.#finish(trailers);
  }

  #finish(trailers: HeaderList | undefined): void {
    try {
      this.#endResponse(trailers);
    } catch (cause) {
      this.#fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return;
    }
    this.#responseOver();
  }

  #responseOver(): void {
    if (this.#body !== undefined && this.#body.state === "flowing") {
      this.#phase = finishingRequest;
      return;
    }
    this.#settle(undefined);
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    if (this.#phase !== waiting) {
      tunnel.abort(new Error("the forwarding is over"));
      return;
    }
    let passing = head;
    try {
      if (this.#key !== undefined) passing = head.status === 101 ? connectedHead(head, this.#key) : switchingHead(head, this.#key);
    } catch (cause) {
      tunnel.abort(cause as Error);
      this.#fail(responseFailure("ResponseHeaders", "destination", cause));
      return;
    }
    const response = this.#transformHead(passing);
    if ((this.#phase as number) === over) {
      tunnel.abort(new Error("the forwarding is over"));
      return;
    }
    if (response === undefined) this.#join(passing, tunnel);
    else this.#awaitTransform(response, passing, () => this.#join(passing, tunnel));
  }

  onError(error: DestinationError): void {
    if (this.#phase === waiting && this.#mayDowngrade(error)) this.#downgrade();
    else if (this.#phase === waiting) this.#fail(failureBeforeHead(error, this.#body));
    else if (this.#phase === transformingResponse) (this.#pending as PendingResponse).fail(error);
    else if (this.#phase === relaying) {
      this.#fail(requestBodyFailure(this.#body) ?? responseFailure("ResponseBodyDestination", error.source, error));
    }
  }

  // What the request body tells

  touch(): void {
    this.#lastTick = this.#wheel.tick;
  }

  onRequestBodyOver(): void {
    if (this.#phase !== finishingRequest) return;
    const body = this.#body as RequestBody;
    const failure = body.state === "cancelled" ? requestBodyUnwanted() : requestBodyFailure(body);
    // The response is with the client: nothing is left to change there.
    this.#settle(failure === undefined ? undefined : this.#describe(failure, undefined));
  }

  // What the wheel tells

  check(tick: number): number {
    if (this.#phase === over) return 0;
    if (this.#routeTick > 0 && tick >= this.#routeTick) {
      const cause = new Error("the route's timeout ran out");
      this.#fail({ code: "RouteTimeout", status: 504, source: "destination", retry: "never", cause });
      return 0;
    }
    if (this.#attemptTick > 0 && tick >= this.#attemptTick) {
      const body = this.#body;
      if (body === undefined || body.state !== "flowing" || body.paused) {
        const source = this.#phase === waiting ? "destination" : "gateway";
        const cause = new Error("the time for one attempt ran out");
        this.#fail({ code: "RequestTimedOut", status: 504, source, retry: "never", cause });
        return 0;
      }
      // It is the client that is waited for: the destination gets its time anew.
      this.#attemptTick = tick + this.#attemptTicks;
    }
    if (tick - this.#lastTick >= this.#activityTicks) {
      this.#stalled();
      return 0;
    }
    if (this.#phase === relaying && this.#head !== undefined && this.#changed === undefined) this.#flushHead();
    return (this.#phase as number) === over ? 0 : this.#nextCheck();
  }

  /** Starts the response without content, and sends the head now. */
  #flushHead(): void {
    try {
      this.#startResponse();
      this.#exchange.response.flush();
    } catch (cause) {
      this.#fail(responseFailure("ResponseBodyClient", "gateway", cause));
    }
  }

  #nextCheck(): number {
    const idle = this.#lastTick + this.#activityTicks;
    const next = this.#routeTick > 0 && this.#routeTick < idle ? this.#routeTick : idle;
    return this.#attemptTick > 0 && this.#attemptTick < next ? this.#attemptTick : next;
  }

  #stalled(): void {
    if (this.#phase === preparing || this.#phase === waiting) {
      this.#fail(stalledBeforeHead(this.#body, this.#phase === waiting));
      return;
    }
    if (this.#phase === finishingRequest) this.#giveRequestUp(stalledBeforeHead(this.#body, true));
    else this.#fail(stalledAfterHead(this.#draining));
  }

  // The response

  /** Builds the client's head and runs the response transform; a promise when that is one. */
  #transformHead(head: ResponseHead): PromiseLike<void | false> | undefined {
    this.touch();
    this.#routeTick = 0;
    this.#attemptTick = 0;
    this.#phase = transformingResponse;
    const exchange = this.#exchange;
    const transformer = this.#transformer;
    const response = clientHead(head, exchange.request.httpVersion, this.#options.responseHeaders);
    this.#head = response;
    try {
      if (transformer.copyResponseHeaders !== false) copyResponseFields(head, response.headers);
      const result = transformer.response?.(exchange, response, head);
      if (isThenable(result)) return result;
      this.#transformed(result, head);
    } catch (cause) {
      this.#responseFailed(cause);
    }
    return undefined;
  }

  #awaitTransform(response: PromiseLike<void | false>, head: ResponseHead, then: () => void): void {
    this.#pending = new PendingResponse();
    this.#pause();
    // A promise of ours, once: what a transform gives may be any thenable.
    Promise.resolve(response).then(
      (result) => {
        if (this.#phase !== transformingResponse) return;
        try {
          this.#transformed(result, head);
        } catch (cause) {
          this.#responseFailed(cause);
          return;
        }
        then();
      },
      (cause: unknown) => this.#responseFailed(cause),
    );
  }

  #transformed(result: void | false, head: ResponseHead): void {
    const response = this.#head as ClientResponse;
    const sink = this.#exchange.response;
    if (!this.#transformer.trusted && this.#transformer.response !== undefined) checkResponse(response, head);
    if (sink.started) {
      this.#giveUp();
      this.#settle(undefined);
    } else if (result === false) {
      this.#giveUp();
      response.headers.remove("content-length");
      sink.send(response);
      this.#settle(undefined);
    }
  }

  #headReady(head: ResponseHead): void {
    if (this.#phase !== transformingResponse) return;
    const response = this.#head as ClientResponse;
    if (response.bodyChange !== undefined && head.status !== 206 && !this.#changeResponse(response, head)) return;
    this.#phase = relaying;
    if (isEventStream(response.headers)) this.#flushHead();
    // A transform may find that the body cannot be used: until it gave something, that can still be told.
    else if (this.#changed === undefined) this.#wheel.move(this, this.#wheel.tick + 1);
    const pending = this.#pending;
    if (pending === undefined || (this.#phase as number) !== relaying) return;
    this.#pending = undefined;
    pending.deliver(this);
    if ((this.#phase as number) === relaying && !this.#draining) this.#resume();
  }

  /** False when it cannot be changed: the forwarding is over then. */
  #changeResponse(response: ClientResponse, head: ResponseHead): boolean {
    try {
      const change = response.bodyChange as BodyChange;
      const decode = contentCodings(head.headers);
      const encode = contentCodings(response.headers);
      changeResponseFields(response.headers);
      this.#changed = new ChangedBody({ change, decode, encode, flushing: isEventStream(response.headers) }, this);
      return true;
    } catch (cause) {
      this.#fail(responseFailure("ResponseHeaders", cause instanceof BodyContentError ? "destination" : "gateway", cause));
      return false;
    }
  }

  #change(changed: ChangedBody, chunk: Uint8Array): false {
    this.touch();
    if (!changed.write(chunk)) this.#call?.pause();
    return false;
  }

  onChangedRoom(): void {
    if (this.#phase === relaying) this.#call?.resume();
  }

  onChangedData(chunk: Uint8Array): void {
    if (this.#phase === relaying && chunk.length > 0) this.#write(chunk);
  }

  onChangedEnd(): void {
    if (this.#phase === relaying) this.#finish(this.#trailers);
  }

  onChangedError(error: Error): void {
    if (this.#phase !== relaying) return;
    const ofDestination = error instanceof BodyContentError;
    const code = ofDestination ? "ResponseBodyDestination" : "ResponseBodyClient";
    this.#fail(responseFailure(code, ofDestination ? "destination" : "gateway", error));
  }

  #write(chunk: Uint8Array): boolean {
    this.touch();
    const sink = this.#exchange.response;
    try {
      if (this.#head !== undefined) this.#startResponse();
      if (!sink.write(chunk) && !this.#draining) this.#awaitDrain();
      return sink.pending === 0;
    } catch (cause) {
      this.#fail(responseFailure("ResponseBodyClient", "gateway", cause));
      return false;
    }
  }

  #awaitDrain(): void {
    this.#draining = true;
    this.#pause();
    this.#exchange.response.onDrain(() => this.#onDrain());
  }

  #onDrain(): void {
    if (this.#phase !== relaying || !this.#draining) return;
    this.#draining = false;
    this.touch();
    this.#resume();
  }

  #startResponse(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#exchange.response.start(head);
  }

  #endResponse(trailers: HeaderList | undefined): void {
    const transformer = this.#transformer;
    const passing =
      trailers === undefined && transformer.trailers === undefined
        ? undefined
        : clientTrailers(this.#exchange, transformer, trailers);
    this.#startResponse();
    this.#exchange.response.end(passing);
  }

  #join(head: ResponseHead, tunnel: Tunnel): void {
    const feature = this.#exchange.features.upgrade;
    if (this.#phase !== transformingResponse || feature === undefined) {
      tunnel.abort(new Error("the client does not take part in the upgrade"));
      if (this.#phase !== over) this.#responseFailed(new Error("the destination upgraded a request that asked for none"));
      return;
    }
    const response = this.#head as ClientResponse;
    this.#head = undefined;
    // A 2xx to CONNECT has no content (RFC 9110, 9.3.6).
    response.headers.remove("content-length");
    const protocol = head.headers.get("upgrade");
    if (protocol !== undefined && feature.kind === "http1" && namesUpgrade(head.headers)) response.headers.set("Upgrade", protocol);
    let client: Tunnel;
    try {
      client = feature.accept(response);
    } catch (cause) {
      tunnel.abort(cause instanceof Error ? cause : new Error("accepting the upgrade failed"));
      this.#fail(responseFailure("UpgradeResponseClient", "client", cause));
      return;
    }
    this.#phase = upgraded;
    this.#wheel.remove(this);
    this.#relay = new TunnelRelay(client, tunnel, {
      wheel: this.#wheel,
      activityTicks: this.#activityTicks,
      webSocket: this.#upgrade === "websocket",
      shutdown: this.#options.shutdown,
      onReport: this.#options.onWebSocketClosed,
      done: (failure) => this.#settle(failure === undefined ? undefined : this.#describe(failure, undefined)),
    });
    this.#relay.start();
  }

  // Ends

  #listen(signal: AbortSignal): void {
    if (signal.aborted) {
      this.#onCallerGone(signal.reason);
      return;
    }
    this.#onAbort = () => this.#onCallerGone(signal.reason);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  #onCallerGone(cause: unknown): void {
    this.#canceled(cause, true);
  }

  #onClientGone(cause: Error): void {
    this.#canceled(cause, false);
  }

  #canceled(cause: unknown, byCaller: boolean): void {
    if (this.#phase === preparing || this.#phase === waiting) {
      this.#fail(canceledBeforeHead(this.#body, cause, byCaller));
    } else if (this.#phase === upgraded) {
      (this.#relay as TunnelRelay).cancel(cause, byCaller ? "gateway" : "client");
    } else if (this.#phase === finishingRequest) {
      this.#giveRequestUp(canceledBeforeHead(this.#body, cause, byCaller));
    } else if (this.#phase !== over) {
      this.#fail(canceledAfterHead(cause, byCaller));
    }
  }

  /** The response is with the client; what is left of the request is not waited for any longer. */
  #giveRequestUp(failure: Failure): void {
    this.#phase = over;
    const error = this.#describe(failure, undefined);
    this.#giveUp(error);
    this.#body?.cancel();
    this.#settle(error);
  }

  #refuse(status: number, message: string): void {
    const cause = new BadRequestError(status, "NOT_FORWARDED", message);
    this.#fail({ code: "RequestCreation", status, source: "client", retry: "safe", cause });
  }

  #creationFailed(cause: unknown): void {
    if (this.#phase !== preparing) return;
    const ofClient = cause instanceof BodyContentError;
    this.#fail({ code: "RequestCreation", status: ofClient ? cause.status : 502, source: ofClient ? "client" : "gateway", retry: "safe", cause });
  }

  #responseFailed(cause: unknown): void {
    if (this.#phase !== transformingResponse) return;
    this.#fail(responseFailure("ResponseHeaders", "gateway", cause));
  }

  #fail(failure: Failure): void {
    if (this.#phase === over) return;
    const headKnown = this.#phase >= transformingResponse;
    this.#phase = over;
    this.#head = undefined;
    const sink = this.#exchange.response;
    const { attempt } = this.#options;
    if (attempt !== undefined && !headKnown && !sink.started) {
      const unanswered = this.#describe(failure, undefined);
      if (attempt.failed(unanswered)) {
        this.#giveUp(unanswered);
        this.#settle(unanswered);
        return;
      }
    }
    const error = this.#describe(failure, sink.started ? undefined : failure.status);
    this.#giveUp(error);
    if (sink.started) {
      // A relay or a response that is whole never comes here.
      sink.abort(error);
      this.#settle(error);
      return;
    }
    const own = headKnown ? undefined : this.#options.responseHeaders;
    const response = { status: failure.status, reason: undefined, headers: own?.copy() ?? new HeaderList() };
    // Response transforms run without a response, unless they ran already.
    const transformer = headKnown ? untransformed : this.#transformer;
    answerFailure(this.#exchange, response, transformer, (fault) => this.#settle(error, fault));
  }

  #describe(failure: Failure, status: number | undefined): ForwarderError {
    return describeFailure(failure, this.#destination.origin, status);
  }

  #settle(error: ForwarderError | undefined, fault?: unknown): void {
    this.#phase = over;
    this.#wheel.remove(this);
    if (this.#onAbort !== undefined) this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#pending = undefined;
    this.#done(error, fault);
  }

  #giveUp(error?: Error): void {
    this.#changed?.destroy();
    this.#givenUp = error ?? new Error("the response is not wanted");
    this.#call?.abort(this.#givenUp);
  }

  #pause(): void {
    this.#paused = true;
    if (this.#changed === undefined) this.#call?.pause();
    else this.#changed.pause();
  }

  #resume(): void {
    this.#paused = false;
    this.#changed?.resume();
    if (this.#changed?.full !== true) this.#call?.resume();
  }

}
