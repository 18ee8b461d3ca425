import { createEngineServer, createHttp2Server, type Exchange, type FrontServer, type VersionPolicy } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../../http/test/contract/recorders.ts";
import { createHttpClient, emptyTransformer, forward, type ForwarderError, type ForwardOptions } from "../../src/index.ts";
import { type Handshake, openOverHttp1, openOverHttp2 } from "../doubles/websocket-client.ts";
import { type DestinationProtocols, WebSocketDestination, type WebSocketScript } from "../doubles/websocket-destination.ts";
import { versionOf } from "./version-text.ts";

type Case = Pick<ConformanceCase, "given" | "expect">;

/** A forwarding between real peers. */
export interface WireOptions extends ForwardOptions {
  readonly clientVersion: "1.1" | "2.0";
  readonly protocols: DestinationProtocols;
  readonly tls: boolean;
  readonly script?: WebSocketScript | undefined;
}

/** Real servers and clients on both sides of a forwarding. */
export class Wire {
  readonly destination: WebSocketDestination;
  readonly outcomes: (ForwarderError | undefined)[] = [];
  readonly exchanges: Exchange[] = [];
  readonly #client = createHttpClient({ tls: { acceptAnyCertificate: true } });
  readonly #front: FrontServer;
  readonly #version: "1.1" | "2.0";
  readonly #handshakes: Handshake[] = [];
  #port = 0;

  private constructor(destination: WebSocketDestination, options: WireOptions) {
    this.destination = destination;
    this.#version = options.clientVersion;
    const server = {
      handler: async (exchange: Exchange) => {
        this.exchanges.push(exchange);
        this.outcomes.push(await forward(exchange, destination.prefix, this.#client, { transformer: emptyTransformer, ...options }));
      },
    };
    this.#front = options.clientVersion === "1.1" ? createEngineServer(server) : createHttp2Server(server);
  }

  static async open(options: WireOptions): Promise<Wire> {
    const wire = new Wire(await WebSocketDestination.open(options.protocols, options.tls, options.script), options);
    wire.#port = (await wire.#front.listen({ host: "127.0.0.1", port: 0 })).port;
    return wire;
  }

  /** `early` is sent without waiting for the answer. */
  async connect(key?: string, early?: Uint8Array): Promise<Handshake> {
    const handshake = this.#version === "1.1"
      ? await openOverHttp1(this.#port, key, early)
      : await openOverHttp2(this.#port, key === undefined ? {} : { "sec-websocket-key": key }, early);
    this.#handshakes.push(handshake);
    return handshake;
  }

  /** Shuts the front server down. */
  shutDown(gracePeriod: number): Promise<void> {
    return this.#front.close(gracePeriod);
  }

  /** The outcome of the one forwarding. */
  async outcome(): Promise<ForwarderError | undefined> {
    await until(() => this.outcomes.length > 0);
    return this.outcomes[0];
  }

  async close(): Promise<void> {
    for (const { close } of this.#handshakes) close();
    await this.#front.close(0);
    this.#client.destroy();
    await this.destination.close();
  }
}

export async function over(options: WireOptions, run: (wire: Wire) => Promise<void>): Promise<void> {
  const wire = await Wire.open(options);
  try {
    await run(wire);
  } finally {
    await wire.close();
  }
}

/** One echo, and the Close both ways. */
export async function converse(handshake: Handshake, opcode = 1, payload: Uint8Array = Buffer.from("Hello World!")): Promise<void> {
  const { peer } = handshake;
  if (peer === undefined) throw new Error(`not connected: ${handshake.status}`);
  peer.send(opcode, payload);
  expect(await peer.receive()).toEqual({ opcode, payload });
  peer.close(1000, "Bye");
  const close = await peer.receive();
  expect([close?.opcode, close?.payload.readUInt16BE(0), close?.payload.subarray(2).toString()]).toEqual([8, 1000, "Bye"]);
  peer.stream.end();
}

export const negotiate = ({ given, expect: expected }: Case): Promise<void> =>
  over({
    clientVersion: given.clientVersion,
    protocols: given.destinationProtocols,
    tls: given.destinationTls,
    version: versionOf(given.version),
    versionPolicy: given.policy as VersionPolicy,
  }, async (wire) => {
    const handshake = await wire.connect();
    expect(handshake.peer !== undefined).toBe(expected.connected);
    if (expected.connected === true) await converse(handshake);
    expect((await wire.outcome())?.code ?? null).toBe(expected.forwarderError);
    expect(wire.destination.seen).toEqual(expected.connected === true ? [expected.destinationSees] : []);
  });

export const crossVersion = ({ given, expect: expected }: Case): Promise<void> => {
  const http2 = given.destinationVersion === "2.0";
  const versionPolicy: VersionPolicy = given.policy ?? (http2 ? "RequestVersionExact" : "RequestVersionOrLower");
  return over({ clientVersion: given.clientVersion, protocols: http2 ? "Http2" : "Http1", tls: given.tls === true, version: "2", versionPolicy }, async (wire) => {
    await converse(await wire.connect());
    expect(wire.destination.seen).toEqual([expected.destinationSees]);
    expect(await wire.outcome()).toBeUndefined();
  });
};

export const message = ({ given, expect: expected }: Case): Promise<void> =>
  over({ clientVersion: "1.1", protocols: "Http1", tls: false }, async (wire) => {
    const { messageType, payload } = given;
    expect([expected.echo, expected.closeCode, expected.closeReason]).toEqual([payload ?? true, 1000, "Bye"]);
    await converse(await wire.connect(), messageType === "text" ? 1 : 2, Buffer.from(payload ?? "Hello World!"));
    expect(await wire.outcome()).toBeUndefined();
  });

export const noFallback = ({ given, expect: expected }: Case): Promise<void> =>
  over({ clientVersion: given.clientVersion, protocols: given.destinationProtocols, tls: given.tls, version: versionOf(given.version), versionPolicy: given.policy }, async (wire) => {
    const handshake = await wire.connect();
    expect([handshake.peer !== undefined, handshake.status]).toEqual([expected.connected, expected.status]);
    expect(wire.destination.seen).toEqual([]);
  });

export const fallback = async ({ given, expect: expected }: Case): Promise<void> => {
  const attempts: number[] = [];
  await over({
    clientVersion: given.clientVersion,
    protocols: given.destinationProtocols,
    tls: given.tls,
    version: versionOf(given.version),
    versionPolicy: given.policy,
    transformer: { request: (_, outgoing) => void attempts.push(outgoing.attempt) },
  }, async (wire) => {
    await converse(await wire.connect());
    expect(wire.destination.seen).toEqual([expected.destinationSees]);
    expect(attempts).toHaveLength(expected.requestTransformsRun);
  });
  expect(attempts).toEqual([1, 2]);
};

export const badKey = async ({ given, expect: expected }: Case): Promise<void> => {
  for (const clientVersion of ["1.1", "2.0"] as const) {
    for (const protocols of ["Http1", "Http2"] as const) {
      // Over HTTP/2 alone there are no keys.
      if (clientVersion === "2.0" && protocols === "Http2") continue;
      const version = protocols === "Http2" ? "2" : "1.1";
      await over({ clientVersion, protocols, tls: false, version, versionPolicy: "RequestVersionExact" }, async (wire) => {
        expect((await wire.connect(given.key)).status).toBe(expected.status);
      });
    }
  }
};
