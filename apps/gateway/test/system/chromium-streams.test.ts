/** A browser in front of the gateway: pages, event streams, streamed fetches and WebSockets over both versions of HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { describe, expect } from "vitest";
import { WebSocketServer } from "ws";
import { configFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";
import { certificateFile } from "../support/tls-client.ts";
import { startChromium } from "./chromium.ts";
import { testWith } from "./required-programs.ts";

/** A destination whose streams go on only when the page says that it has what was sent: nothing may be held back on the way. */
async function startDestination() {
  const waiting = new Map<string, () => void>();
  const stream = (response: ServerResponse, key: string, type: string, pieces: readonly string[]): void => {
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    const next = (i: number): void => {
      const piece = pieces[i];
      if (piece === undefined) {
        waiting.delete(key);
        response.end();
        return;
      }
      waiting.set(key, () => next(i + 1));
      response.write(piece);
    };
    next(0);
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://destination");
    const key = url.searchParams.get("key") ?? "";
    switch (url.pathname) {
      case "/page":
        response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>page</title>");
        return;
      case "/events":
        stream(response, key, "text/event-stream", [0, 1, 2, 3].map((i) => `id: ${i}\ndata: event ${i}\n\n`));
        return;
      case "/pieces":
        stream(response, key, "application/octet-stream", ["a", "bb", "ccc"]);
        return;
      case "/seen":
        response.writeHead(204).end();
        waiting.get(key)?.();
        return;
      default:
        response.writeHead(200, { "content-type": "text/plain" });
        request.pipe(response);
    }
  };
  const server = createServer(handler);
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Run in the page. Each gives what it got, and confirms each piece before the destination sends the next one. */
const eventStream = (key: string): string => `new Promise((resolve, reject) => {
  const got = [];
  const source = new EventSource("/events?key=${key}");
  source.onmessage = async ({ data, lastEventId }) => {
    got.push(lastEventId + ": " + data);
    await fetch("/seen?key=${key}");
  };
  source.onerror = () => { source.close(); resolve(got); };
})`;

const streamedFetch = (key: string): string => `(async () => {
  const got = [];
  const decoder = new TextDecoder();
  const reader = (await fetch("/pieces?key=${key}")).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return got;
    got.push(decoder.decode(value));
    await fetch("/seen?key=${key}");
  }
})()`;

/** A body whose length nobody knows: browsers send one only over HTTP/2. */
const uploadAsStream = `(async () => {
  const body = new Blob(["all ", "of it"]).stream();
  return await (await fetch("/echo", { method: "POST", body, duplex: "half" })).text();
})()`;

const webSocket = `new Promise((resolve, reject) => {
  const got = [];
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  socket.binaryType = "arraybuffer";
  socket.onerror = () => reject(new Error("the WebSocket failed"));
  socket.onopen = () => socket.send("text");
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") { got.push(data); socket.send(new Uint8Array(200000).fill(7)); return; }
    got.push(data.byteLength, new Uint8Array(data).every((byte) => byte === 7));
    socket.close(4001, "enough");
  };
  socket.onclose = ({ code, wasClean }) => resolve([...got, code, wasClean]);
})`;

const protocolsUsed = `[...new Set(performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean))]`;

describe("Chromium", () => {
  testWith(["chromium"], "gets events, pieces and messages as they are sent, over HTTP/2 and HTTP/1.1", async ({ chromium }) => {
    await using folder = await configFolder();
    await using destination = await startDestination();
    const Certificate = { Path: certificateFile("cert.pem"), KeyPath: certificateFile("key.pem") };
    const accessLog = `${folder.path}/access.log`;
    const file = await folder.write("gateway.json", {
      Server: {
        Endpoints: { Plain: { Url: "http://127.0.0.1:0" }, Secure: { Url: "https://127.0.0.1:0", Certificate } },
        AccessLog: { Path: accessLog, Format: "Json" },
      },
      ReverseProxy: {
        Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
        Clusters: { c: { Destinations: { d: { Address: destination.url } } } },
      },
    });
    {
      await using gateway = await startGateway([file], { urls: "" });
      const [plain, secure] = gateway.urls.map((url) => new URL(url).port);
      await using browser = await startChromium(chromium!);
      for (const [origin, protocol] of [[`https://localhost:${secure}`, "h2"], [`http://localhost:${plain}`, "http/1.1"]] as const) {
        await browser.open(`${origin}/page?over=${protocol}`);
        expect(await browser.evaluate("document.title")).toBe("page");
        expect(await browser.evaluate(eventStream(`events-${protocol}`))).toEqual(["0: event 0", "1: event 1", "2: event 2", "3: event 3"]);
        expect(await browser.evaluate(streamedFetch(`pieces-${protocol}`))).toEqual(["a", "bb", "ccc"]);
        if (protocol === "h2") expect(await browser.evaluate(uploadAsStream)).toBe("all of it");
        expect(await browser.evaluate(webSocket)).toEqual(["text", 200_000, true, 4001, true]);
        expect(await browser.evaluate(protocolsUsed)).toEqual([protocol]);
      }
      expect(gateway.log.filter(({ level }) => level === "error")).toEqual([]);
    }
    // The page does not tell what its WebSockets came over: the gateway does.
    const lines = (await readFile(accessLog, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ target }) => target === "/socket")).toMatchObject([
      { httpVersion: "2", method: "CONNECT", status: 200 },
      { httpVersion: "1.1", method: "GET", status: 101 },
    ]);
  });
});
