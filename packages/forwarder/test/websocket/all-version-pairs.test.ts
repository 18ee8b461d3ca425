/** WebSockets between real peers, for each pair of HTTP versions. */
import { describe, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { signal, until } from "../../../http/test/contract/recorders.ts";
import { over, type WireOptions } from "../conformance/websocket-scenarios.ts";
import { key, text } from "./frames.ts";
import type { Message, WebSocketPeer } from "./peer.ts";

const said = (message: Message | undefined): string | undefined => message?.payload.toString();
const code = (message: Message | undefined): number | undefined => (message?.opcode === 8 ? message.payload.readUInt16BE(0) : undefined);

describe.each([
  ["1.1", "Http1"],
  ["1.1", "Http2"],
  ["2.0", "Http1"],
  ["2.0", "Http2"],
] as const)("a WebSocket of a client of HTTP/%s to a destination of %s", (clientVersion, protocols) => {
  const options: WireOptions = { clientVersion, protocols, tls: false, version: protocols === "Http1" ? "1.1" : "2", versionPolicy: "RequestVersionExact" };
  /** A tunnel whose destination's end is handed to the test. */
  const held = async (
    more: Partial<WireOptions>,
    run: (ends: { readonly client: WebSocketPeer; readonly destination: WebSocketPeer; readonly wire: Parameters<Parameters<typeof over>[1]>[0] }) => Promise<void>,
  ): Promise<void> => {
    const there = signal<WebSocketPeer>();
    await over({ ...options, ...more, script: async (peer) => there.resolve(peer) }, async (wire) => {
      const { peer } = await wire.connect();
      await run({ client: peer as WebSocketPeer, destination: await there.promise, wire });
    });
  };

  test("delivers first what both sides said before the switch", async () => {
    const script = async (peer: WebSocketPeer): Promise<void> => {
      peer.send(1, Buffer.from("from the destination"));
      await peer.echo();
    };
    await over({ ...options, script }, async (wire) => {
      const { peer } = await wire.connect(undefined, text("from the client", key));
      expect([said(await peer?.receive()), said(await peer?.receive())]).toEqual(["from the destination", "from the client"]);
    });
  });

  test("carries much in both directions at once", async () => {
    await over(options, async (wire) => {
      const { peer } = await wire.connect();
      const large = Buffer.alloc(300_000, 7);
      for (let i = 0; i < 10; i++) peer?.send(2, large);
      for (let i = 0; i < 10; i++) expect((await peer?.receive())?.payload.equals(large)).toBe(true);
    });
  });

  test("passes on the client's half-close, and the destination may finish", async () => {
    await held({}, async ({ client, destination, wire }) => {
      client.send(1, Buffer.from("last words"));
      client.stream.end();
      expect(said(await destination.receive())).toBe("last words");
      expect(await destination.receive()).toBeUndefined();
      // Node ends both sides of a stream of HTTP/2 with one of them.
      if (protocols === "Http1") destination.send(1, Buffer.from("answer"));
      destination.stream.end();
      if (protocols === "Http1" && clientVersion === "1.1") expect(said(await client.receive())).toBe("answer");
      expect(await wire.outcome()).toBeUndefined();
    });
  });

  test("ends for both when one is lost", async () => {
    await held({}, async ({ client, destination, wire }) => {
      client.stream.destroy();
      expect(await destination.receive()).toBeUndefined();
      // To HTTP/1.1 a FIN is a half-close.
      destination.stream.end();
      expect((await wire.outcome())?.code ?? "None").toMatch(/^(None|UpgradeRequest(Client|Canceled))$/u);
    });
    await held({}, async ({ client, destination, wire }) => {
      destination.stream.destroy();
      expect(await client.receive()).toBeUndefined();
      expect((await wire.outcome())?.code ?? "None").toMatch(/^(None|UpgradeResponseDestination)$/u);
    });
  });

  test("ends after the activity timeout", async () => {
    await held({ activityTimeout: 300 }, async ({ client, destination, wire }) => {
      expect([await client.receive(), await destination.receive()]).toEqual([undefined, undefined]);
      expect((await wire.outcome())?.code).toBe("UpgradeActivityTimeout");
    });
  });

  test("is told 1001 on both sides when the gateway stops", async () => {
    await held({}, async ({ client, destination, wire }) => {
      client.send(1, Buffer.from("hello"));
      expect(said(await destination.receive())).toBe("hello");
      const stopping = wire.shutDown(5000);
      expect([code(await client.receive()), code(await destination.receive())]).toEqual([1001, 1001]);
      client.close(1001);
      destination.close(1001);
      expect([await client.receive(), await destination.receive()]).toEqual([undefined, undefined]);
      client.stream.end();
      destination.stream.end();
      expect(await wire.outcome()).toBeUndefined();
      if (clientVersion === "1.1") await stopping;
    });
  });

  test("that is refused is an ordinary answer", async () => {
    await over({ ...options, transformer: { request: (_, outgoing) => void (outgoing.path = "/missing") } }, async (wire) => {
      const { status, peer } = await wire.connect();
      expect([status, peer]).toEqual([403, undefined]);
      expect(await wire.outcome()).toBeUndefined();
      await until(() => wire.exchanges.length === 1);
    });
  });
});
