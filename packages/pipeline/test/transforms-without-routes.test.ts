import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient, forwardNode, type Transformer } from "@proxy/forwarder";
import { createTransformer, onlyIf, transforms, type CreateTransformerOptions, type TransformConfig } from "@proxy/pipeline";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";

const open: { close(): Promise<unknown> | void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(make: (prefix: string) => Transformer, answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
  const destination = await rawDestination((received, socket) => {
    if (received.endsWith("\r\n\r\n")) socket.write(answer, "latin1");
  });
  const prefix = `http://127.0.0.1:${destination.port}/base`;
  const client = createHttpClient();
  const transformer = make(prefix);
  const listener: RequestListener = (req, res) => void forwardNode(req, res, prefix, client, { transformer });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(destination, { close: () => client.close() }, { close: () => new Promise((resolve) => server.close(resolve)) });
  const { port } = server.address() as AddressInfo;
  return {
    destination,
    ask: (target: string, fields = "") => exchangeBytes(port, `GET ${target} HTTP/1.1\r\nHost: site.test\r\n${fields}Connection: close\r\n\r\n`),
  };
}

const made = (configured: readonly TransformConfig[], options: CreateTransformerOptions = {}) => (prefix: string) =>
  createTransformer(configured, { destination: prefix, ...options });

describe("transforms without routes", () => {
  it("change requests and responses of direct forwarding, each of its own", async () => {
    const { ask, destination } = await start(
      made(
        [
          transforms.pathPattern("/v1/{rest}"),
          transforms.queryValueParameter("a", { set: "1" }),
          transforms.requestHeaderRouteValue("X-Tenant", { set: "tenant" }),
          onlyIf("header X-Debug", transforms.requestHeader("X-Trace", { set: "full" })),
          transforms.responseHeader("X-Gate", { set: "direct" }),
          transforms.responseLocation("/shop"),
          transforms.responseBodyReplace("internal", { with: "public" }),
        ],
        { path: "/{tenant}/{**rest}" },
      ),
      "HTTP/1.1 302 Found\r\nLocation: /base/x\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\ninternal",
    );
    const answers = await Promise.all([ask("/one/a%2Fb", "X-Debug: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Port: 1\r\n"), ask("/two/c")]);
    for (const answer of answers) expect(answer).toMatch(/X-Gate: direct[^]*public/i);
    for (const answer of answers) expect(answer).toMatch(/Location: \/shop\/x\r\n/i);
    const [one, two] = destination.received.toSorted();
    expect(one).toMatch(/^GET \/base\/v1\/a%2Fb\?a=1 HTTP\/1\.1\r\n/);
    expect(one).toMatch(/X-Tenant: one\r\n[^]*X-Trace: full\r\n[^]*X-Forwarded-For: 127\.0\.0\.1\r\n/i);
    expect(one).not.toMatch(/6\.6\.6\.6|X-Forwarded-Port|site\.test\r\n(?!X-Forwarded)[^]*Host: site/i);
    expect(two).toMatch(/^GET \/base\/v1\/c\?a=1 [^]*X-Tenant: two\r\n/);
    expect(two).not.toMatch(/X-Trace/i);
  });

  it("run for failures too, and may answer themselves", async () => {
    const failing = await start(() => createTransformer([transforms.responseHeader("X-Failed", { set: "1", when: "Failure" })]), "nonsense");
    expect(await failing.ask("/")).toMatch(/^HTTP\/1\.1 502 [^]*X-Failed: 1\r\n/i);
    const redirecting = await start(made([transforms.redirectToHttps(308)]));
    expect(await redirecting.ask("/a?b")).toMatch(/^HTTP\/1\.1 308 [^]*Location: https:\/\/site\.test\/a\?b\r\n/i);
    expect(redirecting.destination.received).toEqual([]);
  });

  it.each([["at once", (run: () => void) => run()], ["later", async (run: () => void) => Promise.resolve().then(run)]] as const)(
    "are followed by code that does its work %s",
    async (_when, doing) => {
      const { ask, destination } = await start(
        made([transforms.pathPrefix("/v1"), transforms.responseHeader("X-Order", { append: "form" }), transforms.responseTrailer("X-Sum", { set: "form" })], {
          request: (_exchange, outgoing) => doing(() => (outgoing.path = `/code${outgoing.path}`)),
          response: (_exchange, response) => doing(() => response.headers.append("X-Order", "code")),
          trailers: (_exchange, trailers) => trailers.append("X-Sum", "code"),
        }),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Old: 1\r\n\r\n",
      );
      const answer = await ask("/a", "TE: trailers\r\n");
      expect(answer).toMatch(/X-Order: form\r\nX-Order: code\r\n[^]*X-Old: 1\r\nX-Sum: form\r\nX-Sum: code\r\n/i);
      expect(destination.received[0]).toMatch(/^GET \/base\/code\/v1\/a [^]*X-Forwarded-For: /);
    },
  );

  it("leave out code where a form has answered, and keep bodies back where either says so", async () => {
    let ran = 0;
    const answered = await start(made([transforms.redirectToHttps(308)], { request: () => void ran++ }));
    expect(await answered.ask("/")).toMatch(/^HTTP\/1\.1 308 /);
    expect(ran).toBe(0);
    for (const response of [() => false as const, () => Promise.resolve(false as const)]) {
      const { ask } = await start(made([transforms.responseHeader("X-Gate", { set: "1" })], { response }));
      const answer = await ask("/");
      expect(answer).toMatch(/X-Gate: 1\r\n/);
      expect(answer).not.toMatch(/ok$/);
    }
  });

  it("believe proxies that they are told of, and keep the client's Host where asked", async () => {
    const { ask, destination } = await start(made([transforms.requestHeaderOriginalHost(true)], { trustedProxies: ["127.0.0.1"] }));
    await ask("/", "X-Forwarded-For: 203.0.113.7\r\n");
    expect(destination.received[0]).toMatch(/Host: site\.test\r\n[^]*X-Forwarded-For: 203\.0\.113\.7\r\n/i);
  });

  it("that are none are refused with all that is wrong", () => {
    const make = (): Transformer => createTransformer([{ PathPrefixx: "/x" }, { ResponseHeader: "a b", Set: "1" }]);
    expect(make).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ code: "unknown-transform" }), expect.objectContaining({ code: "bad-header-name" })] }));
  });
});
