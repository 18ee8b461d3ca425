import {
  createEngineClient,
  createEngineServer,
  createNodeServer,
  type Exchange,
  type FrontServer,
  type FrontServerOptions,
  type HttpClient,
} from "@proxy/http";
import { afterEach, describe, expect } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { RawClient } from "../../../http/test/contract/raw-client.ts";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../../http/test/contract/recorders.ts";
import { forward, type ForwardOptions, type ForwarderError, TimerWheel } from "../../src/index.ts";
import { createUndiciClient } from "../../src/undici/index.ts";
import { RawDestination } from "./raw-destination.ts";

export interface Combination {
  readonly front: "engine" | "node";
  readonly client: "engine" | "undici";
}

const combinations: readonly Combination[] = [
  { front: "engine", client: "engine" },
  { front: "engine", client: "undici" },
  { front: "node", client: "engine" },
];

/** A front server that forwards everything to one destination: raw sockets on both sides. */
export class Gateway {
  readonly destination: RawDestination;
  readonly client: HttpClient;
  /** Time as this process had it, so that a machine that is busy lets no short timeout pass. */
  #time = 0;
  readonly #clock = setInterval(() => (this.#time += 10), 10);
  readonly timers = new TimerWheel({ period: 10, now: () => this.#time });
  readonly outcomes: (ForwarderError | undefined)[] = [];
  readonly exchanges: Exchange[] = [];
  readonly faults: Error[] = [];
  readonly #clients: RawClient[] = [];
  #front: FrontServer | undefined;
  #port = 0;

  private constructor(destination: RawDestination, client: HttpClient) {
    this.destination = destination;
    this.client = client;
  }

  static async open(combination: Combination, options: ForwardOptions & { readonly prefix?: string } = {}): Promise<Gateway> {
    const client = combination.client === "engine" ? createEngineClient() : createUndiciClient();
    const gateway = new Gateway(await RawDestination.open(), client);
    const prefix = options.prefix ?? gateway.destination.prefix;
    const serverOptions: FrontServerOptions = {
      handler: async (exchange) => {
        gateway.exchanges.push(exchange);
        gateway.outcomes.push(await forward(exchange, prefix, client, { timers: gateway.timers, ...options }));
      },
      onFault: (error) => gateway.faults.push(error),
    };
    const front = combination.front === "engine" ? createEngineServer(serverOptions) : createNodeServer(serverOptions);
    gateway.#front = front;
    gateway.#port = (await front.listen({ host: "127.0.0.1", port: 0 })).port;
    return gateway;
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.open(this.#port);
    this.#clients.push(client);
    return client;
  }

  /** The next outcome, once it is there. */
  async outcome(): Promise<ForwarderError | undefined> {
    await until(() => this.outcomes.length > 0);
    return this.outcomes.shift();
  }

  /** Ends everything; nothing may be left over. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#front?.close(1000);
    this.client.destroy();
    await this.destination.close();
    await until(() => this.#front?.connectionCount === 0);
    clearInterval(this.#clock);
    expect(this.timers.size).toBe(0);
  }
}

/** Runs `define` for every pair of front server and client; gateways are closed, and looked over, after each test. */
export function describeGateways(
  title: string,
  define: (open: (options?: ForwardOptions & { readonly prefix?: string }) => Promise<Gateway>, combination: Combination) => void,
): void {
  for (const combination of combinations) {
    describe(`${title} (${combination.front} server, ${combination.client} client)`, () => {
      const gateways: Gateway[] = [];
      afterEach(async () => {
        await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
      });
      define(async (options) => {
        const gateway = await Gateway.open(combination, options);
        gateways.push(gateway);
        return gateway;
      }, combination);
    });
  }
}
