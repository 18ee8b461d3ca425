import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createForwardingServer } from "../server.ts";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("answers its own path and forwards the others with their bodies", async () => {
  const destination = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += String(chunk);
    res.setHeader("X-Saw", `${req.method} ${req.url} ${req.headers["x-forwarded-host"]}`);
    res.end(`got ${body}`);
  });
  const address = await listen(destination);
  const url = await listen(createForwardingServer(`${address}/base`));

  expect(await (await fetch(`${url}/hello`)).text()).toBe("hello from the server itself\n");
  const response = await fetch(`${url}/a%2Fb?c=d`, { method: "POST", body: "a body" });
  expect(await response.text()).toBe("got a body");
  expect(response.headers.get("x-saw")).toBe(`POST /base/a%2Fb?c=d ${url.slice("http://".length)}`);
  expect(response.headers.get("x-served-by")).toBe("direct-forwarding");
});

test("answers 502 when the destination is not there", async () => {
  const gone = createServer();
  const address = await listen(gone);
  servers.pop();
  gone.close();
  const response = await fetch(`${await listen(createForwardingServer(address))}/x`);
  expect([response.status, await response.text()]).toEqual([502, ""]);
});

test("lets WebSocket through", async () => {
  const destination = createServer();
  destination.on("upgrade", (req, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("data", (data) => socket.end(`${req.url} echoes ${String(data)}`));
  });
  const url = new URL(await listen(createForwardingServer(await listen(destination))));
  const socket = connect(Number(url.port), url.hostname);
  socket.write("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  let received = "";
  socket.on("data", (data) => {
    received += String(data);
    if (received.endsWith("\r\n\r\n")) socket.write("hi");
  });
  await once(socket, "close");
  expect(received).toMatch(/^HTTP\/1\.1 101 /u);
  expect(received).toMatch(/\/chat echoes hi$/u);
});
