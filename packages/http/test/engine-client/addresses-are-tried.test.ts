import type { LookupFunction } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { certificates } from "../tls/destinations/index.ts";
import { answering, RawDestination } from "./raw-destination.ts";
import { send } from "./recorder.ts";
import { TlsDestination } from "./tls-destination-server.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let client: HttpClient | undefined;
const asked: string[] = [];

afterEach(() => {
  client?.destroy();
  asked.length = 0;
});

/** Names have these addresses. */
function names(...addresses: readonly string[]): LookupFunction {
  return (name, options, callback) => {
    asked.push(name);
    expect(options.all).toBe(true);
    callback(null, addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  };
}

describe("a name with several addresses", () => {
  it("connects to the live IPv4 one when the IPv6 one is dead", async () => {
    const destination = await RawDestination.start(answering(ok));
    // The destination listens on 127.0.0.1 alone: its port is closed on ::1.
    client = createEngineClient({ lookup: names("::1", "127.0.0.1") });
    const { outcome, error } = await send(client.destination({ ...destination.origin, host: "two.test" })).done;
    expect([outcome, error?.cause]).toEqual(["end", undefined]);
    expect(asked).toEqual(["two.test"]);
    client.destroy();
    await destination.stop();
  });

  it("does so over TLS too, and is checked by the name", async () => {
    const destination = await TlsDestination.start(certificates.server);
    client = createEngineClient({ lookup: names("::1", "127.0.0.1"), tls: { ca: certificates.authority } });
    const { outcome } = await send(client.destination({ scheme: "https", host: "named.test", port: destination.port })).done;
    expect([outcome, destination.sockets[0]?.servername]).toEqual(["end", "named.test"]);
    client.destroy();
    await destination.stop();
  });

  it("fails with all of them named when none can be reached", async () => {
    client = createEngineClient({ lookup: names("::1", "127.0.0.1") });
    const { error } = await send(client.destination({ scheme: "http", host: "two.test", port: 1 })).done;
    expect(error).toMatchObject({ step: "connect", requestSent: false });
    expect(error?.message).toMatch(/^destination http:\/\/two\.test:1: no address can be reached \(.*::1.*, .*127\.0\.0\.1.*\)$/);
  });

  it("fails when the name is not known", async () => {
    client = createEngineClient({ lookup: (_name, _options, callback) => callback(Object.assign(new Error("getaddrinfo ENOTFOUND two.test"), { code: "ENOTFOUND" }), []) });
    const { error } = await send(client.destination({ scheme: "http", host: "two.test", port: 1 })).done;
    expect(error?.cause).toMatchObject({ code: "ENOTFOUND" });
  });
});
