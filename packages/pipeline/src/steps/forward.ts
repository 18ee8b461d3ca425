import type { ClusterState, DestinationState, RandomSource } from "@proxy/cluster";
import { ForwarderError, forwardWith, type ForwardDone, type ForwardOptions, type ForwardWithOptions } from "@proxy/forwarder";
import { Completion } from "@proxy/http";
import { answerStatus } from "../answer.ts";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import { destinationModelOf } from "../state/cluster-models.ts";
import { boundForwardOptions } from "../transforms/route-transformer.ts";
import type { Trust } from "../trusted-peers.ts";
import { handsOutAffinityKey } from "./session-affinity.ts";
import type { Step } from "./step.ts";
import { timeLeft } from "./timeout.ts";

/** What concerns upgraded connections only. */
export interface UpgradeOptions {
  readonly webSocketTelemetry?: boolean | undefined;
  /** Aborted when the proxy closes: WebSockets are told. */
  readonly shutdown?: AbortSignal | undefined;
}

/**
 * Sends the request to the destination that is left and gives its outcome to the context. The last step: what stands after it
 * runs never.
 *
 * 1. None left: 503 and `NoAvailableDestinations`. Several left: any of them, with a warning.
 * 2. Counters of cluster and destination go up.
 * 3. The forwarder does its work, upgraded connection included. With `webSocketTelemetry`, what a WebSocket carried is told.
 * 4. Counters go down, whatever happened; the outcome stands in the context before the steps around go on.
 */
export function forwardStep(logger: ProxyLogger, random: RandomSource, trust: Trust, upgrades: UpgradeOptions = {}): Step {
  const choose = (ctx: ProxyContext): DestinationState | undefined => {
    const { available } = ctx;
    if (available.length < 2) return available[0];
    logger.event("warning", "multiple-destinations-available", {
      route: ctx.route.config.routeId,
      cluster: ctx.clusterState?.id,
      count: available.length,
    });
    return available[random(available.length)];
  };
  const sending: Sending = { logger, trust, upgrades };
  return {
    name: "forward",
    applies: (route) => route.answer === undefined,
    run(ctx) {
      // The time of the route ran out while a step waited: answered, and told.
      if (ctx.outcome !== undefined) return;
      if (ctx.destination !== undefined) throw new Error("the request was forwarded already: a step called next twice");
      const destination = choose(ctx);
      if (destination === undefined) {
        refuse(ctx);
        return;
      }
      ctx.destination = destination;
      return send(ctx, destination, sending);
    },
  };
}

function refuse(ctx: ProxyContext): void {
  ctx.outcome = ctx.clusterState === undefined ? noDestination("") : (refusals.get(ctx.clusterState) ?? noDestination(ctx.clusterState.id));
  if (ctx.clusterState !== undefined) refusals.set(ctx.clusterState, ctx.outcome);
  answerStatus(ctx.exchange, 503);
}

/** Made once for each cluster: a cluster that is down must not cost a stack trace for each request. */
const refusals = new WeakMap<ClusterState, ForwarderError>();

function noDestination(cluster: string): ForwarderError {
  return new ForwarderError("NoAvailableDestinations", `no destination of cluster '${cluster}' is available`, {
    source: "gateway",
    retry: "safe",
    status: 503,
  });
}

interface Sending {
  readonly logger: ProxyLogger;
  readonly trust: Trust;
  readonly upgrades: UpgradeOptions;
}

function send(ctx: ProxyContext, destination: DestinationState, { logger, trust, upgrades }: Sending): Completion {
  if (ctx.exchange.response.started) throw new Error("a step answered, and the request was to be forwarded nevertheless");
  const model = destinationModelOf(destination);
  const cluster = ctx.clusterState;
  const plain = optionsFor(ctx, model.host, trust);
  const options = ctx.exchange.features.upgrade === undefined ? plain : { ...plain, ...forUpgrade(ctx, destination, logger, upgrades) };
  const end = new Completion();
  // Where limits come with a reload while this is under way, it holds a slot that `circuit-breaker` will not give back.
  const isLimited = cluster?.limiter !== undefined;
  if (cluster !== undefined) cluster.inFlight++;
  destination.inFlight++;
  const over: ForwardDone = (error, fault) => {
    if (cluster !== undefined) cluster.inFlight--;
    destination.inFlight--;
    if (!isLimited) cluster?.limiter?.leave(destination);
    if (destination.inFlight === 0) destination.drain?.idle();
    ctx.outcome = error;
    if (error !== undefined && ctx.attempts?.goesOn !== true) tell(logger, ctx, destination, error);
    if (fault !== undefined) logger.event("error", "transform-failed", { ...names(ctx, destination), error: fault });
    end.complete();
  };
  forwardWith(ctx.exchange, model.prepared, options, over);
  return end;
}

function optionsFor(ctx: ProxyContext, host: string | undefined, trust: Trust): ForwardWithOptions {
  const prepared = ctx.route.forward;
  const trusted = trust(ctx.exchange.connection.remoteAddress);
  const isPlain = host === undefined && !trusted && !handsOutAffinityKey(ctx) && ctx.headWatch === undefined && ctx.clusterState === ctx.route.cluster;
  if (prepared !== undefined && isPlain) {
    const timeout = timeLeft(ctx);
    return ofRequest(ctx, timeout === prepared.timeout ? prepared : { ...prepared, timeout });
  }
  return ofRequest(ctx, boundForwardOptions(ctx, host, trusted));
}

function ofRequest(ctx: ProxyContext, options: ForwardWithOptions): ForwardWithOptions {
  if (ctx.attempts === undefined && ctx.body === ctx.exchange.body) return options;
  return { ...options, body: ctx.body, attempt: ctx.attempts };
}

function forUpgrade(ctx: ProxyContext, destination: DestinationState, logger: ProxyLogger, upgrades: UpgradeOptions): ForwardOptions {
  destination.farewell ??= new AbortController();
  const farewell = destination.farewell.signal;
  const shutdown = upgrades.shutdown === undefined ? farewell : AbortSignal.any([upgrades.shutdown, farewell]);
  if (upgrades.webSocketTelemetry !== true) return { shutdown };
  return {
    shutdown,
    onWebSocketClosed(report) {
      ctx.webSocket = report;
      logger.event("info", "websocket-closed", { ...names(ctx, destination), ...report });
    },
  };
}

function tell(logger: ProxyLogger, ctx: ProxyContext, destination: DestinationState, error: ForwarderError): void {
  // Clients break connections and messages as they like: they must not be able to fill a log.
  const level = error.source === "client" || error.code.endsWith("Canceled") ? "debug" : "warning";
  logger.event(level, "forwarding-failed", { ...names(ctx, destination), code: error.code, source: error.source, error });
}

function names(ctx: ProxyContext, destination: DestinationState): Record<string, string | undefined> {
  return { route: ctx.route.config.routeId, cluster: ctx.clusterState?.id, destination: destination.id };
}
