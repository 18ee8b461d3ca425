import { HeaderList } from "@proxy/http";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns } from "../../http/test/contract/recorders.ts";
import { forward, type ForwarderError, type Transformer } from "../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./doubles/fake-exchange.ts";
import { type ScriptedCall, ScriptedClient } from "./doubles/scripted-client.ts";

const prefix = "http://destination.example/base/";

function send(transformer: Transformer, options: FakeExchangeOptions = {}) {
  const exchange = new FakeExchange(options);
  const client = new ScriptedClient();
  const outcome = forward(exchange, prefix, client, { transformer });
  return { exchange, client, outcome };
}

async function answered(call: ScriptedCall, outcome: Promise<ForwarderError | undefined>): Promise<void> {
  call.respond(200);
  call.end();
  expect(await outcome).toBeUndefined();
}

describe("a request transform", () => {
  test("changes method, path, query and prefix", async () => {
    const { client, outcome } = send({
      omitRequestHeaders: new Set(["host"]),
      request: (_, outgoing) => {
        outgoing.method = "PUT";
        outgoing.path = "/new%2Fpath";
        outgoing.query = "?q=1";
      },
    });
    expect([client.call.request.method, client.call.request.target]).toEqual(["PUT", "/base/new%2Fpath?q=1"]);
    expect(client.call.origin.host).toBe("destination.example");
    await answered(client.call, outcome);
  });

  test("sends elsewhere by prefix or by URL, with the Host of there unless one is set", async () => {
    const byPrefix = send({
      copyRequestHeaders: false,
      request: (_, outgoing) => {
        outgoing.destinationPrefix = "https://other.example:8443/x";
      },
    }, { path: "/p" });
    expect(byPrefix.client.call.origin).toEqual({ scheme: "https", host: "other.example", port: 8443 });
    expect([byPrefix.client.call.request.target, byPrefix.client.call.request.headers.getAll("host")]).toEqual(["/x/p", ["other.example:8443"]]);
    await answered(byPrefix.client.call, byPrefix.outcome);

    for (const [url, target] of [["http://third.example/a/b?c", "/a/b?c"], ["http://third.example?c", "/?c"], ["http://third.example", "/"]] as const) {
      const byUrl = send({
        request: (_, outgoing) => {
          outgoing.url = url;
          outgoing.headers.set("Host", "custom");
        },
      });
      expect([byUrl.client.call.origin.host, byUrl.client.call.request.target]).toEqual(["third.example", target]);
      expect(byUrl.client.call.request.headers.getAll("host")).toEqual(["custom"]);
      await answered(byUrl.client.call, byUrl.outcome);
    }
  });

  test.each([
    ["", "http://destination.example", "", "/"],
    ["", "http://destination.example", "?x", "/?x"],
    ["", "http://destination.example/base", "?x", "/base?x"],
    ["*", "http://destination.example", "", "*"],
  ])("that leaves the path %j at %s with the query %j asks for %s", async (path, prefix_, query, target) => {
    const { client, outcome } = send({
      request: (_, outgoing) => void Object.assign(outgoing, { path, query, destinationPrefix: prefix_ }),
    });
    expect(client.call.request.target).toBe(target);
    await answered(client.call, outcome);
  });

  test("may take its time", async () => {
    const { client, outcome } = send({
      request: async (_, outgoing) => {
        await turns(2);
        outgoing.headers.append("X-Late", "1");
      },
    });
    expect(client.calls).toHaveLength(0);
    while (client.calls.length === 0) await turns(1);
    expect(client.call.request.headers.get("x-late")).toBe("1");
    await answered(client.call, outcome);
  });

  test("is waited for when it gives a promise of another make, and not for anything else that it gives", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- it is what is tested
    const thenable = { then: (resolve: () => void) => void turns(2).then(resolve) } as unknown as Promise<void>;
    let late = false;
    const waiting = send({ request: () => (void turns(1).then(() => (late = true)), thenable), response: () => thenable });
    expect(waiting.client.calls).toHaveLength(0);
    while (waiting.client.calls.length === 0) await turns(1);
    expect(late).toBe(true);
    await answered(waiting.client.call, waiting.outcome);
    const stranger = send({ request: () => 7 as unknown as undefined, response: () => "x" as unknown as undefined });
    await answered(stranger.client.call, stranger.outcome);
  });

  test("finds a body that was read before: nothing is sent", async () => {
    const body = new MemoryBody(["part"], { held: true });
    body.cancel();
    const { client, outcome } = send({}, { method: "POST", body });
    expect(await outcome).toMatchObject({ code: "RequestCreation", source: "gateway", status: 502 });
    expect(client.calls).toEqual([]);
  });

  const refused: readonly (readonly [string, Transformer["request"]])[] = [
    ["a value with a line break", (_, { headers }) => headers.append("X", "a\r\nb: c")],
    ["a value beyond latin1", (_, { headers }) => headers.append("X", "\u4f60")],
    ["a name that is none", (_, { headers }) => headers.append("X Y", "1")],
    ["a method that is none", (_, outgoing) => void (outgoing.method = "GET /x")],
    ["a blank in the path", (_, outgoing) => void (outgoing.path = "/a b")],
    ["a line break in the query", (_, outgoing) => void (outgoing.query = "?a\r\nb")],
    ["an address that is none", (_, outgoing) => void (outgoing.destinationPrefix = "nowhere")],
    ["a URL of another scheme", (_, outgoing) => void (outgoing.url = "file:///etc/passwd")],
  ];
  test.each(refused)("that makes %s is a 502, nothing is sent", async (_, request) => {
    const { exchange, client, outcome } = send({ request });
    expect(await outcome).toMatchObject({ code: "RequestCreation", source: "gateway", retry: "safe", status: 502 });
    expect([exchange.response.status, client.calls.length]).toEqual([502, 0]);
  });

  test("cannot write framing or connection fields", async () => {
    const { client, outcome } = send({
      request: (_, { headers }) => {
        for (const name of ["Transfer-Encoding", "content-length", "Connection", "Upgrade", "Keep-Alive", "Expect"]) headers.append(name, "1");
        headers.append("X-Fine", "1");
      },
    });
    const keys = Array.from(client.call.request.headers, ([name]) => name.toLowerCase());
    expect(keys).toEqual(["host", "x-fine"]);
    await answered(client.call, outcome);
  });
});

