/**
 * Copies of requests for another cluster (`Mirror` of a route). The request that is copied waits for nothing here and does not
 * hear of anything:
 *
 * 1. whether it is copied is drawn; then its body is copied while the destination takes it, up to a bound
 * 2. once the request was forwarded, and its body is whole, the copy is sent, if not too many are under way
 * 3. the copy has a context and an exchange of its own, goes through balancing, health and forwarding of its cluster, and is
 *    given up after its time, after too large a response, or when the proxy closes
 */
import { fractionOf, type ClusterState, type RandomSource } from "@proxy/cluster";
import type { MirrorConfig } from "@proxy/config";
import { sharedTimers, type WheelEntry } from "@proxy/forwarder";
import { bytesBody } from "@proxy/http";
import { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import type { Next } from "../steps/step.ts";
import { CopiedBody } from "./copied-body.ts";
import { MirrorExchange } from "./mirror-exchange.ts";

/** `Mirror` of a route, made ready. */
export interface MirrorModel {
  readonly cluster: ClusterState;
  readonly percent: number;
  readonly maxBodySize: number;
  readonly maxConcurrent: number;
  readonly timeout: number;
}

export function mirrorModel(config: MirrorConfig, cluster: ClusterState): MirrorModel {
  return {
    cluster,
    percent: config.percent ?? 100,
    maxBodySize: config.maxBodySize ?? 65_536,
    maxConcurrent: config.maxConcurrent ?? 100,
    timeout: config.timeout ?? 30_000,
  };
}

/** Copies to one cluster since it is there. */
export interface MirrorCounts {
  /** Under way now. */
  readonly active: number;
  readonly sent: number;
  /** Sent, and ended without a whole response. */
  readonly failed: number;
  /** Drawn and not sent: too many were under way, or the body was too large. */
  readonly skipped: number;
}

export class Mirrors {
  readonly #logger: ProxyLogger;
  readonly #random: RandomSource;
  readonly #run: Next;
  readonly #counts = new WeakMap<ClusterState, { active: number; sent: number; failed: number; skipped: number }>();
  readonly #active = new Set<MirrorExchange>();
  #closed = false;

  /** `run` serves a copy: what balances and forwards. */
  constructor(logger: ProxyLogger, random: RandomSource, run: Next) {
    this.#logger = logger;
    this.#random = random;
    this.#run = run;
  }

  counts(cluster: ClusterState): MirrorCounts {
    return { ...this.#of(cluster) };
  }

  /** Gives up the copies under way and makes no more. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#active) exchange.leave("the proxy closes");
  }

  /** Goes on with the request, and copies it where that is its lot. */
  forward(ctx: ProxyContext, mirror: MirrorModel, next: Next): void | Promise<void> {
    const { features, request } = ctx.exchange;
    if (features.upgrade !== undefined || request.method === "CONNECT" || !this.#draw(mirror)) return next(ctx);
    const { body } = ctx;
    if (body !== undefined) {
      if ((body.length ?? 0) > mirror.maxBodySize) this.#skip(ctx, mirror, "body");
      else {
        ctx.body = new CopiedBody(body, mirror.maxBodySize, (bytes) => {
          if (bytes === undefined) this.#skip(ctx, mirror, "body");
          else this.#send(ctx, mirror, bytes);
        });
      }
      return next(ctx);
    }
    const pending = next(ctx);
    if (ctx.destination !== undefined) this.#send(ctx, mirror, undefined);
    else if (pending !== undefined) {
      return pending.then(() => {
        if (ctx.destination !== undefined) this.#send(ctx, mirror, undefined);
      });
    }
    return pending;
  }

  #draw({ percent }: MirrorModel): boolean {
    return percent >= 100 || (percent > 0 && fractionOf(this.#random) * 100 < percent);
  }

  #skip(ctx: ProxyContext, { cluster }: MirrorModel, reason: "body" | "concurrency"): void {
    this.#of(cluster).skipped++;
    this.#logger.event("debug", "mirror-skipped", { route: ctx.route.config.routeId, cluster: cluster.id, reason });
  }

  #send(ctx: ProxyContext, mirror: MirrorModel, bytes: Uint8Array | undefined): void {
    const { cluster } = mirror;
    const counts = this.#of(cluster);
    if (this.#closed) return;
    if (counts.active >= mirror.maxConcurrent) {
      this.#skip(ctx, mirror, "concurrency");
      return;
    }
    counts.active++;
    counts.sent++;
    const exchange = new MirrorExchange(ctx.exchange, bytes === undefined ? undefined : bytesBody(bytes));
    this.#active.add(exchange);
    // Nobody waits for it, and it never rejects.
    void this.#serve(ctx, mirror, exchange).then((error) => {
      counts.active--;
      this.#active.delete(exchange);
      if (error === undefined) return;
      counts.failed++;
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      this.#logger.event("info", "mirror-failed", { route: ctx.route.config.routeId, cluster: cluster.id, code, error });
    });
  }

  async #serve(ctx: ProxyContext, { cluster, timeout }: MirrorModel, exchange: MirrorExchange): Promise<unknown> {
    const values = {
      get values() {
        return ctx.routeValues;
      },
    };
    const limit = new TimeLimit(exchange, timeout);
    let copy: ProxyContext | undefined;
    try {
      copy = new ProxyContext(exchange, ctx.route, values, ctx.state);
      copy.isMirrored = true;
      copy.reassign(cluster);
      await this.#run(copy);
      return exchange.hadEnough ? undefined : copy.outcome;
    } catch (error) {
      return error;
    } finally {
      limit.end();
      copy?.release();
    }
  }

  #of(cluster: ClusterState): { active: number; sent: number; failed: number; skipped: number } {
    let counts = this.#counts.get(cluster);
    if (counts === undefined) this.#counts.set(cluster, (counts = { active: 0, sent: 0, failed: 0, skipped: 0 }));
    return counts;
  }
}

class TimeLimit implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly #exchange: MirrorExchange;

  constructor(exchange: MirrorExchange, timeout: number) {
    this.#exchange = exchange;
    sharedTimers.add(this, sharedTimers.after(timeout));
  }

  check(): number {
    this.#exchange.leave("the copy took too long");
    return 0;
  }

  end(): void {
    sharedTimers.remove(this);
  }
}
