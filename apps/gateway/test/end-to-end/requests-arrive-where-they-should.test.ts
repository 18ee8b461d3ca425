/**
 * A YARP-shaped file with eight routes and three clusters, destinations on raw sockets, a client on a raw socket:
 * what arrives is compared byte for byte.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { bodyOf, getRaw, sendRaw, statusOf } from "../support/raw-client.ts";
import { startGateway } from "../support/running-gateway.ts";
import type { RunningGateway } from "../support/running-gateway.ts";

const file = fileURLToPath(new URL("shop.json", import.meta.url));
const echo = (name: string) => (request: string) => plainAnswer(`${name} ${request.split("\r\n", 1)[0]}`, "X-Origin: " + name + "\r\n");

describe.each(["http1", "node"])("through Server:Engine %s", (engine) => {
  let catalog1: RawOrigin;
  let catalog2: RawOrigin;
  let orders: RawOrigin;
  let web: RawOrigin;
  let gateway: RunningGateway;

  beforeAll(async () => {
    catalog1 = await startRawOrigin("catalog-1", echo("catalog-1"));
    catalog2 = await startRawOrigin("catalog-2", echo("catalog-2"));
    orders = await startRawOrigin("orders", echo("orders"));
    web = await startRawOrigin("web", echo("web"));
    gateway = await startGateway([file], {
      env: {
        Server__Engine: engine,
        "ReverseProxy__Clusters__catalog__Destinations__catalog-1__Address": catalog1.url,
        "ReverseProxy__Clusters__catalog__Destinations__catalog-2__Address": catalog2.url,
        "ReverseProxy__Clusters__orders__Destinations__orders-1__Address": `${orders.url}base/`,
        "ReverseProxy__Clusters__web__Destinations__web-1__Address": web.url,
      },
    });
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await Promise.all([catalog1, catalog2, orders, web].map((origin) => origin?.close()));
  });

  describe("requests", () => {
    test("a balanced cluster takes turns, the prefix is removed", async () => {
      const first = bodyOf(await getRaw(gateway.port, "/api/catalog/7?x=1"));
      const second = bodyOf(await getRaw(gateway.port, "/api/catalog/7?x=1"));
      expect([first, second].toSorted()).toEqual([
        "catalog-1 GET /catalog/7?x=1 HTTP/1.1",
        "catalog-2 GET /catalog/7?x=1 HTTP/1.1",
      ]);
    });

    test("a method that no route takes is 405 with those that would do", async () => {
      const answer = await sendRaw(
        gateway.port,
        "DELETE /only-get HTTP/1.1\r\nHost: api.shop.test\r\nConnection: close\r\n\r\n",
      );
      expect(statusOf(answer)).toBe(405);
      expect(answer).toMatch(/\r\nAllow: GET\r\n/i);
    });

    test("a path pattern is filled from the route values, below the base of the address", async () => {
      expect(bodyOf(await getRaw(gateway.port, "/api/orders/42?a=b%20c"))).toBe(
        "orders GET /base/v2/orders/42?a=b%20c HTTP/1.1",
      );
    });

    test("a constraint that does not hold leaves the request to the next route", async () => {
      expect(bodyOf(await getRaw(gateway.port, "/api/orders/forty-two"))).toBe(
        "web GET /api/orders/forty-two HTTP/1.1",
      );
    });

    test("a header and a query parameter decide before the path", async () => {
      expect(bodyOf(await getRaw(gateway.port, "/api/orders/42", "shop.test", "X-Canary: true\r\n"))).toBe(
        "web GET /api/orders/42 HTTP/1.1",
      );
      expect(bodyOf(await getRaw(gateway.port, "/api/catalog/1?preview=1"))).toBe(
        "web GET /api/catalog/1?preview=1 HTTP/1.1",
      );
    });

    test("a host decides, also below a wildcard, and is kept when the route says so", async () => {
      orders.requests.length = 0;
      expect(bodyOf(await getRaw(gateway.port, "/x", "eu.admin.shop.test"))).toBe("orders GET /base/admin/x HTTP/1.1");
      expect(orders.requests[0]).toMatch(/\r\nHost: eu\.admin\.shop\.test\r\n/i);
    });

    test("the gateway answers and redirects by itself where a route says so", async () => {
      const hello = await getRaw(gateway.port, "/healthz");
      expect(statusOf(hello)).toBe(200);
      expect(bodyOf(hello)).toBe("fine\n");
      const moved = await getRaw(gateway.port, "/shop/shoes");
      expect(statusOf(moved)).toBe(308);
      expect(moved).toMatch(/\r\nLocation: \/api\/catalog\/shoes\r\n/i);
    });

    test("bytes of the path stay what they are, dot segments aside", async () => {
      expect(bodyOf(await getRaw(gateway.port, "/a%2Fb/./c/../d%20e/%C3%A9?q=%zz"))).toBe(
        "web GET /a%2Fb/d%20e/%C3%A9?q=%zz HTTP/1.1",
      );
    });

    test("header lines keep order, case and repetition, those of the connection go, forwarding facts are added", async () => {
      web.requests.length = 0;
      await getRaw(
        gateway.port,
        "/h",
        "shop.test",
        "X-One: 1\r\nx-two: a\r\nX-One: 2\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\nConnection: x-private\r\n",
      );
      const lines = web.requests[0]!.split("\r\n");
      expect(lines.filter((line) => /^x-(one|two)/i.test(line))).toEqual(["X-One: 1", "x-two: a", "X-One: 2"]);
      expect(lines.filter((line) => /^(keep-alive|x-private|connection: (?!keep-alive$))/i.test(line))).toEqual([]);
      expect(lines.some((line) => /^x-forwarded-for: 127\.0\.0\.1$/i.test(line))).toBe(true);
      expect(lines.some((line) => /^x-forwarded-host: shop\.test$/i.test(line))).toBe(true);
    });

    test("a body arrives as it was, in either framing, and the next request on the connection is served", async () => {
      web.requests.length = 0;
      const body = "\x00\xff\r\nbytes";
      const answers = await sendRaw(
        gateway.port,
        `POST /one HTTP/1.1\r\nHost: shop.test\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
          "POST /two HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
          "3\r\nxyz\r\n2\r\nzy\r\n0\r\n\r\n",
      );
      expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
      expect(web.requests[0]!.split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(body);
      const second = web.requests[1]!;
      expect(second.slice(second.indexOf("\r\n\r\n") + 4).replace(/[0-9a-f]+\r\n|\r\n/g, "")).toBe("xyzzy");
    });

    test("the response's own header lines come back", async () => {
      expect(await getRaw(gateway.port, "/h")).toMatch(/\r\nX-Origin: web\r\n/);
    });

    test("a destination that is not there is a 502", async () => {
      expect(statusOf(await getRaw(gateway.port, "/", "dead.shop.test"))).toBe(502);
    });
  });
});
