/** Streams whose two sides end apart from each other: none is left over, and none keeps what others need. */
import { afterEach, describe, expect, test } from "vitest";
import { errorCode, frameType, readUint32 } from "../../src/engine/http2/frames.ts";
import { type BodySource, type ExchangeHandler, HeaderList, type ServerLimits, type Tunnel } from "../../src/index.ts";
import { until } from "../contract/recorders.ts";
import { data, type Fields, frame, goaway, open, request, whole } from "../http2-wire/frames-to-send.ts";
import { front } from "../http2-wire/front.ts";
import type { WireServer } from "../http2-wire/wire-bench.ts";
import { WireClient } from "../http2-wire/wire-client.ts";

const ok = { status: 200, headers: new HeaderList() };
const connectFields: Fields = [[":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "http"], [":path", "/"], [":authority", "a.test"]];
const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of close.splice(0)) await one();
});

async function serve(handler: ExchangeHandler, limits?: Partial<ServerLimits>): Promise<{ client: WireClient; server: WireServer }> {
  const server = await front(handler, limits);
  const client = WireClient.over(await server.connect());
  close.push(async () => {
    client.destroy();
    await server.front.close(100);
  });
  return { client, server };
}

function ignoring(body: BodySource | undefined): Error[] {
  const errors: Error[] = [];
  body?.read({ onData: () => undefined, onEnd: () => undefined, onError: (error) => void errors.push(error) });
  return errors;
}

describe("a request that is answered while its body is being read", () => {
  test("is let go when the reader gives up later", async () => {
    let body: BodySource | undefined;
    const { client } = await serve((exchange) => {
      if (exchange.request.path === "/") {
        body = exchange.body;
        ignoring(body);
      }
      exchange.response.send(ok, "early");
    });
    client.send(open(1, request("/", [], "POST")), data(1, "some"));
    await until(() => client.stream(1).ended);
    await client.alive();
    expect(client.stream(1).resetWith).toBeUndefined();
    body?.cancel();
    await until(() => client.stream(1).resetWith !== undefined);
    expect(client.stream(1).resetWith).toBe(errorCode.noError);
    client.send(data(1, "more"));
    expect(await client.get(3, "/other")).toBe("status 200");
  });

  test("is let go when the rest comes too slowly", async () => {
    let errors: Error[] = [];
    const { client, server } = await serve((exchange) => {
      errors = ignoring(exchange.body);
      exchange.response.send(ok, "early");
    });
    client.send(open(1, request("/", [], "POST")), data(1, "some"));
    await until(() => client.stream(1).ended);
    while (errors.length === 0) {
      server.clock.advance(1000);
      await server.clock.looked();
    }
    await until(() => client.stream(1).resetWith !== undefined);
    expect(client.stream(1).resetWith).toBe(errorCode.noError);
  });

  test("is left alone when the reader gives up what has come as a whole", async () => {
    let body: BodySource | undefined;
    const { client } = await serve((exchange) => {
      body = exchange.body;
      ignoring(body);
      body?.pause();
      exchange.response.send(ok, "early");
    });
    client.send(open(1, request("/", [], "POST")), data(1, "all", true));
    await until(() => client.stream(1).ended);
    body?.cancel();
    await client.alive();
    expect(client.stream(1).resetWith).toBeUndefined();
  });
});

describe("an extended CONNECT", () => {
  test("that ends its side with its head opens a tunnel whose reader is told the end", async () => {
    let ended = 0;
    const { client } = await serve((exchange) => {
      const tunnel = exchange.features.upgrade?.accept(ok) as Tunnel;
      tunnel.read({
        onData: () => undefined,
        onEnd: () => {
          ended++;
          tunnel.write(Buffer.from("bye"));
          tunnel.end();
        },
        onError: () => undefined,
      });
    });
    client.send(whole(1, connectFields));
    await until(() => client.stream(1).ended);
    expect([ended, client.stream(1).body]).toEqual([1, "bye"]);
  });

  test("whose refusal breaks off gives the connection's window back for what came early", async () => {
    const refusals: (() => void)[] = [];
    const { client } = await serve((exchange) => {
      if (exchange.features.upgrade === undefined) {
        exchange.response.send(ok);
        return;
      }
      refusals.push(() => {
        exchange.response.start({ status: 403, headers: new HeaderList() });
        exchange.response.abort(new Error("the reason broke off"));
      });
    });
    await client.alive();
    const early = 16_384;
    const rounds = 80;
    for (let round = 0; round < rounds && client.ending === undefined; round++) {
      const id = 2 * round + 1;
      client.send(open(id, connectFields), data(id, Buffer.alloc(early)));
      await client.alive();
      refusals.pop()?.();
      await until(() => client.stream(id).resetWith !== undefined || client.ending !== undefined);
    }
    expect(client.ending).toBeUndefined();
    const given = client.frames.filter(({ type, stream }) => type === frameType.windowUpdate && stream === 0).slice(1);
    expect(given.reduce((sum, { payload }) => sum + readUint32(payload, 0), 0)).toBeGreaterThan((rounds * early) / 2);
  });
});

test("a second GOAWAY names no later stream than the first", async () => {
  const { client } = await serve(() => undefined);
  client.send(whole(1, request("/")), goaway(0));
  await until(() => client.goaway !== undefined);
  expect(client.goaway).toEqual({ last: 1, code: errorCode.noError });
  client.send(whole(3, request("/")), frame(frameType.ping, 0, 0, Buffer.alloc(3)));
  await until(() => client.closed);
  expect(client.goaway).toEqual({ last: 1, code: errorCode.frameSizeError });
});

test("205 announces no content", async () => {
  const { client } = await serve(({ response }) => {
    response.start({ status: 205, headers: HeaderList.from([["content-length", "5"]]) });
    response.write(Buffer.from("hello"));
    response.end();
  });
  expect(await client.get(1)).toBe("status 205");
  expect([client.stream(1).size, client.stream(1).heads[0]?.some(([name]) => name === "content-length")]).toEqual([0, false]);
});
