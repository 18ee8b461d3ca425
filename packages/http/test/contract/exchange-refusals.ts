import { expect } from "vitest";
import { HeaderList, type ServerLimits } from "../../src/index.ts";
import type { ContractPart } from "./exchange-bench.ts";

const host = "Host: a.test\r\n";

interface Refusal {
  readonly title: string;
  readonly raw: string;
  readonly status: number | readonly number[];
  readonly limits?: Partial<ServerLimits>;
}

const cases: readonly Refusal[] = [
  { title: "no Host", raw: "GET / HTTP/1.1\r\n\r\n", status: 400 },
  { title: "two Hosts", raw: `GET / HTTP/1.1\r\n${host}${host}\r\n`, status: 400 },
  { title: "two Hosts in HTTP/1.0", raw: `GET / HTTP/1.0\r\n${host}Host: b\r\n\r\n`, status: 400 },
  { title: "an empty Host", raw: "GET / HTTP/1.1\r\nHost:\r\n\r\n", status: 400 },
  { title: "a Host with user information", raw: "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", status: 400 },
  { title: "a Host list", raw: "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", status: 400 },
  { title: "a Host with a bad port", raw: "GET / HTTP/1.1\r\nHost: a:evil\r\n\r\n", status: 400 },
  { title: "a fragment in the target", raw: `GET /a#b HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "a bad escape in the path", raw: `GET /%zz HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "a character that no path may hold", raw: `GET /a<b HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "a backslash in the path", raw: `GET /a\\..\\b HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "a byte above 0x7F in the target", raw: `GET /caf\xe9 HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "the asterisk for a GET", raw: `GET * HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "the authority form for a GET", raw: `GET a.test:80 HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "an absolute target of another scheme", raw: `GET file:///etc/passwd HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "https on a cleartext connection", raw: `GET https://a.test/ HTTP/1.1\r\n${host}\r\n`, status: [400, 421] },
  { title: "CONNECT", raw: "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", status: [400, 405, 501] },
  { title: "a space in the target", raw: `GET /a b HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: "no version", raw: "GET /a\r\n\r\n", status: [400, 505] },
  { title: "a version of two digits", raw: `GET / HTTP/1.10\r\n${host}\r\n`, status: [400, 505] },
  { title: "HTTP/2.0 in the request line", raw: `GET / HTTP/2.0\r\n${host}\r\n`, status: [400, 505] },
  { title: "a space before the colon", raw: `GET / HTTP/1.1\r\n${host}X-A : 1\r\n\r\n`, status: 400 },
  { title: "a folded line", raw: `GET / HTTP/1.1\r\n${host}X-A: 1\r\n 2\r\n\r\n`, status: 400 },
  { title: "a bare CR in a value", raw: `GET / HTTP/1.1\r\n${host}X-A: 1\rX-B: 2\r\n\r\n`, status: 400 },
  { title: "NUL in a value", raw: `GET / HTTP/1.1\r\n${host}X-A: 1\0\r\n\r\n`, status: 400 },
  { title: "a delimiter in a name", raw: `GET / HTTP/1.1\r\n${host}X@A: 1\r\n\r\n`, status: 400 },
  { title: "a line without a colon", raw: `GET / HTTP/1.1\r\n${host}NoColon\r\n\r\n`, status: 400 },
  { title: "a method with a delimiter", raw: `G(T / HTTP/1.1\r\n${host}\r\n`, status: [400, 501] },
  { title: "both lengths", raw: `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, status: 400 },
  { title: "two lengths", raw: `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, status: 400 },
  { title: "two equal lengths", raw: `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, status: 400 },
  { title: "a length list", raw: `POST / HTTP/1.1\r\n${host}Content-Length: 5, 5\r\n\r\nhello`, status: 400 },
  { title: "a signed length", raw: `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\nhello`, status: 400 },
  { title: "an empty length", raw: `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\nhello`, status: 400 },
  { title: "a coding before chunked", raw: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, status: [400, 501] },
  { title: "an unknown coding", raw: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, status: [400, 501] },
  { title: "chunked twice", raw: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, status: [400, 501] },
  { title: "Transfer-Encoding in HTTP/1.0", raw: `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, status: 400 },
  { title: "an unknown expectation", raw: `GET / HTTP/1.1\r\n${host}Expect: the-unexpected\r\n\r\n`, status: 417 },
  { title: "a long request line", raw: `GET /${"a".repeat(300)} HTTP/1.1\r\n${host}\r\n`, status: 414, limits: { maxRequestLineSize: 256 } },
  { title: "too many header bytes", raw: `GET / HTTP/1.1\r\n${host}X-A: ${"a".repeat(70_000)}\r\n\r\n`, status: 431 },
  { title: "too many header lines", raw: `GET / HTTP/1.1\r\n${host}${"X-A: 1\r\n".repeat(101)}\r\n`, status: 431 },
  { title: "more header bytes than set", raw: `GET / HTTP/1.1\r\n${host}X-A: ${"a".repeat(600)}\r\n\r\n`, status: 431, limits: { maxRequestHeadersTotalSize: 512 } },
  { title: "more header lines than set", raw: `GET / HTTP/1.1\r\n${host}${"X-A: 1\r\n".repeat(4)}\r\n`, status: 431, limits: { maxRequestHeaderCount: 4 } },
];

/** What is unclear is refused, never repaired, and the connection closed. */
export const refusals: ContractPart = {
  title: "refused with its status and the connection closed:",
  define({ test, serve, connect }) {
    for (const { title, raw, status, limits } of cases) {
      test(title, async () => {
        let handled = 0;
        const server = await serve((exchange) => {
          handled++;
          exchange.response.send({ status: 200, headers: new HeaderList() }, "");
        }, limits);
        const client = await connect(server);
        client.write(`${raw}GET /next HTTP/1.1\r\n${host}\r\n`);
        const response = await client.readResponse();
        expect([status].flat()).toContain(response.status);
        expect(response.header("connection")).toBe("close");
        await client.ended;
        expect(client.pending).toBe("");
        expect(handled).toBe(0);
        expect(server.faults.length).toBeGreaterThan(0);
      });
    }

    test("a method that nobody knows passes or is refused, as the server's grammar has it", async () => {
      const server = await serve((exchange) => exchange.response.send({ status: 200, headers: new HeaderList() }, exchange.request.method));
      const client = await connect(server);
      client.write(`FROB /m HTTP/1.1\r\n${host}\r\n`);
      const response = await client.readResponse();
      expect([200, 400, 501]).toContain(response.status);
    });
  },
};
