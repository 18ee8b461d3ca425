/**
 * The attempts to serve one request:
 *
 * 1. the forwarder asks, before the client is answered, whether a failure or a response is taken for the last word
 * 2. it is not when the policy counts it, attempts, time and budget are left, the body can be sent again, and there is another
 *    destination; the decision is made then and there, as nobody has answered the client from that moment on
 * 3. once the steps of the attempt are over, the context is made ready for the next one
 */
import { firstTier, type ClusterState, type DestinationState, type RetryBudget } from "@proxy/cluster";
import type { ForwardAttempt, ForwarderError } from "@proxy/forwarder";
import type { ResponseHead } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import { timeLeft } from "../steps/timeout.ts";
import { KeptBody } from "./kept-body.ts";
import { conditionOf, type RetryPolicy } from "./retry-policy.ts";

export class Attempts implements ForwardAttempt {
  number = 1;
  readonly timeout: number | undefined;
  readonly #ctx: ProxyContext;
  readonly #policy: RetryPolicy;
  readonly #budget: RetryBudget;
  readonly #logger: ProxyLogger;
  readonly #body: KeptBody | undefined;
  readonly #cluster: ClusterState | undefined;
  readonly #offered: readonly DestinationState[];
  readonly #tried: DestinationState[] = [];
  #next: readonly DestinationState[] | undefined;

  /** Made where the destinations that may be chosen stand in the context. */
  constructor(ctx: ProxyContext, policy: RetryPolicy, budget: RetryBudget, logger: ProxyLogger) {
    this.#ctx = ctx;
    this.#policy = policy;
    this.#budget = budget;
    this.#logger = logger;
    this.timeout = policy.perTryTimeout;
    this.#cluster = ctx.clusterState;
    this.#offered = ctx.available;
    ctx.attempts = this;
    if (ctx.body === undefined) return;
    this.#body = new KeptBody(ctx.body, policy.maxBodySize);
    ctx.body = this.#body.view();
  }

  /** Whether the attempt that ended is followed by another. */
  get goesOn(): boolean {
    return this.#next !== undefined;
  }

  failed(error: ForwarderError): boolean {
    const condition = conditionOf(error);
    return condition !== undefined && this.#policy.conditions.has(condition) && this.#goOn(condition, undefined);
  }

  responded({ status }: ResponseHead): boolean {
    if (this.#policy.statuses.has(status) && this.#goOn("StatusCode", status)) {
      this.#ctx.destinationStatus = status;
      return true;
    }
    this.#body?.settle();
    return false;
  }

  /** Makes the context ready for the next attempt. False: there is none. */
  advance(): boolean {
    const ctx = this.#ctx;
    const next = this.#next;
    const { response } = ctx.exchange;
    // A step may have answered in the meantime, or the client left.
    if (next === undefined || response.started || response.ended) return false;
    this.#next = undefined;
    ctx.attempt = ++this.number;
    ctx.available = next;
    ctx.destination = undefined;
    ctx.destinationStatus = undefined;
    ctx.outcome = undefined;
    if (this.#body !== undefined) ctx.body = this.#body.view();
    return true;
  }

  close(): void {
    this.#ctx.attempts = undefined;
    this.#body?.close();
  }

  #goOn(reason: string, status: number | undefined): boolean {
    const ctx = this.#ctx;
    const { destination, exchange } = ctx;
    // A step that sent the request to another cluster decided where it goes.
    if (ctx.clusterState !== this.#cluster) return false;
    if (destination === undefined || this.number >= this.#policy.maxAttempts) return false;
    if (exchange.response.started || exchange.response.ended || timeLeft(ctx) === 0) return false;
    if (this.#body?.isRepeatable === false) return false;
    this.#tried.push(destination);
    const next = this.#others();
    if (next.length === 0 || !this.#takeFromBudget()) return false;
    this.#next = next;
    this.#leaveSession(next);
    this.#body?.hold();
    this.#logger.event("info", "request-retried", { ...this.#names(), destination: destination.id, attempt: this.number, reason, status });
    return true;
  }

  #takeFromBudget(): boolean {
    const wasExhausted = this.#budget.isExhausted;
    if (this.#budget.take()) return true;
    if (!wasExhausted) this.#logger.event("warning", "retry-budget-exhausted", this.#names());
    return false;
  }

  /** The destinations left to try: of those offered first, then of later priorities. */
  #others(): readonly DestinationState[] {
    const ctx = this.#ctx;
    const offered = this.#untried(this.#offered);
    if (offered.length > 0) return offered;
    if (ctx.affinity?.status === "OK") {
      // The session's own destinations failed. Whether it may leave them is the failure policy's to say.
      if (ctx.cluster?.affinity?.failurePolicy.name.toLowerCase() !== "redistribute") return offered;
      const elsewhere = this.#untried(ctx.beforeAffinity ?? []);
      if (elsewhere.length > 0) return elsewhere;
    }
    return firstTier(this.#untried(ctx.clusterState?.destinations.reserve ?? []));
  }

  /** What became unavailable in the meantime is left out, unless there is nothing else. */
  #untried(list: readonly DestinationState[]): readonly DestinationState[] {
    const untried = list.filter((each) => !this.#tried.includes(each));
    const fit = untried.filter((each) => each.availableSince !== undefined);
    return fit.length > 0 ? fit : untried;
  }

  /** As with any key that leads nowhere: the response brings the key of the new destination. */
  #leaveSession(next: readonly DestinationState[]): void {
    const { affinity } = this.#ctx;
    if (affinity?.status !== "OK" || next.every((each) => affinity.destinations.includes(each))) return;
    this.#ctx.affinity = { status: "DestinationNotFound", destinations: [], reason: "no-match" };
  }

  #names(): Record<string, string | undefined> {
    return { route: this.#ctx.route.config.routeId, cluster: this.#ctx.clusterState?.id };
  }
}
