import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

test.each(["http1", "node"])("connections are limited over all addresses together, with Server:Engine %s", async (engine) => {
  await using folder = await configFolder();
  const Server = { Engine: engine, Limits: { MaxConcurrentConnections: 1 } };
  const file = await folder.write("gateway.json", { Server, ReverseProxy: {} });
  await using gateway = await startGateway([file], { urls: "http://127.0.0.1:0;http://127.0.0.1:0" });
  const [first, second] = gateway.urls.map((url) => Number(new URL(url).port)) as [number, number];

  const holder = await open(first);
  holder.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  expect(String((await once(holder, "data"))[0])).toMatch(/^HTTP\/1\.1 404 /);
  const refused = await open(second);
  await once(refused, "close");
  expect(refused.bytesRead).toBe(0);
  holder.destroy();
});

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // A refusal may show as a reset; "close" comes either way.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket.resume();
}
