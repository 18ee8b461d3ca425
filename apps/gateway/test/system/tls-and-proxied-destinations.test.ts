/** Destinations that want a certificate of the gateway (nginx), and a web proxy that wants a password (tinyproxy). */
import { copyFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { startGateway } from "../support/running-gateway.ts";
import { type ListeningProgram, startListening } from "./listening-program.ts";
import { startNginx } from "./nginx.ts";
import { testWith } from "./required-programs.ts";

// @boundaries-ignore the certificates of tests live with TLS
const certificate = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/destinations/${name}`, import.meta.url));

const wantsCertificate = `
    ssl_certificate ${certificate("server.pem")};
    ssl_certificate_key ${certificate("server.key")};
    ssl_client_certificate ${certificate("client-authority.pem")};
    ssl_verify_client on;
    add_header X-Client "$ssl_client_s_dn at $ssl_server_name" always;`;

interface Answer {
  readonly status: number | undefined;
  readonly client: unknown;
  readonly body: string;
}

function get(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, host: "127.0.0.1", agent: false }, (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, client: response.headers["x-client"], body }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

function startTinyproxy(program: string, folder: string): Promise<ListeningProgram> {
  const file = join(folder, "tinyproxy.conf");
  return startListening({
    program,
    count: 1,
    signal: "SIGTERM",
    async prepare([port]) {
      await writeFile(file, `Port ${port}\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth me secret\nMaxClients 20\nLogLevel Error\n`);
      return ["-d", "-c", file];
    },
  });
}

describe("with nginx as destination over TLS and tinyproxy in between", () => {
  testWith(["nginx", "tinyproxy"], "certificates are shown, checked and replaced, and the proxy is told its password", async ({ nginx, tinyproxy }) => {
    const folder = await mkdtemp(join(tmpdir(), "gateway-tls-"));
    const place = async (name: string, from: string): Promise<void> => {
      await copyFile(certificate(from), join(folder, "new"));
      await rename(join(folder, "new"), join(folder, name));
    };
    await place("ca.pem", "authority.pem");
    await place("own.pem", "gateway.pem");
    await place("own.key", "gateway.key");
    await using origin = await startNginx(nginx!, ["secure"], wantsCertificate);
    await using plain = await startNginx(nginx!, ["plain"]);
    await using proxy = await startTinyproxy(tinyproxy!, folder);
    const trusting = { CertificateAuthorities: "ca.pem" };
    const showing = { ...trusting, ClientCertificate: { Path: "own.pem", KeyPath: "own.key" } };
    const overProxy = { WebProxy: { Address: `http://me:secret@127.0.0.1:${proxy.ports[0]}` } };
    // tinyproxy answers a wrong password with 401, as if it were a destination.
    const noPassword = { WebProxy: { Address: `http://127.0.0.1:${proxy.ports[0]}` } };
    const secure = { Address: `https://127.0.0.1:${origin.ports[0]}/`, ServerName: "named.test" };
    const cluster = (client: object, destination: object): object => ({ HttpClient: client, Destinations: { d: destination } });
    const clusters: Record<string, object> = {
      shown: cluster(showing, secure),
      unknown: cluster(trusting, secure),
      distrusted: cluster({}, secure),
      tunnelled: cluster({ ...showing, ...overProxy }, { Address: `https://localhost:${origin.ports[0]}/` }),
      relayed: cluster(overProxy, { Address: `http://127.0.0.1:${plain.ports[0]}/` }),
      refused: cluster({ ...showing, ...noPassword }, secure),
      refusedInClear: cluster(noPassword, { Address: `http://127.0.0.1:${plain.ports[0]}/` }),
    };
    const routes = Object.fromEntries(Object.keys(clusters).map((id) => [id, { ClusterId: id, Match: { Path: `/${id}/{**rest}` } }]));
    const file = join(folder, "gateway.json");
    await writeFile(file, JSON.stringify({ ReverseProxy: { Routes: routes, Clusters: clusters } }));
    await using gateway = await startGateway([file], { logLevel: "Debug" });

    expect(await get(gateway.port, "/shown/a")).toEqual({ status: 200, client: "CN=gateway at named.test", body: "secure GET /shown/a\n" });
    expect(await get(gateway.port, "/unknown/a")).toMatchObject({ status: 400, body: expect.stringContaining("No required SSL certificate") as string });
    expect((await get(gateway.port, "/distrusted/a")).status).toBe(502);
    await gateway.logged((entry) => JSON.stringify(entry).includes("no authority that is trusted vouches for its certificate"));
    expect(await get(gateway.port, "/tunnelled/a")).toEqual({ status: 200, client: "CN=gateway at localhost", body: "secure GET /tunnelled/a\n" });
    expect(await get(gateway.port, "/relayed/a?b=1")).toMatchObject({ status: 200, body: "plain GET /relayed/a?b=1\n" });
    expect((await get(gateway.port, "/refused/a")).status).toBe(502);
    await gateway.logged((entry) => JSON.stringify(entry).includes("it answered 407"));
    expect((await get(gateway.port, "/refusedInClear/a")).status).toBe(502);

    await place("own.key", "gateway-renewed.key");
    await gateway.logged((entry) => JSON.stringify(entry).includes("client-certificates-refused"));
    expect((await get(gateway.port, "/shown/b")).client).toBe("CN=gateway at named.test");
    await place("own.pem", "gateway-renewed.pem");
    await gateway.logged((entry) => JSON.stringify(entry).includes("client-certificates-changed"));
    await expect.poll(async () => (await get(gateway.port, "/shown/c")).client).toBe("CN=gateway-renewed at named.test");
    await expect.poll(async () => (await get(gateway.port, "/tunnelled/c")).client).toBe("CN=gateway-renewed at localhost");
    expect(JSON.stringify(gateway.log)).not.toMatch(/secret|bWU6/);
    await rm(folder, { recursive: true, force: true });
  });
});
