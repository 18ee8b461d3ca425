import type { DestinationState, RandomSource } from "@proxy/cluster";
import { ForwarderError } from "@proxy/forwarder";
import { Completion } from "@proxy/http";
import { answerFailure, answerStatus } from "../answer.ts";
import type { ProxyContext } from "../context.ts";
import { presentedExchange } from "../wrapped-exchange.ts";
import type { ProxyLogger } from "../logger.ts";
import type { DelegationFailure, RequestDelegator } from "../request-delegator.ts";
import type { Step } from "./step.ts";

/**
 * Hands the request to another process, where its destination says so; what comes after is not run then.
 *
 * 1. None left: on to `forward`, which answers 503. Several left: any of them, with a warning; it is the one that stays.
 * 2. The one left is forwarded to: on to `forward`.
 * 3. Counters go up while the hand-over lasts. What becomes of the response nobody here learns.
 * 4. It failed: 503. Without a queue the outcome is `NoAvailableDestinations`, by the destination's fault; when giving it away failed `Request`.
 *    A request that cannot be given away is somebody's mistake: 500; so is one whose head a step changed, since the other process reads it as it came.
 */
export function delegateStep(delegator: RequestDelegator, logger: ProxyLogger, random: RandomSource): Step {
  const leaveOne = (ctx: ProxyContext): DestinationState | undefined => {
    const { available } = ctx;
    if (available.length < 2) return available[0];
    if (!available.some((each) => delegator.delegates(each))) return undefined;
    logger.event("warning", "multiple-destinations-available", {
      route: ctx.route.config.routeId,
      cluster: ctx.clusterState?.id,
      count: available.length,
    });
    const picked = available[random(available.length)] as DestinationState;
    ctx.available = [picked];
    return picked;
  };
  return {
    name: "delegate",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      if (ctx.outcome !== undefined) return next(ctx);
      const destination = leaveOne(ctx);
      if (destination === undefined || !delegator.delegates(destination)) return next(ctx);
      return delegate(ctx, destination, delegator, logger);
    },
  };
}

function delegate(ctx: ProxyContext, destination: DestinationState, delegator: RequestDelegator, logger: ProxyLogger): Completion {
  const cluster = ctx.clusterState;
  const names = { route: ctx.route.config.routeId, cluster: cluster?.id, destination: destination.id };
  const end = new Completion();
  ctx.destination = destination;
  const presented = presentedExchange(ctx.exchange);
  // What a step took out of the head, such as what a client says of its own identity, would be in it again.
  if (presented.request !== ctx.exchange.request) throw new Error("a step changed the head of the request, which cannot be handed over with it");
  if (cluster !== undefined) cluster.inFlight++;
  destination.inFlight++;
  delegator.delegate(presented, destination, (failure) => {
    if (cluster !== undefined) cluster.inFlight--;
    destination.inFlight--;
    if (destination.inFlight === 0) destination.drain?.idle();
    if (failure === undefined) {
      ctx.delegated = true;
      logger.event("debug", "request-delegated", names);
    } else if (failure.reason === "impossible") {
      logger.event("error", "step-failed", { ...names, error: failure.error });
      answerFailure(ctx.exchange, failure.error);
    } else {
      ctx.outcome = outcomeOf(failure, destination);
      const level = failure.reason === "failed" ? "error" : "warning";
      logger.event(level, "delegation-failed", { ...names, reason: failure.reason, error: failure.error });
      answerStatus(ctx.exchange, 503);
    }
    end.complete();
  });
  return end;
}

function outcomeOf({ reason, error }: DelegationFailure, destination: DestinationState): ForwarderError {
  const code = reason === "failed" ? "Request" : "NoAvailableDestinations";
  return new ForwarderError(code, `the request could not be handed to destination '${destination.id}'`, {
    source: "destination", retry: "never", status: 503, cause: error,
  });
}
