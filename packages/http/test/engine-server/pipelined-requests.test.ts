import { describe, expect, test } from "vitest";
import { type Exchange, HeaderList } from "../../src/index.ts";
import { turns } from "../contract/recorders.ts";
import { MemorySocket, openInMemory } from "./memory-connection.ts";
import { answer, get } from "./serve.ts";

function answers(socket: MemorySocket): number {
  return socket.sent.split("HTTP/1.1 200 OK").length - 1;
}

describe("pipelined requests", () => {
  test("are not read without bound while the first one waits", async () => {
    const waiting: Exchange[] = [];
    const { socket, connection } = openInMemory((exchange) => void waiting.push(exchange), { maxRequestBufferSize: 65_536 });
    const row = Buffer.from(get.repeat(100));
    let taken = 0;
    while (!socket.paused && taken < 1_000_000) {
      connection.data(row);
      taken += row.length;
    }
    expect(taken).toBeLessThanOrEqual(65_536 + row.length + get.length);
    let answered = 0;
    for (let exchange = waiting.shift(); exchange !== undefined; exchange = waiting.shift()) {
      exchange.response.send({ status: 200, headers: new HeaderList() });
      if (++answered % 100 === 0) await turns(1);
    }
    expect(answered).toBe(taken / get.length);
    expect(socket.paused).toBe(false);
    connection.closed();
  });

  test("let others have their turn when there are many", async () => {
    const { socket, connection } = openInMemory(answer(200));
    connection.data(Buffer.from(get.repeat(1000)));
    expect([answers(socket), socket.paused]).toEqual([256, true]);
    await turns(8);
    expect([answers(socket), socket.paused]).toEqual([1000, false]);
    connection.closed();
  });

  test("are all answered before a half-close behind them counts", async () => {
    const { socket, connection } = openInMemory(answer(200));
    connection.data(Buffer.from(`${get.repeat(300)}GET /part`));
    connection.ended();
    await turns(8);
    expect(answers(socket)).toBe(300);
    expect(socket.sent).toMatch(/HTTP\/1\.1 400 Bad Request\r\n[^]*Connection: close\r\n\r\n$/);
    expect(socket.ended).toBe(true);
    connection.closed();
  });

  test("are dropped when the connection is lost before their turn", async () => {
    let handled = 0;
    const { connection } = openInMemory((exchange) => {
      handled++;
      exchange.response.send({ status: 200, headers: new HeaderList() });
    });
    connection.data(Buffer.from(get.repeat(1000)));
    connection.closed();
    await turns(8);
    expect(handled).toBe(256);
  });
});
