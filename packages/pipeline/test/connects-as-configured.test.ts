/** What `HttpClient` of a cluster does on the wire: TLS, server names, web proxies, times of connections. */
import { copyFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsOptions } from "node:tls";
import { fileURLToPath } from "node:url";
import type { ClusterConfig, DestinationConfig } from "@proxy/config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serverNameOf } from "../src/state/server-name.ts";
import { httpClientFactory } from "../src/state/http-client.ts";
// @boundaries-ignore the certificates of tests live with TLS
import { certificates } from "../../http/test/tls/destinations/index.ts";
// @boundaries-ignore the double lives with the client
import { TlsDestination } from "../../http/test/engine-client/tls-destination-server.ts";
// @boundaries-ignore the double lives with the client
import { TestProxy } from "../../http/test/engine-client/web-proxy.ts";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";
import { RecordedEvents } from "./support/recorded-events.ts";
import { serve } from "./support/serving.ts";

const file = (name: string): string => fileURLToPath(new URL(`../../http/test/tls/destinations/${name}`, import.meta.url));
const authority = file("authority.pem");
const { server, renewed, expired, other, clientAuthority } = certificates;

const open: { close(): Promise<void> }[] = [];
let log: RecordedEvents;

beforeEach(() => {
  log = new RecordedEvents();
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function overTls(options: TlsOptions): Promise<TlsDestination> {
  const destination = await TlsDestination.start(options);
  open.push({ close: () => destination.stop() });
  return destination;
}

/** A proxy to one destination; resolves to how a request is sent through it, and to its whole answer. */
async function proxyTo(address: string, cluster: Partial<ClusterConfig>, destination: Partial<DestinationConfig> = {}) {
  const served = await serve({
    logger: log,
    httpClientFactory: httpClientFactory(log, 5),
    config: {
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: { c: { destinations: { d: { address, ...destination } }, ...cluster } },
    },
  });
  open.push(served);
  return {
    proxy: served.proxy,
    status: async (fields = "") => {
      const answer = await exchangeBytes(served.port, `GET /x HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`);
      return Number(answer.slice(9, 12));
    },
  };
}

const failures = (): unknown[] => log.named("forwarding-failed").map(({ fields }) => fields);

describe("a cluster of https destinations", () => {
  it("trusts its own authorities, and nobody without", async () => {
    const destination = await overTls(server);
    const address = `https://localhost:${destination.port}`;
    expect(await (await proxyTo(address, { httpClient: { certificateAuthorities: authority } })).status()).toBe(200);
    expect(await (await proxyTo(address, {})).status()).toBe(502);
    expect(await (await proxyTo(address, { httpClient: { dangerousAcceptAnyServerCertificate: true } })).status()).toBe(200);
  });

  it.each([
    ["untrusted", server, {}, /no authority that is trusted vouches/],
    ["expired", expired, { certificateAuthorities: authority }, /its certificate has expired/],
    ["of another name", other, { certificateAuthorities: authority }, /its certificate is for another name/],
    ["of an older version", { ...server, maxVersion: "TLSv1.2" }, { certificateAuthorities: authority, sslProtocols: ["Tls13"] }, /no TLS version is common/],
    ["without our certificate", { ...server, requestCert: true, ca: clientAuthority }, { certificateAuthorities: authority }, /it wants a client certificate/],
  ] as const)("answers 502 for one that is %s, and says why", async (_title, options, httpClient, words) => {
    const destination = await overTls(options as TlsOptions);
    const { status } = await proxyTo(`https://localhost:${destination.port}`, { httpClient });
    expect(await status()).toBe(502);
    expect(failures()).toMatchObject([{ code: "Request", source: "destination", error: { retry: "safe", status: 502, message: expect.stringMatching(words) as string } }]);
  });

  it.each([
    ["its ServerName", {}, { serverName: "named.test", host: "other.test" }, "named.test"],
    ["the name in its Host", {}, { host: "Named.test:8443" }, "named.test"],
    ["the ServerName of the cluster", { serverName: "named.test" }, { serverName: "other.test" }, "named.test"],
    ["its address", {}, {}, false],
  ] as const)("asks for and checks %s", async (_title, more, destinationSettings, name) => {
    const destination = await overTls(server);
    const httpClient = { certificateAuthorities: authority, ...more };
    const { status } = await proxyTo(`https://127.0.0.1:${destination.port}`, { httpClient }, destinationSettings);
    expect(await status()).toBe(200);
    expect(destination.sockets[0]?.servername || false).toBe(name);
  });

  it.each([
    ["m\u00fcnchen.test:8443", "xn--mnchen-3ya.test"],
    ["[::1]:8443", "::1"],
    ["not a host", undefined],
    [undefined, undefined],
  ])("takes the Host %s for the name %s", (host, name) => {
    expect(serverNameOf({ host })).toBe(name);
  });

  it("probes them by the same name", async () => {
    const destination = await overTls(server);
    const httpClient = { certificateAuthorities: authority };
    const healthCheck = { active: { enabled: true, path: "/health" } };
    const { proxy } = await proxyTo(`https://127.0.0.1:${destination.port}`, { httpClient, healthCheck }, { host: "named.test" });
    await expect.poll(() => proxy.state.cluster("c")?.destinations.all[0]?.activeHealth).toBe("Healthy");
    expect(destination.requests[0]).toMatch(/^GET \/health /);
    expect(destination.sockets[0]?.servername).toBe("named.test");
  });

  it.each([
    ["PEM", { path: file("gateway.pem"), keyPath: file("gateway.key") }],
    ["PEM with an encrypted key", { path: file("gateway.pem"), keyPath: file("gateway.encrypted.key"), password: "secret" }],
    ["PKCS #12", { path: file("gateway.pfx"), password: "secret" }],
  ])("shows its client certificate from %s", async (_form, clientCertificate) => {
    const destination = await overTls({ ...server, requestCert: true, ca: clientAuthority });
    const { status } = await proxyTo(`https://localhost:${destination.port}`, { httpClient: { certificateAuthorities: authority, clientCertificate } });
    expect([await status(), destination.clients]).toEqual([200, ["gateway"]]);
  });

  it("is warned of when its client certificate has expired", async () => {
    await proxyTo("https://localhost", { httpClient: { clientCertificate: { path: file("expired.pem"), keyPath: file("expired.key") } } });
    expect(log.named("config-warning")).toMatchObject([
      { fields: { issue: { code: "client-certificate-expired", message: "ClientCertificate of cluster 'c' expired on 2021-01-01" } } },
    ]);
  });

  it.each([
    ["an authority that is no certificate", { certificateAuthorities: file("make.sh") }, "CertificateAuthorities", "there is no certificate of an authority in PEM"],
    ["an authority that is not there", { certificateAuthorities: "/no/such.pem" }, "CertificateAuthorities", "/no/such.pem cannot be read (ENOENT)"],
    ["a wrong password", { clientCertificate: { path: file("gateway.pfx"), password: "guess" } }, "ClientCertificate", "the passphrase does not open the private key"],
    ["a key of another", { clientCertificate: { path: file("gateway.pem"), keyPath: file("server.key") } }, "ClientCertificate", "the private key does not belong to the certificate"],
    ["no file at all", { clientCertificate: { path: tmpdir() } }, "ClientCertificate", `${tmpdir()} is no regular file of at most 4 MiB`],
  ])("is refused at load for %s", async (_title, httpClient, member, why) => {
    const refused = proxyTo("https://localhost", { httpClient });
    await expect(refused).rejects.toMatchObject({
      issues: [{ code: "client-certificate-invalid", path: ["HttpClient", member], message: `${member} of cluster 'c' cannot be used: ${why}` }],
    });
    await expect(refused).rejects.not.toThrow(/guess/);
  });
});

describe("files of certificates that are replaced", () => {
  let folder: string;
  const place = async (name: string, from: string): Promise<void> => {
    // As tools do: a new file takes the place of the old one.
    await copyFile(file(from), join(folder, "new"));
    await rename(join(folder, "new"), join(folder, name));
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "certificates-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("count for the next connection; what cannot be used is told and changes nothing", async () => {
    const destination = await overTls({ ...server, requestCert: true, ca: clientAuthority });
    await place("own.pem", "gateway.pem");
    await place("own.key", "gateway.key");
    await place("ca.pem", "authority.pem");
    const clientCertificate = { path: join(folder, "own.pem"), keyPath: join(folder, "own.key") };
    const { status, proxy } = await proxyTo(`https://localhost:${destination.port}`, {
      httpClient: { certificateAuthorities: join(folder, "ca.pem"), clientCertificate },
    });
    expect([await status(), await status()]).toEqual([200, 200]);
    expect(destination.clients).toEqual(["gateway"]);
    await place("own.key", "gateway-renewed.key");
    await expect.poll(() => log.named("client-certificates-refused")).not.toEqual([]);
    expect(await status()).toBe(200);
    await place("own.pem", "gateway-renewed.pem");
    await expect.poll(() => log.named("client-certificates-changed")).not.toEqual([]);
    expect(await status()).toBe(200);
    expect(destination.clients).toEqual(["gateway", "gateway-renewed"]);
    const told = log.named("client-certificates-changed").length;
    await place("ca.pem", "client-authority.pem");
    await expect.poll(() => log.named("client-certificates-changed").length).toBeGreaterThan(told);
    expect(await status()).toBe(502);
    expect(log.named("client-certificates-changed")[0]?.fields).toMatchObject({ cluster: "c", files: expect.stringContaining("ca.pem") as string });
    await proxy.close();
  });

  it("are left alone once their client is closed", async () => {
    await place("ca.pem", "authority.pem");
    const { proxy } = await proxyTo("https://localhost:1", { httpClient: { certificateAuthorities: join(folder, "ca.pem") } });
    await proxy.close();
    await writeFile(join(folder, "ca.pem"), "nothing");
    await new Promise(setImmediate);
    expect(log.named("client-certificates-refused")).toEqual([]);
  });
});

describe("a cluster behind a web proxy", () => {
  it("reaches http and https destinations over it, and credentials stay out of what is told", async () => {
    const webProxy = await TestProxy.start();
    open.push({ close: () => webProxy.stop() });
    const destination = await overTls(renewed);
    const address = webProxy.address.replace("//", "//me:secret@");
    const httpClient = { certificateAuthorities: authority, webProxy: { address } };
    expect(await (await proxyTo("http://far.test/base", { httpClient })).status()).toBe(200);
    expect(webProxy.heads[0]).toMatch(/^GET http:\/\/far\.test:80\/base\/x HTTP\/1\.1\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\nHost: far\.test\r\n/);
    expect(await (await proxyTo(`https://localhost:${destination.port}`, { httpClient })).status()).toBe(200);
    expect(destination.requests[0]).toMatch(/^GET \/x HTTP\/1\.1\r\nHost: localhost:\d+\r\n/);
    expect(destination.requests[0]).not.toMatch(/proxy-/i);
    webProxy.refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
    expect(await (await proxyTo("https://far.test", { httpClient })).status()).toBe(502);
    expect(failures()).toMatchObject([{ code: "Request", error: { retry: "safe" } }]);
    expect(JSON.stringify(log.events, (_key, value: unknown) => (value instanceof Error ? [value.message, value.cause] : value))).not.toMatch(/secret|bWU6/);
  });

  it("sends what the client says to proxies to nobody", async () => {
    const webProxy = await TestProxy.start();
    open.push({ close: () => webProxy.stop() });
    const { status } = await proxyTo("http://far.test", { httpClient: { webProxy: { address: webProxy.address } } });
    expect(await status("Proxy-Authorization: Basic theirs\r\n")).toBe(200);
    expect(webProxy.heads[0]).not.toMatch(/theirs/);
  });
});

describe("header encodings of a cluster", () => {
  it("convert request values to UTF-8, and refuse responses in another encoding", async () => {
    const destination = await rawDestination((_received, socket) => void socket.end(Buffer.from("HTTP/1.1 200 OK\r\nX: \u00e9\r\nContent-Length: 0\r\n\r\n", "latin1")));
    open.push(destination);
    const address = `http://127.0.0.1:${destination.port}`;
    expect(await (await proxyTo(address, { httpClient: { requestHeaderEncoding: "UTF8" } })).status("A: \u00e9\r\nB: \u00c3\u00a9\r\n")).toBe(200);
    expect(destination.received[0]).toContain("A: \u00c3\u00a9\r\nB: \u00c3\u00a9\r\n");
    expect(await (await proxyTo(address, { httpClient: { responseHeaderEncoding: "utf-8" } })).status()).toBe(502);
    expect(await (await proxyTo(address, { httpClient: { requestHeaderEncoding: "us-ascii" } })).status("A: \u00e9\r\n")).toBe(502);
    expect(failures()).toMatchObject([{ code: "ResponseHeaders", source: "destination" }, { code: "Request", source: "gateway" }]);
  });
});

describe("times of connections", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  it("IdleTimeout closes a connection that nobody needs, from this side", async () => {
    const destination = await rawDestination((_received, socket) => void socket.write(ok));
    open.push(destination);
    const { status } = await proxyTo(`http://127.0.0.1:${destination.port}`, { httpClient: { idleTimeout: 1 } });
    expect(await status()).toBe(200);
    await expect.poll(() => destination.sockets.size).toBe(0);
  });

  it("ConnectionLifetime ends the use of a connection, and without it the same one serves", async () => {
    const destination = await rawDestination((_received, socket) => void socket.write(ok));
    open.push(destination);
    const lasting = await proxyTo(`http://127.0.0.1:${destination.port}`, {});
    expect([await lasting.status(), await lasting.status(), destination.received.length]).toEqual([200, 200, 1]);
    const ageing = await proxyTo(`http://127.0.0.1:${destination.port}`, { httpClient: { connectionLifetime: 1 } });
    await ageing.status();
    await expect.poll(() => destination.sockets.size).toBe(1);
    await ageing.status();
    expect(destination.received.length).toBe(3);
  });

  it("ConnectTimeout covers the handshake of TLS: 504, safe to send again", async () => {
    const destination = await rawDestination(() => undefined);
    open.push(destination);
    const { status } = await proxyTo(`https://127.0.0.1:${destination.port}`, { httpClient: { connectTimeout: 1 } });
    expect(await status()).toBe(504);
    expect(failures()).toMatchObject([{ code: "RequestTimedOut", error: { retry: "safe" } }]);
  });
});
