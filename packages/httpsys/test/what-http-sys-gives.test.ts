import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ExchangeStateError, HeaderList, type Exchange, type ExchangeHandler, type ServerLimits } from "@proxy/http";
// @boundaries-ignore the contract that all servers keep
import { RawClient } from "../../http/test/contract/raw-client.ts";
// @boundaries-ignore the contract that all servers keep
import { collect, signal } from "../../http/test/contract/recorders.ts";
import { createHttpSysServer, HttpSysResponse, isHttpSysDelegation, type HttpSysServer } from "../src/index.ts";
import { double, freePort, liveTokens, missing } from "./double.ts";

describe.skipIf(missing !== undefined)(missing ?? "what HTTP.sys gives and takes in its own way, through the double:", () => {
  const servers: HttpSysServer[] = [];
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) await server.close(1000);
  });

  async function serve(handler: ExchangeHandler, limits?: Partial<ServerLimits>): Promise<RawClient> {
    const server = createHttpSysServer({ handler, limits, library: await double() });
    const port = await freePort();
    await server.listen({ host: "127.0.0.1", port });
    servers.push(server);
    const client = await RawClient.open(port, {});
    clients.push(client);
    return client;
  }

  const ok = { status: 200, headers: new HeaderList() };

  test("known headers come by id with their usual spelling, joined when repeated; others as they stood", async () => {
    const seen = signal<Exchange>();
    const client = await serve((exchange) => {
      seen.resolve(exchange);
      exchange.response.send(ok, "");
    });
    client.write("PATCH /a/%2e%2e/b%2Fc?d HTTP/1.1\r\nX-b: 1\r\nhOsT: a.test\r\naccept: a\r\nAccept: b\r\ncookie: c=1\r\nCookie: d=2\r\nx-B: 2\r\n\r\n");
    expect((await client.readResponse()).status).toBe(200);
    const { request, body, connection } = await seen.promise;
    expect([request.method, request.target, request.path, request.query, request.authority]).toEqual(["PATCH", "/a/%2e%2e/b%2Fc?d", "/b%2Fc", "?d", "a.test"]);
    expect(request.headers.toRaw()).toEqual(["Accept", "a, b", "Cookie", "c=1; d=2", "Host", "a.test", "X-b", "1", "x-B", "2"]);
    expect(body).toBeUndefined();
    expect([connection.remoteAddress, connection.remotePort]).toEqual(["127.0.0.1", client.socket.localPort]);
  });

  test("a head larger than the usual buffer arrives whole, and so does the next small one", async () => {
    const client = await serve((exchange) => exchange.response.send(ok, exchange.request.headers.get("x-a") ?? "none"), { maxRequestHeadersTotalSize: 60_000 });
    for (const size of [50_000, 10, 40_000, 0]) {
      client.write(`GET / HTTP/1.1\r\nHost: a.test\r\nX-A: ${"a".repeat(size)}\r\n\r\n`);
      expect((await client.readResponse()).body.length).toBe(size);
    }
  });

  test("a chunked body arrives whole, without the trailers", async () => {
    const client = await serve(async (exchange) => {
      const { bytes, trailers } = await collect(exchange.body);
      exchange.response.send(ok, `${bytes.toString()} ${trailers?.size}`);
    });
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n");
    expect((await client.readResponse()).body.toString()).toBe("hello world undefined");
  });

  test("repeated fields of a response are all sent, known ones and others", async () => {
    const headers = HeaderList.from([["Set-Cookie", "a=1"], ["X-A", "1"], ["set-cookie", "b=2"], ["x-a", "2"], ["ETag", '"e"'], ["Set-Cookie", "c=3"]]);
    const client = await serve((exchange) => exchange.response.send({ status: 299, reason: "Fine", headers }, "x"));
    client.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const response = await client.readResponse();
    const raw = response.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
    expect(raw.filter((line) => line.startsWith("set-cookie"))).toEqual(["set-cookie: a=1", "set-cookie: b=2", "set-cookie: c=3"]);
    expect(raw.filter((line) => line.startsWith("x-a"))).toEqual(["x-a: 1", "x-a: 2"]);
    expect(raw).toContain('etag: "e"');
  });

  test("parts of a file are sent without being read here (a file descriptor stands for the handle)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "httpsys-file-"));
    await writeFile(join(folder, "f"), "0123456789");
    const file = await open(join(folder, "f"));
    const client = await serve((exchange) => {
      const { response } = exchange;
      if (!(response instanceof HttpSysResponse)) throw new Error("not of HTTP.sys");
      response.start({ status: 200, headers: HeaderList.from([["Content-Length", "7"]]) });
      response.writeFile({ fileHandle: BigInt(file.fd), offset: 2n, length: 5n });
      response.write(Buffer.from("--"));
      response.end();
    });
    client.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await client.readResponse()).body.toString()).toBe("23456--");
    await file.close();
    await rm(folder, { recursive: true });
  });

  test("a request can be delegated until its body is read or its response started, and only with a handle", async () => {
    const seen: unknown[] = [];
    const client = await serve(async (exchange) => {
      const feature = exchange.features.delegation;
      if (!isHttpSysDelegation(feature)) throw new Error("no delegation feature");
      const rule = { queueName: "q", urlPrefix: "http://localhost:1/" };
      seen.push(feature.canDelegate);
      expect(() => feature.delegate(rule)).toThrow(TypeError);
      await collect(exchange.body);
      seen.push(feature.canDelegate);
      expect(() => feature.delegate(rule)).toThrow(ExchangeStateError);
      exchange.response.send(ok, "here");
      seen.push(feature.canDelegate);
    });
    client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi");
    expect((await client.readResponse()).body.toString()).toBe("here");
    expect(seen).toEqual([true, false, false]);
  });

  describe("of TLS, HTTP/2 and HTTP/3, which the double is told in a line before the request,", () => {
    const tls12 = "0x0800";
    const tls13 = "0x2000";

    test("protocol, cipher and server name are facts of the connection", async () => {
      const seen = signal<Exchange>();
      const client = await serve((exchange) => {
        seen.resolve(exchange);
        exchange.response.send(ok, "");
      });
      client.write(`HTTPSIM tls=${tls13} cipher=0x6610:256 sni=A.Test\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect((await client.readResponse()).status).toBe(200);
      const { connection, request, features } = await seen.promise;
      expect(request.scheme).toBe("https");
      expect(connection.tls).toMatchObject({
        serverName: "a.test", alpnProtocol: "http/1.1", protocol: "TLSv1.3", cipher: "AES_256", clientCertificate: undefined, clientCertificateAuthorized: false,
      });
      expect(features.clientCertificate).toBeDefined();
    });

    test("a client that names no server has none, and one that shows its certificate has it at once", async () => {
      const seen = signal<Exchange>();
      const client = await serve((exchange) => {
        seen.resolve(exchange);
        exchange.response.send(ok, "");
      });
      client.write(`HTTPSIM tls=${tls12} cert=30030201aa\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect((await client.readResponse()).status).toBe(200);
      const { connection, features } = await seen.promise;
      const certificate = Uint8Array.of(0x30, 3, 2, 1, 0xaa);
      expect(connection.tls).toMatchObject({ serverName: undefined, protocol: "TLSv1.2", cipher: undefined, clientCertificate: certificate, clientCertificateAuthorized: true });
      let told: unknown;
      features.clientCertificate?.receive((...result) => (told = result));
      expect(told).toEqual([certificate, undefined]);
    });

    test.each([["small", 500], ["too large for the first buffer", 9000]])("a client is asked for its certificate, once for all who want it: one that is %s", async (_what, size) => {
      const bytes = Buffer.alloc(size, 0x5a);
      const results: unknown[] = [];
      const client = await serve(async ({ features, connection, response }) => {
        const ask = (): Promise<void> =>
          new Promise((resolve) => {
            features.clientCertificate?.receive((certificate, error) => {
              results.push([certificate?.length, error]);
              resolve();
            });
          });
        await Promise.all([ask(), ask()]);
        await ask();
        response.send(ok, String(Buffer.from(connection.tls?.clientCertificate ?? []).equals(bytes) && connection.tls?.clientCertificateAuthorized));
      });
      client.write(`HTTPSIM tls=${tls12} later=${bytes.toString("hex")}\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect((await client.readResponse()).body.toString()).toBe("true");
      expect(results).toEqual(Array.from({ length: 3 }, () => [size, undefined]));
    });

    test.each([["shown at once", "cert", ""], ["asked for", "later", ""], ["too large for the first buffer", "later", "5a".repeat(9000)], ["of a head too large for the first buffer", "cert", "5a".repeat(17_000)]])(
      "the token of an account that comes with a certificate %s is closed", async (_what, when, more) => {
        const client = await serve(async ({ features, response }) => {
          const length = await new Promise<number | undefined>((resolve) => features.clientCertificate?.receive((certificate) => resolve(certificate?.length)));
          response.send(ok, `${length} ${liveTokens()}`);
        });
        client.write(`HTTPSIM tls=${tls12} mapped=1 ${when}=30030201aa${more}\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        expect((await client.readResponse()).body.toString()).toBe(`${5 + more.length / 2} 0`);
      },
    );

    test("a client that gives no certificate is told so, without an error", async () => {
      const told = signal<unknown>();
      const client = await serve(({ features, response }) => {
        features.clientCertificate?.receive((...result) => {
          told.resolve(result);
          response.send(ok, "");
        });
      });
      client.write(`HTTPSIM tls=${tls12}\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      await client.readResponse();
      expect(await told.promise).toEqual([undefined, undefined]);
    });

    test.each([["2", "h2"], ["3", "h3"]])("requests of HTTP/%s are told as such, and cannot be asked for a certificate", async (version, alpn) => {
      const seen = signal<Exchange>();
      const client = await serve((exchange) => {
        seen.resolve(exchange);
        exchange.response.send(ok, "whole");
      });
      client.write(`HTTPSIM http=${version} tls=${tls13}\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const response = await client.readResponse();
      expect(response.body.toString()).toBe("whole");
      expect(response.headers.map(([name]) => name.toLowerCase())).not.toContain("connection");
      const { connection, request, features } = await seen.promise;
      expect([request.httpVersion, connection.tls?.alpnProtocol, features.clientCertificate, features.upgrade]).toEqual([version, alpn, undefined, undefined]);
    });

    test.each(["2", "3"])("trailers of HTTP/%s go out after the body, as well when all of it is given at once", async (version) => {
      const supported: boolean[] = [];
      const client = await serve(async ({ response, request }) => {
        supported.push(response.trailersSupported);
        response.start({ status: 200, headers: HeaderList.from([["Trailer", "X-Sum"]]) });
        response.write(Buffer.from("one "));
        if (request.path === "/slow") await new Promise((resolve) => setImmediate(resolve));
        response.write(Buffer.from("two"));
        response.end(HeaderList.from([["X-Sum", "7"], ["Content-Length", "9"], ["grpc-status", "0"]]));
      });
      for (const [i, path] of ["/", "/slow"].entries()) {
        client.write(`${i === 0 ? `HTTPSIM http=${version} tls=${tls13}\r\n` : ""}GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        const response = await client.readResponse();
        expect(response.body.toString()).toBe("one two");
        expect(response.headers.map(([name, value]) => `${name}: ${value}`)).toContain("Trailer: X-Sum");
        expect(response.trailers).toEqual([["X-Sum", "7"], ["grpc-status", "0"]]);
      }
      expect(supported).toEqual([true, true]);
    });
  });
});
