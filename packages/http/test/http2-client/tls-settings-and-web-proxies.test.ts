import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createVersionedClient, DestinationTls, type HttpClient, type HttpClientOptions } from "../../src/index.ts";
import { TestProxy } from "../engine-client/web-proxy.ts";
import { get, send } from "../engine-client/recorder.ts";
import { certificates } from "../tls/destinations/index.ts";

const { authority: ca, clientAuthority, server: own, gateway, gatewayRenewed } = certificates;

let server: Http2SecureServer | undefined;
let client: HttpClient | undefined;
const sockets = new Set<Socket>();
const clients: unknown[] = [];

afterEach(async () => {
  client?.destroy();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  clients.length = 0;
  await new Promise((resolve) => {
    if (server === undefined) resolve(undefined);
    else server.close(resolve);
  });
  server = undefined;
});

/** An HTTP/2 destination over TLS; `host` is what it is asked for by. */
async function overHttp2(options: SecureServerOptions, settings: HttpClientOptions, host = "localhost") {
  const listening = createSecureServer({ ...own, ...options }, (_request, response) => void response.end("h2"));
  server = listening;
  listening.on("connection", (socket: Socket) => sockets.add(socket));
  listening.on("secureConnection", (socket: TLSSocket) => clients.push(socket.getPeerCertificate().subject?.CN));
  listening.on("tlsClientError", () => undefined);
  listening.on("sessionError", () => undefined);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  client = createVersionedClient(settings);
  return client.destination({ scheme: "https", host, port: (listening.address() as AddressInfo).port });
}

const wantsCertificate = { requestCert: true, rejectUnauthorized: true, ca: clientAuthority };

describe("an HTTP/2 destination over TLS", () => {
  it.each([
    ["nobody vouches for it", {}, {}, /no authority that is trusted vouches for its certificate$/],
    ["it is another", certificates.other, { ca }, /its certificate is for another name$/],
    ["its certificate is over", certificates.expired, { ca }, /its certificate has expired$/],
    ["no version is common", { maxVersion: "TLSv1.2" }, { ca, minVersion: "TLSv1.3" }, /no TLS version is common$/],
    ["it wants a client certificate", wantsCertificate, { ca }, /it wants a client certificate$/],
  ] as const)("says why it cannot be used when %s", async (_title, options, tls, words) => {
    const { error } = await send(await overHttp2(options, { tls })).done;
    expect(error?.message).toMatch(words);
    expect(error).toMatchObject({ step: "connect", requestSent: false });
  });

  it("is shown a new client certificate from the next request on", async () => {
    const tls = new DestinationTls({ ca, ...gateway });
    const pool = await overHttp2(wantsCertificate, { tls });
    expect((await send(pool).done).body).toBe("h2");
    await send(pool).done;
    tls.update({ ca, ...gatewayRenewed });
    expect((await send(pool).done).body).toBe("h2");
    expect(clients).toEqual(["gateway", "gateway-renewed"]);
  });

  it("is reached by a tunnel over a web proxy", async () => {
    const proxy = await TestProxy.start();
    const pool = await overHttp2({}, { tls: { ca }, webProxy: { address: proxy.address } }, "named.test");
    expect((await send(pool, get("/one")).done).body).toBe("h2");
    expect((await send(pool, get("/two")).done).body).toBe("h2");
    expect(proxy.heads.length).toBe(1);
    expect(proxy.heads[0]).toMatch(/^CONNECT named\.test:\d+ HTTP\/1\.1\r\n/);
    proxy.refusal = "HTTP/1.1 403 Forbidden\r\n\r\n";
    const other = (client as HttpClient).destination({ scheme: "https", host: "far.test", port: 443 });
    const { error } = await send(other).done;
    expect(`${error?.message} ${String(error?.cause)}`).toMatch(/opens no tunnel: it answered 403$/);
    client?.destroy();
    await proxy.stop();
  });
});