describe("a response transform", () => {
  test("changes status, reason and fields", async () => {
    const { exchange, client, outcome } = send({
      response: (_, response, destination) => {
        expect(destination?.status).toBe(404);
        response.status = 200;
        response.reason = "Mended";
        response.headers.remove("x-inner");
        response.headers.append("X-Outer", "1");
      },
    });
    client.call.respond(404, [["X-Inner", "1"], ["Content-Length", "2"]]);
    client.call.data("ok");
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect([exchange.response.head?.status, exchange.response.head?.reason, exchange.response.body]).toEqual([200, "Mended", "ok"]);
    expect(exchange.response.head?.headers.toRaw()).toEqual(["Content-Length", "2", "X-Outer", "1"]);
  });

  test.each([
    ["another length", "3"],
    ["a longer one", "300"],
    ["what is no length", "abc"],
  ])("cannot give the body %s", async (_, length) => {
    for (const change of [
      (headers: HeaderList) => headers.set("Content-Length", length),
      (headers: HeaderList) => headers.append("content-length", length),
    ]) {
      const { exchange, client, outcome } = send({ response: (_exchange, { headers }) => change(headers) });
      client.call.respond(200, [["Content-Length", "2"]]);
      client.call.data("ok");
      client.call.end();
      expect(await outcome).toBeUndefined();
      expect(exchange.response.head?.headers.toRaw()).toEqual(["Content-Length", "2"]);

      const failed = send({ response: (_exchange, { headers }) => change(headers) });
      failed.client.call.fail("refused", { step: "connect", requestSent: false });
      await failed.outcome;
      expect(failed.exchange.response.head?.headers.toRaw()).toEqual([]);
    }
  });

  test("may take the length away", async () => {
    const { exchange, client, outcome } = send({ response: (_, { headers }) => void headers.remove("content-length") });
    client.call.respond(200, [["Content-Length", "2"]]);
    client.call.data("ok");
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect(exchange.response.head?.headers.toRaw()).toEqual([]);
  });

  test("that returns false suppresses the body and gives up the destination and the upload", async () => {
    const body = new MemoryBody(["part"], { held: true });
    const { exchange, client, outcome } = send({ response: () => false }, { method: "POST", body });
    client.call.readBody();
    client.call.respond(200, [["Content-Length", "10"], ["X-Kept", "1"]]);
    expect(await outcome).toBeUndefined();
    expect(client.call.aborted).toBeDefined();
    expect(body.cancelled).toBe(true);
    expect([exchange.response.body, exchange.response.head?.headers.toRaw()]).toEqual(["", ["X-Kept", "1"]]);
  });

  test("may take its time: what comes meanwhile is held, in order", async () => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { exchange, client, outcome } = send({ response: () => gate });
    client.call.respond(200);
    expect(client.call.paused).toBe(true);
    client.call.data("in hand, ");
    client.call.data("and more");
    client.call.end([["X-Sum", "1"]]);
    expect(exchange.response.started).toBe(false);
    go();
    expect(await outcome).toBeUndefined();
    expect([exchange.response.body, exchange.response.trailers?.toRaw()]).toEqual(["in hand, and more", ["X-Sum", "1"]]);
  });

  test("that takes its time and meets an error ends in a 502", async () => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { exchange, client, outcome } = send({ response: () => gate });
    client.call.respond(200);
    client.call.fail("reset", { step: "response-body" });
    go();
    expect((await outcome)?.code).toBe("ResponseBodyDestination");
    expect(exchange.response.status).toBe(502);
  });

  test("that answers itself is the answer", async () => {
    const { exchange, client, outcome } = send({
      response: (over) => over.response.send({ status: 418, headers: new HeaderList() }, "own"),
    });
    client.call.respond(200);
    client.call.data("not this");
    expect(await outcome).toBeUndefined();
    expect([exchange.response.status, exchange.response.body]).toEqual([418, "own"]);
    expect(client.call.aborted).toBeDefined();
  });

  test("runs without a response when the destination failed", async () => {
    const { exchange, client, outcome } = send({
      response: async (_, response, destination) => {
        await turns(1);
        if (destination === undefined) response.headers.append("X-Failed", "1");
      },
    });
    client.call.fail("refused", { step: "connect", requestSent: false });
    expect((await outcome)?.code).toBe("Request");
    expect([exchange.response.status, exchange.response.head?.headers.toRaw()]).toEqual([502, ["X-Failed", "1"]]);
  });

  test("of trailers adds and removes lines, forbidden ones excepted", async () => {
    const { exchange, client, outcome } = send({
      trailers: (_, trailers) => {
        trailers.remove("x-inner");
        trailers.append("X-Outer", "1");
        trailers.append("Content-Length", "1");
      },
    });
    client.call.respond(200);
    client.call.data("x");
    client.call.end([["X-Inner", "1"]]);
    expect(await outcome).toBeUndefined();
    expect(exchange.response.trailers?.toRaw()).toEqual(["X-Outer", "1"]);
  });
});

