import {
  createEngineClient, createEngineServer, createHttp2Server, createNodeServer, createVersionedClient, type FrontServer, type FrontServerOptions, type HttpClient,
} from "@proxy/http";
import { forward, type ForwarderError, type ForwardOptions } from "../../../src/index.ts";
import { createUndiciClient } from "../../../src/undici/index.ts";
import { Http1Destination, Http1End } from "./http1-ends.ts";
import { Http2Destination, Http2End } from "./http2-ends.ts";
import type { SeenRequest, SeenResponse, SentRequest, SentResponse, WireDestination, WireEnd } from "./messages.ts";

export type FrontName = "engine" | "node" | "HTTP/2";
export type TransportName = "engine" | "undici" | "HTTP/2";

/** All pairs of front server and transport. */
export const combinations: readonly (readonly [front: FrontName, transport: TransportName])[] = (["engine", "node", "HTTP/2"] as const).flatMap(
  (front) => (["engine", "undici", "HTTP/2"] as const).map((transport) => [front, transport] as const),
);

const fronts: Readonly<Record<FrontName, (options: FrontServerOptions) => FrontServer>> = {
  engine: createEngineServer,
  node: createNodeServer,
  "HTTP/2": createHttp2Server,
};
const transports: Readonly<Record<TransportName, () => HttpClient>> = {
  engine: createEngineClient,
  undici: createUndiciClient,
  "HTTP/2": createVersionedClient,
};

/** One exchange over the wire, from both its ends. */
export interface Played {
  readonly response: SeenResponse;
  readonly requests: readonly SeenRequest[];
  /** Of each forwarding. */
  readonly outcomes: readonly (ForwarderError | undefined)[];
}

/** One front server, one transport and one destination, for all the cases that are played over them. */
export class Combination {
  readonly front: FrontName;
  readonly transport: TransportName;
  readonly destination: WireDestination;
  readonly faults: Error[] = [];
  readonly #client: HttpClient;
  readonly #server: FrontServer;
  #end: WireEnd | undefined;
  #base = "";
  #options: ForwardOptions = {};
  #outcomes: Promise<ForwarderError | undefined>[] = [];

  private constructor(front: FrontName, transport: TransportName, destination: WireDestination) {
    this.front = front;
    this.transport = transport;
    this.destination = destination;
    this.#client = transports[transport]();
    const version: ForwardOptions = { version: transport === "HTTP/2" ? "2" : "1.1", versionPolicy: "RequestVersionExact" };
    this.#server = fronts[front]({
      handler: async (exchange) => {
        const outcome = forward(exchange, `http://${this.authority}${this.#base}`, this.#client, { ...version, ...this.#options });
        this.#outcomes.push(outcome);
        await outcome;
      },
      onFault: (error) => this.faults.push(error),
    });
  }

  static async open(front: FrontName, transport: TransportName): Promise<Combination> {
    const destination = await (transport === "HTTP/2" ? Http2Destination.open() : Http1Destination.open());
    const combination = new Combination(front, transport, destination);
    const { port } = await combination.#server.listen({ host: "127.0.0.1", port: 0 });
    combination.#end = front === "HTTP/2" ? new Http2End(port) : new Http1End(port);
    return combination;
  }

  /** Host and port of the destination. */
  get authority(): string {
    return `127.0.0.1:${this.destination.port}`;
  }

  /** Sends one request and gives what both ends saw of it. `base` is the path of the destination's address. */
  async play(request: SentRequest, answer: SentResponse, options: ForwardOptions, base = ""): Promise<Played> {
    this.destination.answer = answer;
    this.#options = options;
    this.#base = base;
    this.#outcomes = [];
    const response = await (this.#end as WireEnd).ask(request);
    const outcomes = await Promise.all(this.#outcomes);
    return { response, requests: this.destination.seen.splice(0), outcomes };
  }

  async close(): Promise<void> {
    this.#end?.close();
    await this.#server.close(0);
    this.#client.destroy();
    await this.destination.close();
  }
}
