/** What becomes of a connection whose request another process may answer: that process is played by the test, on the same socket. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createEngineServer, HeaderList, type AdoptingServer, type Exchange, type HeldConnection } from "../../src/index.ts";

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";
const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Held {
  readonly held: HeldConnection;
  readonly exchange: Exchange;
  completed: number;
}

interface Setup {
  readonly server: AdoptingServer;
  readonly client: Socket;
  /** What came to the client and was not asked for yet, up to `end`. */
  until(end: string): Promise<string>;
  send(text: string): void;
  /** The next request for `/hold`, held. */
  held(): Promise<Held>;
}

/** Requests for `/hold` are held; others are answered with their target. */
async function setUp(reuseReadMemory: boolean): Promise<Setup> {
  const waiting: Held[] = [];
  let arrived = (): void => undefined;
  const server = createEngineServer({
    reuseReadMemory,
    handler(exchange) {
      if (exchange.request.target !== "/hold") {
        exchange.response.send({ status: 200, headers: new HeaderList() }, `${exchange.request.target}\n`);
        return;
      }
      const one: Held = { held: exchange.holdConnection!()!, exchange, completed: 0 };
      exchange.onComplete(() => void one.completed++);
      waiting.push(one);
      arrived();
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  closers.push(() => server.close(0), () => void client.destroy());
  await once(client, "connect");
  let text = "";
  let came = (): void => undefined;
  client.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    came();
  });
  return {
    server,
    client,
    send: (bytes) => void client.write(bytes, "latin1"),
    async until(end) {
      while (!text.includes(end)) await new Promise<void>((resolve) => (came = resolve));
      const at = text.indexOf(end) + end.length;
      const taken = text.slice(0, at);
      text = text.slice(at);
      return taken;
    },
    async held() {
      while (waiting.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      return waiting.shift()!;
    },
  };
}

describe.each([[true, "reads into memory that is used again"], [false, "reads by events"]])("a server that %s (%s)", (reuse) => {
  test("goes on with a connection that comes back, as often as it likes", async () => {
    const { server, send, until, held } = await setUp(reuse);
    for (let i = 0; i < 3; i++) {
      send(get("/hold"));
      const one = await held();
      expect([one.held.head.toString(), one.held.rest.length, one.held.bodyLength]).toEqual([get("/hold"), 0, 0]);
      expect(one.exchange.holdConnection!()).toBeUndefined();
      one.held.lend();
      expect([one.completed, server.connectionCount]).toEqual([1, 1]);
      one.held.socket.write(answer);
      await until("other");
      one.held.takeBack(Buffer.alloc(0));
      send(get(`/${i}`));
      await until(`/${i}\n`);
    }
  });

  test("serves what the other process read and did not use, and what comes behind it", async () => {
    const { send, until, held } = await setUp(reuse);
    send(`POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc${get("/1")}`);
    const one = await held();
    expect([one.held.rest.toString(), one.held.bodyLength]).toEqual([`abc${get("/1")}`, 3]);
    one.held.lend();
    send(get("/3"));
    one.held.takeBack(Buffer.from(get("/1") + get("/2").slice(0, 9) + get("/2").slice(9)));
    for (const target of ["/1", "/2", "/3"]) await until(`${target}\n`);
  });

  test("reads nothing of a connection that is away", async () => {
    const { send, until, held } = await setUp(reuse);
    send(get("/hold"));
    const one = await held();
    one.held.lend();
    send(get("/1"));
    // A second connection is served meanwhile: what there was to read has been read.
    const other = await setUp(reuse);
    other.send(get("/other"));
    await other.until("/other\n");
    expect([one.held.socket.bytesRead, one.completed]).toEqual([get("/hold").length, 1]);
    one.held.takeBack(Buffer.alloc(0));
    await until("/1\n");
  });

  test("ends one that comes back from a client that has half-closed", async () => {
    const { client, held } = await setUp(reuse);
    client.end(get("/hold"));
    const one = await held();
    one.held.lend();
    one.held.takeBack(Buffer.alloc(0));
    await once(client, "end");
  });

  test("lets one go without a word, or resets it", async () => {
    for (const how of ["letGo", "reset"] as const) {
      const { server, client, send, held } = await setUp(reuse);
      send(get("/hold"));
      const one = await held();
      one.held.lend();
      const gone = how === "reset" ? once(client, "error") : once(client, "end");
      one.held[how]();
      expect(await gone).toMatchObject(how === "reset" ? [{ code: "ECONNRESET" }] : []);
      if (!one.held.socket.closed) await once(one.held.socket, "close");
      expect([server.connectionCount, one.completed]).toEqual([0, 1]);
    }
  });

  test("does not wait for one that is away when it closes", async () => {
    const { server, client, send, held } = await setUp(reuse);
    send(get("/hold"));
    (await held()).held.lend();
    const ended = once(client, "end");
    await server.close(600_000);
    await ended;
  });

  test("answers itself when nobody took it, and takes no call that comes out of order", async () => {
    const { send, until, held } = await setUp(reuse);
    send(get("/hold"));
    const first = await held();
    first.held.takeBack(Buffer.from("nonsense"));
    first.held.letGo();
    first.held.reset();
    first.held.cancel("stays");
    first.held.lend();
    first.held.release();
    first.exchange.response.send({ status: 503, headers: new HeaderList() }, "nobody\n");
    await until("nobody\n");
    send(get("/1"));
    await until("/1\n");
    send(get("/hold"));
    const second = await held();
    second.held.lend();
    second.held.cancel("closes");
    second.held.lend();
    second.held.takeBack(Buffer.from(get("/2")));
    await until("/2\n");
    second.held.reset();
    second.held.takeBack(Buffer.from(get("/never")));
    send(get("/3"));
    expect(await until("/3\n")).not.toContain("/never");
  });
});
