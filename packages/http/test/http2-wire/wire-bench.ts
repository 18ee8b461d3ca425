import { type Exchange, type FrontServer, HeaderList, type ServerLimits } from "../../src/index.ts";
import type { ManualClock } from "../contract/manual-clock.ts";
import type { ExchangeHandler } from "../../src/exchange.ts";
import type { Socket } from "node:net";
import { expect } from "vitest";
import { collect, until } from "../contract/recorders.ts";

/** A server under test that listens. */
export interface WireServer {
  /** Opens a socket to it, on which a client begins to speak HTTP/2. */
  connect(): Promise<Socket>;
  readonly front: FrontServer;
  /** What the server was told to complain of. */
  readonly faults: Error[];
  readonly clock: ManualClock;
}

/** Starts the server under test. */
export type WireServerFactory = (handler: ExchangeHandler, limits?: Partial<ServerLimits>) => Promise<WireServer>;

/** The server under test with a handler whose answer the path tells. */
export class WireBench {
  /** The paths of all requests that reached the handler. */
  readonly seen: string[] = [];
  /** The fields of all of them. */
  readonly fields: string[][] = [];
  /** Exchanges whose end was not told. */
  open = 0;
  /** The most that there were. */
  mostOpen = 0;
  /** Lets what waits at `/hang` be answered. */
  release: (() => void)[] = [];
  /** Octets of bodies that the reader at `/drain` was given. */
  drained = 0;
  /** Bodies there that broke off. */
  failed = 0;
  #server: WireServer | undefined;

  get server(): WireServer {
    return this.#server as WireServer;
  }

  static async open(factory: WireServerFactory, limits?: Partial<ServerLimits>): Promise<WireBench> {
    const bench = new WireBench();
    bench.#server = await factory((exchange) => bench.#handle(exchange), limits);
    return bench;
  }

  async close(): Promise<void> {
    this.releaseAll();
    await this.server.front.close(0);
  }

  /** Answers what waits. */
  releaseAll(): void {
    for (const release of this.release.splice(0)) release();
  }

  /** Waits until no connection and no exchange is left, and no mistake of the server's own was told. */
  async settled(): Promise<void> {
    this.releaseAll();
    await until(() => this.server.front.connectionCount === 0 && this.open === 0);
    expect(this.server.faults.splice(0).flatMap(causes).filter(isOwnMistake)).toEqual([]);
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    this.seen.push(request.path);
    this.fields.push(request.headers.toRaw());
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    exchange.onComplete(() => {
      this.open--;
    });
    const ok = { status: 200, headers: HeaderList.from([["content-type", "text/plain"]]) };
    const upgrade = exchange.features.upgrade;
    if (upgrade !== undefined) {
      if (request.path === "/forbidden") {
        this.release.push(() => response.send({ status: 403, headers: new HeaderList() }));
        return;
      }
      const tunnel = upgrade.accept({ status: 200, headers: new HeaderList() });
      if (request.path === "/paused") tunnel.pause();
      tunnel.read({ onData: (chunk) => void tunnel.write(chunk), onEnd: () => tunnel.end(), onError: () => undefined });
      return;
    }
    switch (request.path) {
      case "/echo":
        try {
          const { bytes, trailers } = await collect(exchange.body);
          response.send(ok, Buffer.concat([bytes, Buffer.from(trailers === undefined ? "" : `;${trailers.toRaw().join("=")}`)]));
        } catch {
          response.abort(new Error("the body failed"));
        }
        return;
      case "/hang":
        this.release.push(() => response.send(ok, "late"));
        return;
      case "/large":
        response.send(ok, Buffer.alloc(200_000, "x"));
        return;
      case "/drain":
        exchange.body?.read({ onData: (chunk) => void (this.drained += chunk.length), onEnd: () => response.send(ok, "drained"), onError: () => void this.failed++ });
        return;
      default:
        response.send(ok, "ok");
    }
  }
}

function causes(error: Error): Error[] {
  return error.cause instanceof Error ? [error, ...causes(error.cause)] : [error];
}

function isOwnMistake(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || (error as NodeJS.ErrnoException).code === "ERR_STREAM_WRITE_AFTER_END";
}
