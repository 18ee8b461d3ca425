import { once } from "node:events";
import { readFileSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder, oneRoute, type ConfigFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../packages/http/test/tls/${name}`, import.meta.url));
const ca = readFileSync(fixture("cert.pem"));

let folder: ConfigFolder;
let destination: Server;
let address: string;

beforeEach(async () => {
  folder = await configFolder();
  await copyFile(fixture("cert.pem"), join(folder.path, "cert.pem"));
  await copyFile(fixture("key.pem"), join(folder.path, "key.pem"));
  destination = createServer((req, res) => {
    res.end(`${req.headers["x-forwarded-proto"]} ${req.headers.host} ${req.url}`);
  }).listen(0, "127.0.0.1");
  await once(destination, "listening");
  address = `http://127.0.0.1:${(destination.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  destination.closeAllConnections();
  destination.close();
  await folder[Symbol.asyncDispose]();
});

const certificate = { Path: "cert.pem", KeyPath: "key.pem" };

async function start(endpoint: Record<string, unknown>): Promise<Awaited<ReturnType<typeof startGateway>>> {
  const endpoints = { Secure: { Url: "https://127.0.0.1:0", ...endpoint } };
  return startGateway([await folder.write("gateway.json", oneRoute(address, { Kestrel: { Endpoints: endpoints } }))], { urls: "" });
}

async function getOverHttp1(port: number): Promise<string> {
  const sent = request({ port, host: "127.0.0.1", servername: "localhost", headers: { host: "localhost" }, path: "/one", ca, agent: false });
  sent.end();
  const [response] = (await once(sent, "response")) as [AsyncIterable<Buffer>];
  let text = "";
  for await (const chunk of response) text += chunk.toString();
  return text;
}

async function getOverHttp2(port: number): Promise<string> {
  const session = connectHttp2(`https://localhost:${port}`, { ca, lookup: (_name, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }], 4) });
  const stream = session.request({ ":path": "/two" });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  return text;
}

describe("an https endpoint", () => {
  test("speaks HTTP/1.1 and HTTP/2, and its certificate stands beside the configuration", async () => {
    await using gateway = await start({ Certificate: certificate });
    expect(gateway.urls[0]).toBe(`https://127.0.0.1:${gateway.port}`);
    expect(await getOverHttp1(gateway.port)).toMatch(/^https .* \/one$/);
    expect(await getOverHttp2(gateway.port)).toMatch(/^https .* \/two$/);
  });

  test("finds certificates by server name and refuses others", async () => {
    await using gateway = await start({ Sni: { LocalHost: { Certificate: certificate } } });
    expect(await getOverHttp1(gateway.port)).toContain("/one");
    const stranger = connect({ port: gateway.port, host: "127.0.0.1", servername: "other.test", ca });
    const [error] = (await once(stranger, "error")) as [Error];
    expect(error).toBeInstanceOf(Error);
  });

  test("with Protocols Http1 does not speak HTTP/2", async () => {
    await using gateway = await start({ Certificate: certificate, Protocols: "Http1" });
    const socket = connect({ port: gateway.port, host: "127.0.0.1", servername: "localhost", ca, ALPNProtocols: ["h2", "http/1.1"] });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  test("with SslProtocols Tls12 does not speak TLS 1.3", async () => {
    await using gateway = await start({ Certificate: certificate, SslProtocols: ["Tls12"] });
    const socket = connect({ port: gateway.port, host: "127.0.0.1", servername: "localhost", ca });
    await once(socket, "secureConnect");
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
  });

  test("refuses to start with a key that cannot be read", async () => {
    await writeFile(join(folder.path, "key.pem"), "no key");
    await expect(start({ Certificate: certificate })).rejects.toThrow(/endpoint 'Secure'/);
  });
});

test("a cleartext endpoint with Protocols Http2 speaks it by prior knowledge", async () => {
  const endpoints = { Clear: { Url: "http://127.0.0.1:0", Protocols: "Http2" } };
  const file = await folder.write("gateway.json", oneRoute(address, { Kestrel: { Endpoints: endpoints } }));
  await using gateway = await startGateway([file], { urls: "" });
  const session = connectHttp2(`http://127.0.0.1:${gateway.port}`);
  const stream = session.request({ ":path": "/clear" });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  expect(text).toMatch(/^http .* \/clear$/);
});
