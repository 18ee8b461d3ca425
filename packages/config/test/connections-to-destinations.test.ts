import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ClusterConfig, HttpClientConfig } from "../src/index.ts";
import { destinationEquals, httpClientEquals, validateConfig } from "../src/index.ts";
import { decodeGatewayFile, loadGatewayConfig } from "../src/schema/index.ts";

async function issuesOf(cluster: Partial<ClusterConfig>): Promise<readonly string[]> {
  const issues = await validateConfig({ routes: [], clusters: [{ clusterId: "c", ...cluster }], revisionId: "1" });
  return issues.map(({ code, path }) => `${code} ${path.join(".")}`);
}

describe("what is said of connections to destinations", () => {
  it.each([
    [{ sslProtocols: ["Ssl2", "Ssl3"] }, "ssl-protocols HttpClient.SslProtocols"],
    [{ clientCertificate: { keyPath: "a.key" } }, "client-certificate-missing HttpClient.ClientCertificate"],
    [{ serverName: "a:443" }, "server-name-invalid HttpClient.ServerName"],
    [{ serverName: "münchen.de" }, "server-name-invalid HttpClient.ServerName"],
    [{ serverName: "*.a.test" }, "server-name-invalid HttpClient.ServerName"],
    [{ webProxy: { address: "https://proxy.test" } }, "web-proxy-address HttpClient.WebProxy.Address"],
    [{ webProxy: { address: "socks5://proxy.test" } }, "web-proxy-address HttpClient.WebProxy.Address"],
    [{ requestHeaderEncoding: "utf-16" }, "request-header-encoding HttpClient.RequestHeaderEncoding"],
    [{ responseHeaderEncoding: "base64" }, "response-header-encoding HttpClient.ResponseHeaderEncoding"],
  ] as const)("%j is refused", async (httpClient, issue) => {
    expect(await issuesOf({ httpClient: httpClient as unknown as HttpClientConfig })).toEqual([issue]);
  });

  it.each([
    {},
    { sslProtocols: ["Ssl3", "Tls12"] },
    { clientCertificate: { path: "a.pem" } },
    { serverName: "a.test" },
    { serverName: "::1" },
    { webProxy: { address: "http://me:secret@proxy.test:3128/" } },
    { requestHeaderEncoding: "UTF-8", responseHeaderEncoding: "latin1" },
  ])("%j is accepted", async (httpClient) => {
    expect(await issuesOf({ httpClient: httpClient as HttpClientConfig })).toEqual([]);
  });

  it("that nothing is verified is a warning", async () => {
    const [issue] = await validateConfig({ routes: [], clusters: [{ clusterId: "c", httpClient: { dangerousAcceptAnyServerCertificate: true } }], revisionId: "1" });
    expect(issue).toMatchObject({ code: "certificates-not-verified", severity: "warning" });
  });

  it("the name of one destination is checked too", async () => {
    expect(await issuesOf({ destinations: { d: { address: "https://10.0.0.7", serverName: "a b" } } })).toEqual([
      "server-name-invalid Destinations.d.ServerName",
    ]);
  });

  it("no password of a web proxy is repeated", async () => {
    const text = JSON.stringify({ ReverseProxy: { Clusters: { c: { HttpClient: { WebProxy: { Address: "https://me:secret@proxy.test" } } } } } });
    const refused = decodeGatewayFile(text);
    await expect(refused).rejects.toThrow(/cleartext; use http:\/\//);
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});

describe("files that a cluster names", () => {
  it("stand beside the file that names them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "config-"));
    await mkdir(join(folder, "more"));
    const cluster = (client: object): string => JSON.stringify({ ReverseProxy: { Clusters: { c: { HttpClient: client } } } });
    await writeFile(join(folder, "a.json"), cluster({ CertificateAuthorities: "ca.pem", ClientCertificate: { Path: "own.pem", KeyPath: "/abs/own.key", Password: "p" } }));
    await writeFile(join(folder, "more", "b.json"), cluster({ ClientCertificate: { Path: "own.pem" }, ServerName: "a.test" }));
    const { config } = await loadGatewayConfig([join(folder, "a.json"), join(folder, "more", "b.json")]);
    expect(config.reverseProxy.clusters[0]?.httpClient).toEqual({
      certificateAuthorities: join(folder, "ca.pem"),
      clientCertificate: { path: join(folder, "more", "own.pem"), keyPath: "/abs/own.key", password: "p" },
      serverName: "a.test",
    });
    await rm(folder, { recursive: true });
  });
});

describe("connections are kept over a reload", () => {
  const own = { path: "a.pem", keyPath: "a.key", password: "p" };

  it.each([
    [{}, { certificateAuthorities: "ca.pem" }],
    [{}, { clientCertificate: own }],
    [{ clientCertificate: own }, { clientCertificate: { ...own, password: "q" } }],
    [{ serverName: "a" }, { serverName: "b" }],
  ] as const)("not from %j to %j", (before, after) => {
    expect([httpClientEquals(before, after), httpClientEquals(after, { ...after })]).toEqual([false, true]);
  });

  it("a destination with another server name is another destination", () => {
    const destination = { address: "https://a" };
    expect(destinationEquals(destination, { ...destination, serverName: "b" })).toBe(false);
    expect(destinationEquals({ ...destination, serverName: "B" }, { ...destination, serverName: "b" })).toBe(true);
  });
});
