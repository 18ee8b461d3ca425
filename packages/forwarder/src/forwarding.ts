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
 * One object for the whole of it, with one phase that judges every event: the request here (1 to 3), `ForwardingResponse` (4, 5),
 * `ForwardingEnds` (6), `ForwardingDeadlines`, `ForwardingState`, each built on the next.
 */
import {
  type BodySource,
  type DestinationCall,
  type DestinationError,
  type DestinationHandler,
  ExchangeStateError,
  HeaderList,
  isMethod,
  type ResponseHead,
  type Tunnel,
} from "@proxy/http";
import type { BodyChange } from "./body/body-transform.ts";
import { changeRequestFields } from "./body/changed-head.ts";
import { ChangedRequestBody } from "./body/changed-request-body.ts";
import { contentCodings } from "./body/content-coding.ts";
import { bindsConnection } from "./connection-bound.ts";
import { failureBeforeHead, requestBodyFailure, requestBodyUnwanted, responseFailure } from "./failure.ts";
import type { ClientResponse } from "./forward-options.ts";
import { finishingRequest, over, preparing, relaying, transformingResponse, upgraded, waiting } from "./forwarding-state.ts";
import { ForwardingResponse } from "./forwarding-response.ts";
import { liftLimitsOfCall } from "./grpc.ts";
import { address, checkOutgoing, checkTarget, Outgoing } from "./outgoing.ts";
import type { PendingResponse } from "./pending-response.ts";
import { EmptyBody, RequestBody, type RequestBodyOwner } from "./request-body.ts";
import { copyRequestFields, expectsContinue } from "./request-headers.ts";
import { isThenable } from "./thenable.ts";
import { TunnelRelay } from "./tunnel-relay.ts";
import { UpgradeHandshake } from "./upgrade-handshake.ts";

export class Forwarding extends ForwardingResponse implements DestinationHandler, RequestBodyOwner {
  /** Throws an `ExchangeStateError` when the exchange is answered already; from then on nothing throws. */
  start(): void {
    const { exchange } = this;
    if (exchange.response.started) throw new ExchangeStateError("the exchange is answered already");
    this.startClock(this.options);
    this.listen();
    if (this.phase === over) return;
    this.handshake = UpgradeHandshake.of(exchange);
    if (this.handshake !== undefined) this.startUpgrade(this.handshake);
    else if (exchange.request.method === "CONNECT") this.refuse(502, "CONNECT is not forwarded");
    else this.prepare();
  }

  private startUpgrade(handshake: UpgradeHandshake): void {
    const { method } = this.exchange.request;
    if (!handshake.takes(method)) this.refuse(400, `an upgrade by ${method} is not forwarded`);
    else if (handshake.plan(this.options, this.destination.origin.scheme)) this.prepare();
    else this.creationFailed(new TypeError("version and policy allow no such upgrade"));
  }

  private prepare(): void {
    const { exchange, transformer } = this;
    const headers = new HeaderList();
    const body = this.options.body ?? exchange.body;
    const outgoing = new Outgoing(exchange.request, this.destination.prefix, headers, body, this.options, this.attempt);
    this.handshake?.ask(outgoing);
    this.outgoing = outgoing;
    try {
      if (transformer.copyRequestHeaders !== false) {
        const omit = transformer.omitRequestHeaders;
        if (omit !== undefined && omit.has("host")) headers.appendFrom(this.destination.hostLine, 0);
        this.aboutContent = copyRequestFields(exchange.request, headers, omit);
      }
      const result = transformer.request?.(exchange, outgoing);
      if (isThenable(result)) {
        Promise.resolve(result).then(
          () => this.send(),
          (cause: unknown) => this.creationFailed(cause),
        );
        return;
      }
    } catch (cause) {
      this.creationFailed(cause);
      return;
    }
    this.send();
  }

