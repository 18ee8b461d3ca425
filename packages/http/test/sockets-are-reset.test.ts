import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { resetSocket } from "../src/reset-socket.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Both ends of a connection. */
async function pair(path?: string): Promise<readonly [server: Socket, client: Socket]> {
  const server = createServer({ allowHalfOpen: true });
  const accepted = once(server, "connection") as Promise<[Socket]>;
  server.listen(path ?? { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const client = path === undefined ? connect((server.address() as AddressInfo).port, "127.0.0.1") : connect(path);
  const [socket] = await accepted;
  closers.push(() => client.destroy(), () => server.close());
  return [socket, client.resume()];
}

describe("a socket that is reset", () => {
  test("is reset for the peer", async () => {
    const [socket, client] = await pair();
    const closed = once(socket, "close");
    const failed = once(client, "error");
    resetSocket(socket);
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
    await closed;
  });

  test("while its FIN is under way is closed without an error", async () => {
    const [socket, client] = await pair();
    const errors: Error[] = [];
    socket.on("error", (error) => errors.push(error));
    const closed = once(socket, "close");
    const gone = once(client, "close");
    socket.end("last words");
    resetSocket(socket);
    resetSocket(socket);
    await closed;
    await gone;
    expect(errors).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("over a Unix socket is closed (left out on Windows: there are none)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "reset-"));
    closers.push(() => rm(folder, { recursive: true }));
    const [socket, client] = await pair(join(folder, "s"));
    const gone = once(client, "close");
    resetSocket(socket);
    await gone;
    expect(socket.destroyed).toBe(true);
  });
});
