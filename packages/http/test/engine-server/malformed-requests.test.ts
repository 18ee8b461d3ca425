import { describe, expect, test } from "vitest";
import { BadRequestError } from "../../src/index.ts";
import { playInMemory } from "./memory-connection.ts";

const host = "Host: a.test\r\n";
const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;

/** Title, bytes, status. Each is answered with that status and the connection is closed. */
const heads: readonly (readonly [title: string, bytes: string, status: number])[] = [
  ["HTTP/0.9", "GET /\r\n\r\n", 400],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["HTTP/1.2", `GET / HTTP/1.2\r\n${host}\r\n`, 505],
  ["HTTP/0.9 with a version", `GET / HTTP/0.9\r\n${host}\r\n`, 505],
  ["HTTP/1.10", `GET / HTTP/1.10\r\n${host}\r\n`, 400],
  ["a version without its minor part", `GET / HTTP/1\r\n${host}\r\n`, 400],
  ["a version in lower case", `GET / http/1.1\r\n${host}\r\n`, 400],
  ["a blank after the version", `GET / HTTP/1.1 \r\n${host}\r\n`, 400],
  ["two blanks before the version", `GET /  HTTP/1.1\r\n${host}\r\n`, 400],
  ["two blanks before the target", `GET  / HTTP/1.1\r\n${host}\r\n`, 400],
  ["a tab in the request line", `GET\t/ HTTP/1.1\r\n${host}\r\n`, 400],
  ["a blank before the method", ` GET / HTTP/1.1\r\n${host}\r\n`, 400],
  ["two empty lines before the request", `\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`, 400],
  ["a bare LF before the request", `\nGET / HTTP/1.1\r\n${host}\r\n`, 400],
  ["LF line ends", "GET / HTTP/1.1\nHost: a.test\n\n", 400],
  ["NUL in the method", `G\0T / HTTP/1.1\r\n${host}\r\n`, 400],
  ["NUL in the target", `GET /\0 HTTP/1.1\r\n${host}\r\n`, 400],
  ["DEL in the target", `GET /\x7f HTTP/1.1\r\n${host}\r\n`, 400],
  ["a high byte in the target", `GET /\xe9 HTTP/1.1\r\n${host}\r\n`, 400],
  ["a fragment", `GET /#a HTTP/1.1\r\n${host}\r\n`, 400],
  ["CONNECT", `CONNECT a.test:443 HTTP/1.1\r\n${host}\r\n`, 501],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
  ["two Hosts", `GET / HTTP/1.1\r\n${host}${host}\r\n`, 400],
  ["two Hosts in HTTP/1.0", `GET / HTTP/1.0\r\n${host}hOST: a.test\r\n\r\n`, 400],
  ["a Host list", "GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n", 400],
  ["a Host with a path", "GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n", 400],
  ["a folded line", `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400],
  ["a folded first line", `GET / HTTP/1.1\r\n ${host}\r\n`, 400],
  ["a blank before the colon", `GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`, 400],
  ["a line without a name", `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, 400],
  ["a line without a colon", `GET / HTTP/1.1\r\n${host}X\r\n\r\n`, 400],
  ["a delimiter in a name", `GET / HTTP/1.1\r\n${host}X@Y: a\r\n\r\n`, 400],
  ["a high byte in a name", `GET / HTTP/1.1\r\n${host}X\xe9: a\r\n\r\n`, 400],
  ["a bare CR in a value", `GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`, 400],
  ["a bare LF in a value", `GET / HTTP/1.1\r\n${host}X: a\nb: c\r\n\r\n`, 400],
  ["NUL in a value", `GET / HTTP/1.1\r\n${host}X: a\0\r\n\r\n`, 400],
  ["a form feed in a value", `GET / HTTP/1.1\r\n${host}X: a\f\r\n\r\n`, 400],
  ["DEL in a value", `GET / HTTP/1.1\r\n${host}X: a\x7f\r\n\r\n`, 400],
  ["a CR before the empty line", `GET / HTTP/1.1\r\n${host}\r\r\n\r\n`, 400],
  ["both lengths", `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ["two equal lengths", `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 400],
  ["a length list", `POST / HTTP/1.1\r\n${host}Content-Length: 5, 5\r\n\r\n`, 400],
  ["a signed length", `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\n`, 400],
  ["a hexadecimal length", `POST / HTTP/1.1\r\n${host}Content-Length: 0x5\r\n\r\n`, 400],
  ["an empty length", `POST / HTTP/1.1\r\n${host}Content-Length: \r\n\r\n`, 400],
  ["a length beyond 2^53", `POST / HTTP/1.1\r\n${host}Content-Length: 9007199254740992\r\n\r\n`, 400],
  ["a length of 20 digits", `POST / HTTP/1.1\r\n${host}Content-Length: 18446744073709551621\r\n\r\n`, 400],
  ["digits that are not ASCII", `POST / HTTP/1.1\r\n${host}Content-Length: \xd9\xa5\r\n\r\n`, 400],
  ["an unknown coding", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, 501],
  ["a coding before chunked", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ["chunked with a parameter", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked;q=1\r\n\r\n`, 501],
  ["chunked twice", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, chunked\r\n\r\n`, 400],
  ["chunked in two lines", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ["a tab after chunked", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\t\r\n\r\n`, 400],
  ["a tab after the length", `POST / HTTP/1.1\r\n${host}Content-Length: 5\t\r\n\r\n`, 400],
  ["an empty coding", `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n`, 501],
  ["a coding in HTTP/1.0", `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, 400],
  ["an unknown expectation", `POST / HTTP/1.1\r\n${host}Expect: more\r\nContent-Length: 1\r\n\r\n`, 417],
  ["two expectations", `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n`, 417],
  ["a request line beyond the limit", `GET /${"a".repeat(8192)} HTTP/1.1\r\n${host}\r\n`, 414],
  ["a request line beyond the limit that never ends", `GET /${"a".repeat(8193)}`, 414],
  ["header lines beyond the limit", `GET / HTTP/1.1\r\n${host}X: ${"a".repeat(32_768)}\r\n\r\n`, 431],
  ["header lines beyond the limit that never end", `GET / HTTP/1.1\r\n${host}X: ${"a".repeat(40_000)}`, 431],
  ["101 header lines", `GET / HTTP/1.1\r\n${host}${"X: 1\r\n".repeat(100)}\r\n`, 431],
];

/** Bodies that break off with 400; what follows is no request. */
const bodies: readonly (readonly [title: string, bytes: string, status: number])[] = [
  ["no chunk size", "\r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk size that is no number", "G\r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", 400],
  ["a negative chunk size", "-5\r\nhello\r\n0\r\n\r\n", 400],
  ["a blank before the chunk size", " 5\r\nhello\r\n0\r\n\r\n", 400],
  ["a blank after the chunk size", "5 \r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk size beyond 2^53", "FFFFFFFFFFFFFFFE\r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk size of 17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", 400],
  ["a bare LF after the chunk size", "5\nhello\r\n0\r\n\r\n", 400],
  ["a bare CR after the chunk size", "5\rhello\r\n0\r\n\r\n", 400],
  ["chunk data longer than its size", "3\r\nhello\r\n0\r\n\r\n", 400],
  ["chunk data without its end", "5\r\nhello0\r\n\r\n", 400],
  ["a bare LF after chunk data", "5\r\nhello\n0\r\n\r\n", 400],
  ["a chunk extension without a name", "5;\r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk extension without a value", "5;a=\r\nhello\r\n0\r\n\r\n", 400],
  ["a blank in a chunk extension", "5; a=b\r\nhello\r\n0\r\n\r\n", 400],
  ["a bare LF in a chunk extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400],
  ["a CRLF in a quoted chunk extension", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 400],
  ["NUL in a chunk extension", "5;a\0\r\nhello\r\n0\r\n\r\n", 400],
  ["16 KiB of chunk extensions", `${`1;${"x".repeat(1023)}\r\na\r\n`.repeat(17)}0\r\n\r\n`, 400],
  ["a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", 400],
  ["a bare LF in a trailer", "0\r\nX: a\nY: b\r\n\r\n", 400],
  ["Content-Length in the trailers", "0\r\nContent-Length: 5\r\n\r\n", 400],
  ["Transfer-Encoding in the trailers", "0\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  ["Connection in the trailers", "0\r\nConnection: close\r\n\r\n", 400],
  ["Host in the trailers", "0\r\nHost: a.test\r\n\r\n", 400],
  ["trailers beyond the limit", `0\r\nX: ${"a".repeat(40_000)}\r\n\r\n`, 400],
  ["101 trailers", `0\r\n${"X: 1\r\n".repeat(101)}\r\n`, 400],
];

const follow = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;

describe("refused, and the connection closed:", () => {
  test.each(heads)("%s", (_title, bytes, status) => {
    const { requests, sent, ended, faults } = playInMemory([Buffer.from(bytes + follow, "latin1")]);
    expect(sent).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^\r]+\r\nDate: -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$`));
    expect({ requests, ended, faults }).toEqual({ requests: [], ended: true, faults: 1 });
  });

  test.each(bodies)("a body with %s", (_title, bytes, status) => {
    const { requests, sent, ended, faults } = playInMemory([Buffer.from(chunked + bytes + follow, "latin1")]);
    expect(sent.split("\r\n")[0]).toBe(`HTTP/1.1 ${status} Bad Request`);
    expect(sent).toContain("Connection: close\r\n");
    expect({ requests, ended, faults }).toEqual({ requests: [], ended: true, faults: 1 });
  });
});

describe("the reader of the body is told the limit by its status and code:", () => {
  test.each([
    ["trailers beyond the limit", `0\r\nX: ${"a".repeat(40_000)}\r\n\r\n`, 431, "TRAILERS_TOO_LARGE"],
    ["trailers beyond the limit that never end", `0\r\nX: ${"a".repeat(40_000)}`, 431, "TRAILERS_TOO_LARGE"],
    ["101 trailers", `0\r\n${"X: 1\r\n".repeat(101)}\r\n`, 431, "TRAILERS_TOO_LARGE"],
    ["16 KiB of chunk extensions in many chunks", `${`1;${"x".repeat(1023)}\r\na\r\n`.repeat(17)}0\r\n\r\n`, 413, "CHUNK_EXTENSIONS_TOO_LARGE"],
    ["16 KiB of chunk extensions that never end", `1;${"x".repeat(16_384)}`, 413, "CHUNK_EXTENSIONS_TOO_LARGE"],
    ["a chunk size that is no number", "G\r\n", 400, "INVALID_CHUNK"],
  ])("%s", (_title, bytes, status, code) => {
    const { bodyErrors, requests } = playInMemory([Buffer.from(chunked + bytes, "latin1")]);
    expect(requests).toEqual([]);
    expect(bodyErrors).toEqual([expect.any(BadRequestError)]);
    expect(bodyErrors[0]).toMatchObject({ status, code });
  });

  test("16 KiB of extensions and 100 trailers are within the limits", () => {
    const bytes = `1;${"x".repeat(16_383)}\r\na\r\n0\r\n${"X: 1\r\n".repeat(100)}\r\n`;
    const { bodyErrors, requests } = playInMemory([Buffer.from(chunked + bytes, "latin1")]);
    expect(bodyErrors).toEqual([]);
    expect(requests.map(({ body, trailers }) => [body, trailers.length])).toEqual([["a", 200]]);
  });
});

describe("accepted:", () => {
  test.each([
    ["one empty line before the request", `\r\nGET / HTTP/1.1\r\n${host}\r\n`],
    ["no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    ["bytes 0x80 to 0xFF in a value", `GET / HTTP/1.1\r\n${host}X: caf\xe9\r\n\r\n`],
    ["an unknown method", `FROB / HTTP/1.1\r\n${host}\r\n`],
    ["blanks around chunked, in any case", `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\t cHuNkEd  \r\n\r\n0\r\n\r\n`],
    ["a request line of exactly the limit", `GET /${"a".repeat(8192 - 14)} HTTP/1.1\r\n${host}\r\n`],
    ["100 header lines", `GET / HTTP/1.1\r\n${host}${"X: 1\r\n".repeat(99)}\r\n`],
  ])("%s", (_title, bytes) => {
    const { requests, sent, faults } = playInMemory([Buffer.from(bytes, "latin1")]);
    expect(requests.length).toBe(1);
    expect(sent).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(faults).toBe(0);
  });
});
