/** Behind a proxy in front, the access log, hashing and destinations see the client. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import { bodyOf, getRaw, sendRaw } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";

const line = (client: string): string => `PROXY TCP4 ${client} 192.0.2.1 4711 80\r\n`;
const request = "GET /a HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n";

/** Which destination got each client's request, and what destinations and the log were told; the gateway's port is where `send` sends. */
async function run(server: Readonly<Record<string, unknown>>, send: (port: number, client: string) => Promise<string>) {
  const origins = await Promise.all(["a", "b", "c"].map((name) => startRawOrigin(name)));
  await using folder = await configFolder();
  const path = `${folder.path}/access.log`;
  const file = await folder.write("gateway.json", {
    Server: { AccessLog: { Path: path, Format: "Json" }, ...server },
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
      Clusters: {
        c: {
          LoadBalancingPolicy: "ConsistentHash",
          Destinations: Object.fromEntries(origins.map(({ url }, index) => [String(index), { Address: url }])),
        },
      },
    },
  });
  const clients = Array.from({ length: 8 }, (_, index) => `203.0.113.${index}`);
  const chosen: string[] = [];
  {
    await using gateway = await startGateway([file], { urls: "" });
    for (const client of clients) chosen.push(bodyOf(await send(gateway.port, client)));
  }
  const told = origins.flatMap(({ requests }) => requests.map((each) => /X-Forwarded-For: (.*)\r\n/i.exec(each)?.[1] ?? "")).sort();
  const logged = (await readFile(path, "latin1")).trimEnd().split("\n").map((each) => (JSON.parse(each) as { remoteAddress: string }).remoteAddress);
  await Promise.all(origins.map((origin) => origin.close()));
  return { clients, chosen, told, logged };
}

const endpoint = (more: Readonly<Record<string, unknown>>) => ({ Endpoints: { front: { Url: "http://127.0.0.1:0", ...more } } });

test("by the PROXY protocol and by X-Forwarded-For they are the same client", async () => {
  const results = [];
  for (const engine of ["http1", "node"]) {
    const server = { ...endpoint({ ProxyProtocol: true }), TrustedProxies: ["127.0.0.1"], Engine: engine };
    results.push(await run(server, (port, client) => sendRaw(port, line(client) + request)));
  }
  const forwarded = { ...endpoint({}), TrustedProxies: ["127.0.0.1"] };
  results.push(await run(forwarded, (port, client) => getRaw(port, "/a", "a.test", `X-Forwarded-For: ${client}\r\n`)));
  for (const { clients, chosen, told, logged } of results) {
    expect(told).toEqual(clients);
    expect(logged).toEqual(clients);
    expect(new Set(chosen).size).toBeGreaterThan(1);
    expect(chosen).toEqual(results[0]?.chosen);
  }
});

test("before TLS, too", async () => {
  const origin = await startRawOrigin("a");
  await using folder = await configFolder();
  const fixture = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));
  const Certificate = { Path: fixture("cert.pem"), KeyPath: fixture("key.pem") };
  const Server = { TrustedProxies: ["127.0.0.1"], Endpoints: { front: { Url: "https://127.0.0.1:0", ProxyProtocol: true, Certificate } } };
  const file = await folder.write("gateway.json", oneRoute(origin.url, { Server }));
  await using gateway = await startGateway([file], { urls: "" });
  const raw = connect(gateway.port, "127.0.0.1");
  await once(raw, "connect");
  raw.write(line("203.0.113.9"));
  const socket = connectTls({ socket: raw, servername: "localhost", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  socket.write(request.replace("a.test", "localhost"));
  await once(socket, "close");
  expect(bodyOf(answer)).toBe("a");
  expect(origin.requests[0]).toMatch(/X-Forwarded-For: 203\.0\.113\.9\r\n/i);
  expect(origin.requests[0]).toMatch(/X-Forwarded-Proto: https\r\n/i);
  await origin.close();
});

test("a peer that is not trusted is not served at such an endpoint, nor is one that sends no header", async () => {
  for (const [TrustedProxies, bytes] of [[["10.0.0.1"], line("203.0.113.7") + request], [["127.0.0.1"], request]] as const) {
    await using folder = await configFolder();
    const file = await folder.write("gateway.json", { Server: { ...endpoint({ ProxyProtocol: true }), TrustedProxies }, ReverseProxy: {} });
    await using gateway = await startGateway([file], { urls: "" });
    expect(await sendRaw(gateway.port, bytes).catch(() => "")).toBe("");
  }
});

test("who sends no header in the time that the endpoint gives is closed", async () => {
  await using folder = await configFolder();
  const Endpoints = Object.fromEntries(
    ["50ms", "1h"].map((time) => [time, { Url: "http://127.0.0.1:0", ProxyProtocol: true, ProxyProtocolTimeout: time }]),
  );
  const file = await folder.write("gateway.json", oneRoute("http://127.0.0.1:1", { Server: { TrustedProxies: ["127.0.0.1"], Endpoints } }));
  await using gateway = await startGateway([file], { urls: "", logLevel: "Debug" });
  const [hasty, patient] = gateway.urls.map((url) => connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {}));
  await new Promise((resolve) => hasty?.once("close", resolve).resume());
  expect(patient?.destroyed).toBe(false);
  await gateway.logged((entry) => JSON.stringify(entry).includes("the PROXY header did not come in time"));
  patient?.destroy();
});

test("an endpoint that waits for proxies where none is trusted is a fault", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", { Server: endpoint({ ProxyProtocol: true }), ReverseProxy: {} });
  await expect(startGateway([file], { urls: "" })).rejects.toMatchObject({ issues: [{ code: "trusted-proxy-missing" }] });
});
