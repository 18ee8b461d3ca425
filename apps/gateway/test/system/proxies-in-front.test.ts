/** HAProxy and curl, which speak the PROXY protocol to the gateway. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { startRawOrigin, plainAnswer } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";
import { type ListeningProgram, startListening } from "./listening-program.ts";
import { testWith } from "./required-programs.ts";

// @boundaries-ignore the certificates of tests live with TLS
const fixture = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));

/** A client of this address is not HAProxy, which connects from 127.0.0.1. */
const client = "127.0.0.2";

function get(port: number, secure: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", path: "/", agent: false as const, localAddress: client, headers: { host: "localhost" } };
    const sent = secure ? requestOverTls({ ...options, rejectUnauthorized: false, servername: "localhost" }) : request(options);
    sent.on("response", (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Listens for each of `servers`, and sends connections to what is named there. */
function startHaproxy(program: string, folder: string, servers: readonly string[]): Promise<ListeningProgram> {
  const file = join(folder, "haproxy.cfg");
  const defaults = "defaults\n  mode tcp\n  timeout connect 60s\n  timeout client 60s\n  timeout server 60s\n";
  return startListening({
    program,
    count: servers.length,
    signal: "SIGTERM",
    async prepare(ports) {
      const listeners = servers.map((server, index) => `listen l${index}\n  bind 127.0.0.1:${ports[index]}\n  unique-id-format %[uuid()]\n  server gateway ${server}\n`);
      await writeFile(file, `global\n  maxconn 100\n${defaults}${listeners.join("")}`);
      return ["-db", "-f", file];
    },
  });
}

describe("with proxies in front that pass on bytes", () => {
  testWith(["haproxy", "curl"], "destinations are told of the client, in every version, over TLS and after checks of the proxy's own", async ({ haproxy = "", curl = "" }) => {
    const origin = await startRawOrigin("a", (received) => plainAnswer(/X-Forwarded-For: (.*)\r\n/i.exec(received)?.[1] ?? "nobody"));
    const folder = await mkdtemp(join(tmpdir(), "gateway-front-"));
    try {
      const file = join(folder, "gateway.json");
      const Certificate = { Path: fixture("cert.pem"), KeyPath: fixture("key.pem") };
      const endpoints = { A: { Url: "http://127.0.0.1:0", ProxyProtocol: true }, B: { Url: "https://127.0.0.1:0", ProxyProtocol: true, Certificate } };
      const ReverseProxy = {
        Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
        Clusters: { c: { Destinations: { d: { Address: origin.url } } } },
      };
      await writeFile(file, JSON.stringify({ Server: { TrustedProxies: ["127.0.0.1"], Endpoints: endpoints }, ReverseProxy }));
      await using gateway = await startGateway([file], { urls: "" });
      const [plain, secure] = gateway.urls.map((url) => new URL(url).host);
      await using front = await startHaproxy(haproxy, folder, [
        `${plain} send-proxy`,
        `${plain} send-proxy-v2`,
        `${plain} send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 100ms check-send-proxy`,
        `${secure} send-proxy-v2 proxy-v2-options crc32c`,
      ]);
      for (const [index, port] of front.ports.entries()) expect([index, await get(port, index === 3)]).toEqual([index, client]);

      const { stdout } = await promisify(execFile)(curl, ["--silent", "--haproxy-protocol", `http://${plain}/`]);
      expect(stdout).toBe("127.0.0.1");
      expect(gateway.log.filter(({ level }) => level === "Error" || level === "ERROR")).toEqual([]);
    } finally {
      await origin.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
