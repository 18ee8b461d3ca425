/**
 * The ways in which a forwarding ends. Each event is judged by the phase: who was waited for, whether the client has begun to
 * get an answer, whether there is one left to give. The outcome is told once, by `settle`.
 */
import { BadRequestError, HeaderList } from "@proxy/http";
import { BodyContentError } from "./body/body-transform.ts";
import {
  canceledAfterHead,
  canceledBeforeHead,
  describeFailure,
  type Failure,
  responseFailure,
  stalledAfterHead,
  stalledBeforeHead,
} from "./failure.ts";
import { answerFailure } from "./failure-answer.ts";
import type { Transformer } from "./forward-options.ts";
import type { ForwarderError } from "./forwarder-error.ts";
import { ForwardingDeadlines } from "./forwarding-deadlines.ts";
import { finishingRequest, over, preparing, transformingResponse, upgraded, waiting } from "./forwarding-state.ts";
import type { TunnelRelay } from "./tunnel-relay.ts";

const untransformed: Transformer = { trusted: true };

export abstract class ForwardingEnds extends ForwardingDeadlines {
  // Client and caller leave

  protected listen(): void {
    this.exchange.onClientGone((cause) => this.canceled(cause, false));
    if (this.options.signal !== undefined) this.listenTo(this.options.signal);
  }

  private listenTo(signal: AbortSignal): void {
    if (signal.aborted) {
      this.canceled(signal.reason, true);
      return;
    }
    this.onAbort = () => this.canceled(signal.reason, true);
    signal.addEventListener("abort", this.onAbort, { once: true });
  }

  private canceled(cause: unknown, byCaller: boolean): void {
    if (this.phase === preparing || this.phase === waiting) {
      this.fail(canceledBeforeHead(this.body, cause, byCaller));
    } else if (this.phase === upgraded) {
      (this.relay as TunnelRelay).cancel(cause, byCaller ? "gateway" : "client");
    } else if (this.phase === finishingRequest) {
      this.giveRequestUp(canceledBeforeHead(this.body, cause, byCaller));
    } else if (this.phase !== over) {
      this.fail(canceledAfterHead(cause, byCaller));
    }
  }

  // The clock runs out

  protected routeTimedOut(): void {
    const cause = new Error("the route's timeout ran out");
    this.fail({ code: "RouteTimeout", status: 504, source: "destination", retry: "never", cause });
  }

  protected attemptTimedOut(): void {
    const source = this.phase === waiting ? "destination" : "gateway";
    const cause = new Error("the time for one attempt ran out");
    this.fail({ code: "RequestTimedOut", status: 504, source, retry: "never", cause });
  }

  protected waitsForClient(): boolean {
    return this.body !== undefined && this.body.state === "flowing" && !this.body.paused;
  }

  protected stalled(): void {
    if (this.phase === preparing || this.phase === waiting) this.fail(stalledBeforeHead(this.body, this.phase === waiting));
    else if (this.phase === finishingRequest) this.giveRequestUp(stalledBeforeHead(this.body, true));
    else this.fail(stalledAfterHead(this.draining));
  }

  // What cannot go on

  protected refuse(status: number, message: string): void {
    const cause = new BadRequestError(status, "NOT_FORWARDED", message);
    this.fail({ code: "RequestCreation", status, source: "client", retry: "safe", cause });
  }

  protected creationFailed(cause: unknown): void {
    if (this.phase !== preparing) return;
    const ofClient = cause instanceof BodyContentError;
    this.fail({ code: "RequestCreation", status: ofClient ? cause.status : 502, source: ofClient ? "client" : "gateway", retry: "safe", cause });
  }

  protected responseFailed(cause: unknown): void {
    if (this.phase !== transformingResponse) return;
    this.fail(responseFailure("ResponseHeaders", "gateway", cause));
  }

  /** The response is with the client; what is left of the request is not waited for any longer. */
  private giveRequestUp(failure: Failure): void {
    this.phase = over;
    const error = this.describe(failure, undefined);
    this.giveUp(error);
    this.body?.cancel();
    this.settle(error);
  }

  protected fail(failure: Failure): void {
    if (this.phase === over) return;
    const headKnown = this.phase >= transformingResponse;
    this.phase = over;
    this.head = undefined;
    const sink = this.exchange.response;
    const { attempt } = this.options;
    if (attempt !== undefined && !headKnown && !sink.started) {
      const unanswered = this.describe(failure, undefined);
      if (attempt.failed(unanswered)) {
        this.giveUp(unanswered);
        this.settle(unanswered);
        return;
      }
    }
    const error = this.describe(failure, sink.started ? undefined : failure.status);
    this.giveUp(error);
    if (sink.started) {
      // A relay or a response that is whole never comes here.
      sink.abort(error);
      this.settle(error);
      return;
    }
    const own = headKnown ? undefined : this.options.responseHeaders;
    const response = { status: failure.status, reason: undefined, headers: own?.copy() ?? new HeaderList() };
    // Response transforms run without a response, unless they ran already.
    const transformer = headKnown ? untransformed : this.transformer;
    answerFailure(this.exchange, response, transformer, (fault) => this.settle(error, fault));
  }

  protected describe(failure: Failure, status: number | undefined): ForwarderError {
    return describeFailure(failure, this.destination.origin, status);
  }

  protected giveUp(error?: Error): void {
    this.changed?.destroy();
    this.givenUp = error ?? new Error("the response is not wanted");
    this.call?.abort(this.givenUp);
  }

  protected settle(error: ForwarderError | undefined, fault?: unknown): void {
    this.phase = over;
    this.wheel.remove(this);
    if (this.onAbort !== undefined) this.options.signal?.removeEventListener("abort", this.onAbort);
    this.pending = undefined;
    this.done(error, fault);
  }
}
