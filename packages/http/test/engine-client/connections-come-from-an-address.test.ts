import { createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineClient, createVersionedClient, type HttpClient, type HttpClientOptions } from "../../src/index.ts";
import { send } from "./recorder.ts";

let server: Server;
let client: HttpClient;
const peers: (string | undefined)[] = [];

/** A destination, or a web proxy, that notes where connections come from. */
async function listen(): Promise<number> {
  server = createServer((socket) => {
    peers.push(socket.remoteAddress);
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const ways: readonly (readonly [string, (options: HttpClientOptions) => HttpClient])[] = [
  ["the engine", createEngineClient],
  ["a client of both versions", createVersionedClient],
];

const elsewhere = process.platform === "linux" ? "" : " (skipped: all of 127.0.0.0/8 is this machine's on Linux alone)";

describe.skipIf(elsewhere !== "")(`from an address of one's own${elsewhere}`, () => {
  afterEach(async () => {
    client.destroy();
    server.close();
    await once(server, "close");
    peers.length = 0;
  });

  it.each(ways)("%s connects, also to names that have addresses of both families", async (_name, create) => {
    const port = await listen();
    const lookup: HttpClientOptions["lookup"] = (_host, { family, all }, callback) => {
      expect(family).toBe(4);
      if (all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    };
    client = create({ localAddress: "127.0.0.9", lookup });
    await send(client.destination({ scheme: "http", host: "two-families.test", port })).done;
    expect(peers).toEqual(["127.0.0.9"]);
  });

  it.each(ways)("%s connects to a web proxy", async (_name, create) => {
    const port = await listen();
    client = create({ localAddress: "127.0.0.8", webProxy: { address: `http://127.0.0.1:${port}` } });
    await send(client.destination({ scheme: "http", host: "192.0.2.1", port: 80 })).done;
    expect(peers).toEqual(["127.0.0.8"]);
  });
});

it("what is no address is refused when the client is made", () => {
  expect(() => createEngineClient({ localAddress: "eth0" })).toThrow("localAddress is no IP address");
});
