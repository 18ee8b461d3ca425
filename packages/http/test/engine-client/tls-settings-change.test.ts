import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, DestinationTls, type HttpClient, TlsCertificateError } from "../../src/index.ts";
import { certificates } from "../tls/destinations/index.ts";
import { send } from "./recorder.ts";
import { TlsDestination } from "./tls-destination-server.ts";

const { authority: ca, clientAuthority, server, gateway, gatewayRenewed } = certificates;

let destination: TlsDestination;
let tls: DestinationTls;
let client: HttpClient;

beforeEach(async () => {
  destination = await TlsDestination.start({ ...server, requestCert: true, ca: clientAuthority });
  tls = new DestinationTls({ ca, ...gateway });
  client = createEngineClient({ tls });
});

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

describe("TLS settings of a client that change", () => {
  it("count from the next request on, and no session takes the old certificate along", async () => {
    const pool = client.destination({ scheme: "https", host: "localhost", port: destination.port });
    await send(pool).done;
    await send(pool).done;
    expect(destination.clients).toEqual(["gateway"]);
    tls.update({ ca, ...gatewayRenewed });
    await send(pool).done;
    await send(pool).done;
    expect(destination.clients).toEqual(["gateway", "gateway-renewed"]);
    expect(destination.sockets[1]?.isSessionReused()).toBe(false);
  });

  it("let a request under way end on its connection, which is closed then", async () => {
    const pool = client.destination({ scheme: "https", host: "localhost", port: destination.port });
    const { answer } = destination;
    destination.answer = answer.slice(0, -1);
    const recorder = send(pool);
    await new Promise<void>((resolve) => {
      recorder.onChunk = () => resolve();
    });
    tls.update({ ca, ...gatewayRenewed });
    const [socket] = destination.sockets;
    const closed = new Promise((resolve) => socket?.once("close", resolve));
    socket?.write("k");
    expect((await recorder.done).outcome).toBe("end");
    await closed;
  });

  it("stay as they were when the new ones cannot be used", async () => {
    const { context, generation } = tls;
    expect(() => tls.update({ ca: "nothing" })).toThrow(TlsCertificateError);
    expect([tls.context === context, tls.generation]).toEqual([true, generation]);
    tls.update({ ca: clientAuthority });
    const { error } = await send(client.destination({ scheme: "https", host: "localhost", port: destination.port })).done;
    expect(error?.message).toMatch(/no authority that is trusted/);
  });
});

describe("the name of a destination", () => {
  it("is its server name, which is part of what makes it the same destination", async () => {
    const named = { scheme: "https", host: "127.0.0.1", port: destination.port, serverName: "named.test" } as const;
    expect(client.destination(named)).toBe(client.destination({ ...named, serverName: "Named.test" }));
    expect(client.destination(named)).not.toBe(client.destination({ ...named, serverName: undefined }));
    expect((await send(client.destination(named)).done).outcome).toBe("end");
    expect(destination.sockets[0]?.servername).toBe("named.test");
    const { error } = await send(client.destination({ ...named, serverName: "other.test" })).done;
    expect(error?.message).toMatch(/its certificate is for another name$/);
  });

  it("is that of the client's settings above all", async () => {
    tls.update({ ca, ...gateway, serverName: "named.test" });
    const { outcome } = await send(client.destination({ scheme: "https", host: "127.0.0.1", port: destination.port, serverName: "other.test" })).done;
    expect([outcome, destination.sockets[0]?.servername]).toEqual(["end", "named.test"]);
  });

  it("says nothing in cleartext", () => {
    const origin = { scheme: "http", host: "127.0.0.1", port: 80 } as const;
    expect(client.destination({ ...origin, serverName: "a" })).toBe(client.destination(origin));
  });
});
