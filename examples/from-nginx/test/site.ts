/** The destinations of the example, a certificate, and requests to whatever serves it. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { request, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { WebSocketServer } from "ws";

/** By the address that stands in the files. */
const destinations = {
  "10.0.0.11:5000": "api-1",
  "10.0.0.12:5000": "api-2",
  "10.0.0.13:5000": "api-backup",
  "10.0.0.21:3000": "shop-1",
  "10.0.0.22:3000": "shop-2",
  "10.0.0.31:9100": "decide",
} as const;

export type Address = keyof typeof destinations;

export interface Site {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** Port of each destination, by the address that stands in the files. */
  readonly ports: ReadonlyMap<Address, number>;
  close(): Promise<void>;
}

const answer =
  (name: string): RequestListener =>
  (req, res) => {
    if (name === "decide") return void res.writeHead(req.headers.authorization === "Bearer good" ? 200 : 403).end();
    if (req.url === "/v2/fails" && name === "api-1") return void res.writeHead(503).end();
    if (req.url === "/v2/gone") return void res.destroy();
    const shown = ["host", "x-real-ip", "x-forwarded-proto"].map((field) => `${field}=${String(req.headers[field] ?? "-").replace(/:\d+$/, "")}`);
    // Who it was is said in a field, which a cached answer has too.
    res.writeHead(200, { "Content-Type": "application/json", "X-Name": name.replace(/-\d$/, ""), "X-Powered-By": "the framework" });
    res.end(JSON.stringify({ url: req.url, shown, count: ++count, filler: req.url === "/v2/long" ? "x".repeat(2000) : "" }));
  };
let count = 0;

export async function startSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "from-nginx-"));
  const [certificate, key] = [join(folder, "shop.pem"), join(folder, "shop.key")];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=shop.example"];
  await promisify(execFile)("openssl", [...made, "-addext", "subjectAltName=DNS:shop.example,DNS:www.shop.example", "-keyout", key, "-out", certificate]);
  const ports = new Map<Address, number>();
  const servers: Server[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket, req) => socket.on("message", (data) => socket.send(`${req.url} ${String(data)}`)));
  for (const [address, name] of Object.entries(destinations)) {
    const server = createServer(answer(name));
    server.on("upgrade", (req, socket, head) => sockets.handleUpgrade(req, socket, head, (open) => sockets.emit("connection", open, req)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    servers.push(server);
    ports.set(address as Address, (server.address() as AddressInfo).port);
  }
  return {
    folder,
    certificate,
    key,
    ports,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }
      await rm(folder, { recursive: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One request over TLS, on a connection of its own. */
export async function ask(port: number, path: string, options: RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  const { body, headers, ...others } = options;
  const sending = request({ host: "127.0.0.1", port, path, agent: false, rejectUnauthorized: false, servername: "shop.example", headers: { Host: "shop.example", ...headers }, ...others });
  sending.end(body);
  const [response] = (await once(sending, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("latin1")) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}
