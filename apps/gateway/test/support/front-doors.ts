import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { configFolder } from "../support/config-file.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";
import { certificateFile } from "../support/tls-client.ts";

/** What a program of the test asks, and how a destination answers. Both versions of Node's server take it. */
export interface Destination {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** For requests with `Expect: 100-continue`. Default: 100 at once, then the handler. */
  readonly expecting?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

/** A gateway with a door for each way to speak HTTP, in front of one destination that runs twice. */
export interface FrontDoors {
  readonly gateway: RunningGateway;
  /** In cleartext, HTTP/1.1. */
  readonly plain: number;
  /** In cleartext, HTTP/2 by prior knowledge. */
  readonly prior: number;
  /** Over TLS, both versions; the certificate is for localhost. */
  readonly secure: number;
  readonly certificate: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `/h1/…` goes to the destination over HTTP/1.1, `/h2/…` over HTTP/2 in cleartext; the first segment is taken off. */
export async function openFrontDoors(destination: Destination, secure: Readonly<Record<string, unknown>> = {}): Promise<FrontDoors> {
  const folder = await configFolder();
  const sockets = new Set<Socket>();
  const one = createServer();
  const two = createHttp2Server();
  for (const server of [one, two]) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
    });
    server.on("request", destination.handler as RequestListener);
    if (destination.expecting !== undefined) server.on("checkContinue", destination.expecting);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const addressOf = (server: { address(): unknown }): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const certificate = certificateFile("cert.pem");
  const routeTo = (ClusterId: string): object => ({ ClusterId, Match: { Path: `/${ClusterId}/{**rest}` }, Transforms: [{ PathRemovePrefix: `/${ClusterId}` }] });
  const file = await folder.write("gateway.json", {
    Server: {
      Endpoints: {
        Plain: { Url: "http://127.0.0.1:0" },
        Prior: { Url: "http://127.0.0.1:0", Protocols: "Http2" },
        Secure: { Url: "https://127.0.0.1:0", Certificate: { Path: certificate, KeyPath: certificateFile("key.pem") }, ...secure },
      },
    },
    ReverseProxy: {
      Routes: { one: routeTo("h1"), two: routeTo("h2") },
      Clusters: {
        h1: { Destinations: { d: { Address: addressOf(one) } } },
        h2: { HttpRequest: { Version: "2", VersionPolicy: "RequestVersionExact" }, Destinations: { d: { Address: addressOf(two) } } },
      },
    },
  });
  const gateway = await startGateway([file], { urls: "" });
  const [plain, prior, overTls] = gateway.urls.map((url) => Number(new URL(url).port)) as [number, number, number];
  return {
    gateway,
    plain,
    prior,
    secure: overTls,
    certificate,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      const closed = [once(one, "close"), once(two, "close")];
      one.close();
      two.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      await folder[Symbol.asyncDispose]();
    },
  };
}