describe("a transformer that is a class", () => {
  class Counting implements Transformer {
    readonly seen: string[] = [];

    request(): void {
      this.seen.push("request");
    }

    response(): void {
      this.seen.push("response");
    }

    trailers(): void {
      this.seen.push("trailers");
    }
  }

  test("is called as one, whatever happens", async () => {
    const whole = new Counting();
    const first = send(whole);
    first.client.call.respond(200);
    first.client.call.end([["X-Sum", "1"]]);
    expect(await first.outcome).toBeUndefined();
    const failed = new Counting();
    const second = send(failed);
    second.client.call.fail("refused", { step: "connect", requestSent: false });
    expect((await second.outcome)?.code).toBe("Request");
    expect([whole.seen, failed.seen]).toEqual([["request", "response", "trailers"], ["request", "response"]]);
  });
});

describe("the default transformer", () => {
  test("leaves X-Forwarded-For out when the client has no address, and -Host when it named none", async () => {
    const exchange = new FakeExchange({ remoteAddress: undefined, authority: "", headers: [["X-Forwarded-For", "6.6.6.6"]] });
    const client = new ScriptedClient();
    const outcome = forward(exchange, prefix, client);
    expect(client.call.request.headers.toRaw()).toEqual(["Host", "destination.example", "X-Forwarded-Proto", "http"]);
    await answered(client.call, outcome);
  });
});
