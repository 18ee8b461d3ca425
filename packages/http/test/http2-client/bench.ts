import type { ServerOptions } from "node:http2";
import { afterEach, expect } from "vitest";
import { createVersionedClient, type DestinationClient, type HttpClient, type HttpClientOptions } from "../../src/index.ts";
import { sendTo, type RecordedCall, type SendOptions } from "../contract/destination-call.ts";
import { turns, until } from "../contract/recorders.ts";
import { FramePeer } from "./frame-peer.ts";
import { cert, Http2Peer } from "./http2-destination.ts";

export interface Http2Bench {
  peer(scheme: "http" | "https", options?: ServerOptions): Promise<Http2Peer>;
  frames(settings?: readonly (readonly [id: number, value: number])[] | undefined): Promise<FramePeer>;
  /** A client for `there`; asked for HTTP/2 exactly unless a request says otherwise. */
  client(there: { readonly origin: Parameters<HttpClient["destination"]>[0] }, options?: HttpClientOptions): DestinationClient;
  send(client: DestinationClient, options?: SendOptions): RecordedCall;
}

/**
 * What the tests work with. After each of them every request has had one final call at most, no call came out of order, and
 * no connection is left once the clients are destroyed.
 */
export function http2Bench(): Http2Bench {
  const peers: (Http2Peer | FramePeer)[] = [];
  const clients: HttpClient[] = [];
  const calls: RecordedCall[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    const open = peers.splice(0);
    await until(() => open.every((peer) => peer.open === 0));
    await turns(2);
    for (const peer of open) await peer.close();
    for (const call of calls.splice(0)) {
      expect(call.problems).toEqual([]);
      expect(call.finals).toBeLessThanOrEqual(1);
    }
  });
  return {
    async peer(scheme, options) {
      const peer = await Http2Peer.open(scheme, options);
      peers.push(peer);
      return peer;
    },
    async frames(settings) {
      const peer = await FramePeer.open(settings);
      peers.push(peer);
      return peer;
    },
    client(there, options = {}) {
      const client = createVersionedClient({ tls: { ca: cert }, timerInterval: 10, ...options } as HttpClientOptions);
      clients.push(client);
      return client.destination(there.origin);
    },
    send(client, options = {}) {
      const call = sendTo(client, { httpVersion: "2", versionPolicy: "RequestVersionExact", ...options });
      calls.push(call);
      return call;
    },
  };
}