  private send(): void {
    if (this.phase !== preparing) return;
    const { exchange } = this;
    const outgoing = this.outgoing as Outgoing;
    if (exchange.response.started || exchange.response.ended) {
      this.settle(undefined);
      return;
    }
    this.touch();
    let call: DestinationCall;
    try {
      const trusted = this.transformer.trusted === true;
      if (!isMethod(outgoing.method)) throw new TypeError(`method ${JSON.stringify(outgoing.method)} is not a token`);
      if (!trusted) checkOutgoing(outgoing);
      this.destination = address(outgoing, this.destination);
      if (!trusted) checkTarget(outgoing.target);
      if (outgoing.body !== undefined) {
        if (exchange.body === undefined) throw new TypeError("a transform gave a body to a request that has none");
        if (outgoing.body.started) throw new ExchangeStateError("the request body was read before it could be forwarded");
        if (outgoing.bodyChange !== undefined && outgoing.body.length !== 0) this.changeRequest(outgoing, outgoing.body);
        liftLimitsOfCall(exchange, outgoing.httpVersion, outgoing.versionPolicy, this.destination.origin.scheme);
        this.body = new RequestBody(outgoing.body, this);
        outgoing.body = this.body;
        outgoing.expectContinue = expectsContinue(exchange.request);
      } else if (this.aboutContent && this.handshake === undefined) {
        outgoing.body = new EmptyBody();
      }
      if (this.handshake?.settleKey(outgoing.headers) === false) {
        this.refuse(400, "Sec-WebSocket-Key is missing or malformed");
        return;
      }
      outgoing.singleUse = bindsConnection(outgoing.headers);
      const client = this.destination.clientOf(this.options.client);
      const attempt = this.attempt;
      this.phase = waiting;
      call = client.send(outgoing, this);
      // It failed at once, and another one stands in its place.
      if (attempt !== this.attempt) return;
    } catch (cause) {
      this.phase = preparing;
      this.creationFailed(cause);
      return;
    }
    this.call = call;
    // What came while `send` ran could not be passed on to the call yet.
    if (this.givenUp !== undefined) call.abort(this.givenUp);
    else if (this.paused) call.pause();
  }

  private changeRequest(outgoing: Outgoing, body: BodySource): void {
    const change = outgoing.bodyChange as BodyChange;
    const decode = contentCodings(this.exchange.request.headers);
    const options = { change, decode, encode: contentCodings(outgoing.headers), flushing: false };
    changeRequestFields(outgoing.headers);
    outgoing.body = new ChangedRequestBody(body, options, () => this.touch());
  }

  onRequestBodyOver(): void {
    if (this.phase !== finishingRequest) return;
    const body = this.body as RequestBody;
    const failure = body.state === "cancelled" ? requestBodyUnwanted() : requestBodyFailure(body);
    // The response is with the client: nothing is left to change there.
    this.settle(failure === undefined ? undefined : this.describe(failure, undefined));
  }

  onError(error: DestinationError): void {
    if (this.phase === waiting) {
      if (this.handshake?.downgrade(error) === true) this.beginAgain();
      else this.fail(failureBeforeHead(error, this.body));
    } else if (this.phase === transformingResponse) (this.pending as PendingResponse).fail(error);
    else if (this.phase === relaying) {
      this.fail(requestBodyFailure(this.body) ?? responseFailure("ResponseBodyDestination", error.source, error));
    }
  }

  /** The second attempt of an upgrade, from a fresh copy of the client's head. */
  private beginAgain(): void {
    this.attempt++;
    this.phase = preparing;
    this.destination = this.firstDestination;
    this.call = undefined;
    this.prepare();
  }

  // Upgrades

  protected looksUpgraded(head: ResponseHead): boolean {
    return this.handshake?.seemsDone(head) === true;
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    if (this.phase !== waiting) {
      tunnel.abort(new Error("the forwarding is over"));
      return;
    }
    let passing = head;
    try {
      if (this.handshake !== undefined) passing = this.handshake.headForClient(head);
    } catch (cause) {
      tunnel.abort(cause as Error);
      this.fail(responseFailure("ResponseHeaders", "destination", cause));
      return;
    }
    const response = this.transformHead(passing);
    if ((this.phase as number) === over) {
      tunnel.abort(new Error("the forwarding is over"));
      return;
    }
    if (response === undefined) this.join(passing, tunnel);
    else this.awaitTransform(response, passing, () => this.join(passing, tunnel));
  }

  private join(head: ResponseHead, tunnel: Tunnel): void {
    const handshake = this.handshake;
    if (this.phase !== transformingResponse || handshake === undefined) {
      tunnel.abort(new Error("the client does not take part in the upgrade"));
      if (this.phase !== over) this.responseFailed(new Error("the destination upgraded a request that asked for none"));
      return;
    }
    const response = this.head as ClientResponse;
    this.head = undefined;
    let client: Tunnel;
    try {
      client = handshake.accept(response, head);
    } catch (cause) {
      tunnel.abort(cause instanceof Error ? cause : new Error("accepting the upgrade failed"));
      this.fail(responseFailure("UpgradeResponseClient", "client", cause));
      return;
    }
    this.phase = upgraded;
    this.wheel.remove(this);
    this.relay = new TunnelRelay(client, tunnel, {
      wheel: this.wheel,
      activityTicks: this.activityTicks,
      webSocket: handshake.upgrade === "websocket",
      shutdown: this.options.shutdown,
      onReport: this.options.onWebSocketClosed,
      done: (failure) => this.settle(failure === undefined ? undefined : this.describe(failure, undefined)),
    });
    this.relay.start();
  }
}
