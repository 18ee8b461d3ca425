import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCode as code, flag } from "../../src/abi/constants.ts";
import { structs } from "../../src/abi/structs.ts";
import { encodeChunks, type ResponsePiece } from "../../src/encode-response.ts";
import { unconfirmed, type ReceivedRequest, type RefusalBench } from "./bench.ts";

const bodied = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n01";
const response = structs.HTTP_RESPONSE_V2;
const chunk = structs.HTTP_DATA_CHUNK;

/** Receive, body, response, cancel, wait, certificates. */
export function refusalsOfExchanges(of: () => RefusalBench): void {
  test("buffers that are missing, small or not aligned, and OVERLAPPED where none can be", async () => {
    const bench = of();
    const { queue } = await bench.listen();
    const memory = bench.library.memory(2048);
    const receive = (expected: number, why: string, id: bigint, flags: number, address: bigint, size: number, returned: Buffer | bigint, overlapped: bigint): void =>
      bench.refused(expected, why, "HttpReceiveHttpRequest", queue, id, flags, address, size, returned, overlapped);
    receive(code.ERROR_INVALID_PARAMETER, "no buffer", 0n, 0, 0n, 2048, 0n, 0n);
    receive(code.ERROR_INVALID_PARAMETER, "unknown flag", 0n, 4, memory.address, 2048, 0n, 0n);
    receive(code.ERROR_NOACCESS, "not aligned", 0n, 0, memory.address + 4n, 1024, 0n, 0n);
    receive(code.ERROR_INSUFFICIENT_BUFFER, "smaller than HTTP_REQUEST", 0n, 0, memory.address, 800, 0n, 0n);
    receive(code.ERROR_INVALID_PARAMETER, "BytesReturned", 0n, 0, memory.address, 2048, bench.out(), memory.address);
    receive(code.ERROR_NOACCESS, "OVERLAPPED", 0n, 0, memory.address, 2048, 0n, memory.address + 4n);
    receive(code.ERROR_CONNECTION_INVALID, "is to be received", 99n, 0, memory.address, 2048, 0n, 0n);
    const portless = bench.openQueue(`portless-${process.pid}`, 0);
    bench.refused(code.ERROR_INVALID_PARAMETER, "without a completion port", "HttpReceiveHttpRequest", portless, 0n, 0, memory.address, 2048, 0n, memory.address);
    const delegated = bench.openQueue(`portless-${process.pid}`, 9);
    bench.refused(code.ERROR_INVALID_PARAMETER, "opened for delegation receives nothing", "HttpReceiveHttpRequest", delegated, 0n, 0, memory.address, 2048, 0n, 0n);
    bench.library.require("HttpShutdownRequestQueue", portless);
    bench.refused(code.ERROR_OPERATION_ABORTED, "was shut down", "HttpReceiveHttpRequest", portless, 0n, 0, memory.address, 2048, 0n, 0n);
  });

  test("requests and connections that are not there", async () => {
    const bench = of();
    const { queue } = await bench.listen();
    const memory = bench.library.memory(2048);
    const none = code.ERROR_CONNECTION_INVALID;
    bench.refused(code.ERROR_INVALID_PARAMETER, "no buffer", "HttpReceiveRequestEntityBody", queue, 99n, 0, 0n, 64, 0n, 0n);
    bench.refused(none, "no request", "HttpReceiveRequestEntityBody", queue, 99n, 0, memory.address, 64, 0n, 0n);
    bench.refused(none, "no request", "HttpCancelHttpRequest", queue, 99n, 0n);
    bench.refusedHead(none, "no request", queue, 99n, bench.response(200));
    bench.refused(none, "no request", "HttpSendResponseEntityBody", queue, 99n, 0, 0, 0n, 0n, 0n, 0, 0n, 0n);
    bench.refused(none, "no connection", "HttpWaitForDisconnect", queue, 99n, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "reserved", "HttpWaitForDisconnectEx", queue, 99n, 1, 0n);
    bench.refused(none, "no request", "HttpQueryRequestProperty", queue, 99n, 4, 0n, 0, memory.buffer, 516, 0n, 0n);
    bench.refused(none, "no connection", "HttpReceiveClientCertificate", queue, 99n, 0, memory.address, 64, 0n, 0n);
    for (const name of ["HttpReceiveRequestEntityBody", "HttpReceiveClientCertificate"] as const) {
      bench.refused(code.ERROR_INVALID_HANDLE, "no queue", name, 3n, 99n, 0, memory.address, 64, 0n, 0n);
    }
  });

  test("heads of responses that are malformed, out of order or would split the message", async () => {
    const bench = of();
    const { queue, port } = await bench.listen();
    const { id } = await bench.request({ queue, port });
    const bad = code.ERROR_INVALID_PARAMETER;
    bench.refused(bad, "no response", "HttpSendHttpResponse", queue, id, 0, 0n, 0n, 0n, 0n, 0, 0n, 0n);
    bench.refusedHead(bad, "status 42", queue, id, bench.response(42));
    bench.refusedHead(bad, "OPAQUE needs a 101", queue, id, bench.response(200), flag.HTTP_SEND_RESPONSE_FLAG_OPAQUE);
    bench.refusedHead(bad, "Connection of an upgrade", queue, id, bench.response(101, ["Connection", "Upgrade"]), flag.HTTP_SEND_RESPONSE_FLAG_OPAQUE);
    bench.refusedHead(bad, "the reason holds a line break", queue, id, bench.response(200, [], "a\r\nb"));
    bench.refusedHead(bad, "known header 22 holds a line break", queue, id, bench.response(200, ["ETag", "a\nb"]));
    bench.refusedHead(bad, "unknown header 0 holds a line break", queue, id, bench.response(200, ["X-A", "a\rb"]));
    bench.refusedHead(bad, "a known header holds a line break", queue, id, bench.response(200, ["Set-Cookie", "a", "Set-Cookie", "b\n"]));
    bench.refusedHead(bad, "the head of an upgrade with a body", queue, id, bench.response(101, [], "x", [Buffer.from("a")]), flag.HTTP_SEND_RESPONSE_FLAG_OPAQUE);
    const changed = (headers: readonly string[], change: (buffer: Buffer) => void): ReturnType<RefusalBench["response"]> => {
      const memory = bench.response(200, headers);
      change(memory.buffer);
      return memory;
    };
    const known = response.fields.Headers[0] + structs.HTTP_RESPONSE_HEADERS.fields.KnownHeaders[0];
    bench.refusedHead(bad, "known header 5 has a length and no value", queue, id, changed([], (buffer) => buffer.writeUInt16LE(3, known + 5 * structs.HTTP_KNOWN_HEADER.size)));
    const twice = ["Set-Cookie", "a", "Set-Cookie", "b"];
    const info = response.size;
    bench.refusedHead(bad, "HTTP_RESPONSE_INFO", queue, id, changed(twice, (buffer) => buffer.writeUInt32LE(9, info + structs.HTTP_RESPONSE_INFO.fields.Length[0])));
    bench.refusedHead(bad, "no known header 99", queue, id, changed(twice, (buffer) => buffer.writeInt32LE(99, info + structs.HTTP_RESPONSE_INFO.size)));
    bench.refused(bad, "was not started", "HttpSendResponseEntityBody", queue, id, 0, 0, 0n, 0n, 0n, 0, 0n, 0n);
    bench.refused(bad, "reserved one", "HttpSendResponseEntityBody", queue, id, 0, 0, 0n, 0n, 0n, 1, 0n, 0n);
    bench.sendHead(queue, id, flag.HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    bench.refusedHead(bad, "the response was started", queue, id, bench.response(200));
  });

  test("an answered request whose body is still coming takes no further answer and gives no more body", async () => {
    const bench = of();
    const { queue, port } = await bench.listen();
    const { id } = await bench.request({ queue, port }, bodied);
    bench.sendHead(queue, id, 0);
    bench.refused(code.ERROR_INVALID_PARAMETER, "the response is complete", "HttpSendResponseEntityBody", queue, id, 0, 0, 0n, 0n, 0n, 0, 0n, 0n);
    const memory = bench.library.memory(64);
    bench.refused(code.ERROR_CONNECTION_INVALID, "the request is answered", "HttpReceiveRequestEntityBody", queue, id, 0, memory.address, 64, 0n, 0n);
  });

  async function started(bench: RefusalBench, line = ""): Promise<ReceivedRequest & { refusedPieces(expected: number, why: string, pieces: readonly ResponsePiece[], change?: (buffer: Buffer) => void, flags?: number): void }> {
    const { queue, port } = await bench.listen();
    const request = await bench.request({ queue, port }, `${line}GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    bench.sendHead(queue, request.id, flag.HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    return {
      ...request,
      refusedPieces(expected, why, pieces, change = () => undefined, flags = 0) {
        const memory = encodeChunks(bench.library, pieces);
        if (memory === undefined) throw new Error("no pieces");
        change(memory.buffer);
        bench.refused(expected, why, "HttpSendResponseEntityBody", queue, request.id, flags, pieces.length, memory.address, 0n, 0n, 0, 0n, 0n);
        expect(memory.buffer.length).toBeGreaterThan(0);
      },
    };
  }

  test(`flags of a body that do not go with those of its head ${unconfirmed}`, async () => {
    const { refusedPieces } = await started(of());
    const bytes = [Buffer.from("a")];
    refusedPieces(code.ERROR_INVALID_PARAMETER, "BUFFER_DATA in one call", bytes, undefined, flag.HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA);
    refusedPieces(code.ERROR_INVALID_PARAMETER, "OPAQUE belongs to the head", bytes, undefined, flag.HTTP_SEND_RESPONSE_FLAG_OPAQUE);
  });

  test(`chunks without a place, of an unknown kind, of files that cannot be read, and trailers of HTTP/1 ${unconfirmed}`, async () => {
    const { refusedPieces } = await started(of());
    const bytes = Buffer.from("a");
    refusedPieces(code.ERROR_INVALID_PARAMETER, "chunk 0 has no buffer", [bytes], (buffer) => buffer.writeBigUInt64LE(0n, chunk.fields["FromMemory.pBuffer"][0]));
    refusedPieces(code.ERROR_NOT_SUPPORTED, "chunk 1 is of type 7", [bytes, bytes], (buffer) => buffer.writeInt32LE(7, chunk.size));
    refusedPieces(code.ERROR_INVALID_HANDLE, "the file cannot be read", [{ fileHandle: 99_999n, offset: 0n, length: 1n }]);
    refusedPieces(code.ERROR_INVALID_PARAMETER, "on a connection of HTTP/1", [{ trailers: ["a", "b"] }]);
    const folder = await mkdtemp(join(tmpdir(), "httpsys-refused-"));
    await writeFile(join(folder, "f"), "short");
    const file = await open(join(folder, "f"));
    refusedPieces(code.ERROR_HANDLE_EOF, "beyond the file", [{ fileHandle: BigInt(file.fd), offset: 0n, length: 100n }]);
    await file.close();
    await rm(folder, { recursive: true });
  });

  test(`trailers that are not the last, none, or would split the message, and fields that HTTP/2 does not have ${unconfirmed}`, async () => {
    const bench = of();
    const { refusedPieces } = await started(bench, "HTTPSIM http=2\r\n");
    const bad = code.ERROR_INVALID_PARAMETER;
    refusedPieces(bad, "something comes after", [{ trailers: ["a", "b"] }], undefined, flag.HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    refusedPieces(bad, "no trailers in their chunk", [{ trailers: ["a", "b"] }], (buffer) => buffer.writeUInt16LE(0, chunk.fields["Trailers.TrailerCount"][0]));
    refusedPieces(bad, "trailer 0 holds a line break", [{ trailers: ["a", "b\nc"] }]);
    const listening = await bench.listen();
    const { id } = await bench.request(listening, "HTTPSIM http=2\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    bench.refusedHead(bad, "HTTP/2 has no Transfer-Encoding", listening.queue, id, bench.response(200, ["Transfer-Encoding", "chunked"]));
  });

  test(`properties of requests and certificates of connections, asked in a wrong way ${unconfirmed}`, async () => {
    const bench = of();
    const listening = await bench.listen();
    const { queue } = listening;
    const plain = await bench.request(listening);
    const memory = bench.library.memory(1024);
    const query = (expected: number, why: string, id: bigint, property: number, qualifier: bigint, size: number): void =>
      bench.refused(expected, why, "HttpQueryRequestProperty", queue, id, property, qualifier, 0, memory.buffer, size, 0n, 0n);
    query(code.ERROR_INVALID_PARAMETER, "no qualifier", plain.id, 4, memory.address, 516);
    query(code.ERROR_NOT_SUPPORTED, "property 9 of a request", plain.id, 9, 0n, 516);
    query(code.ERROR_INSUFFICIENT_BUFFER, "HTTP_REQUEST_PROPERTY_SNI", plain.id, 4, 0n, 515);
    query(code.ERROR_NOT_SUPPORTED, "no TLS", plain.id, 4, 0n, 516);
    const receive = (expected: number, why: string, connection: bigint, flags: number, address: bigint, size: number): void =>
      bench.refused(expected, why, "HttpReceiveClientCertificate", queue, connection, flags, address, size, 0n, 0n);
    receive(code.ERROR_INVALID_PARAMETER, "channel tokens", plain.connection, 1, memory.address, 64);
    receive(code.ERROR_NOACCESS, "not aligned", plain.connection, 0, memory.address + 4n, 64);
    receive(code.ERROR_INSUFFICIENT_BUFFER, "HTTP_SSL_CLIENT_CERT_INFO", plain.connection, 0, memory.address, 31);
    receive(code.ERROR_INVALID_PARAMETER, "no TLS", plain.connection, 0, memory.address, 64);
    const secure = await bench.request(listening, "HTTPSIM tls=0x2000\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    receive(code.ERROR_NOT_FOUND, "gave no certificate", secure.connection, 0, memory.address, 64);
  });

  test(`a request larger than the buffer: 234, with the id and all the bytes it needs ${unconfirmed}`, async () => {
    const bench = of();
    const { queue, port } = await bench.listen();
    const first = await bench.request({ queue, port });
    first.client.write(`GET /a HTTP/1.1\r\nHost: a.test\r\nX-A: ${"a".repeat(5000)}\r\n\r\n`);
    bench.sendHead(queue, first.id, 0);
    const small = bench.library.memory(1024);
    const returned = bench.out();
    expect(bench.library.call("HttpReceiveHttpRequest", queue, 0n, 0, small.address, 1024, returned, 0n)).toBe(code.ERROR_MORE_DATA);
    const size = returned.readUInt32LE(0);
    const id = small.buffer.readBigUInt64LE(16);
    const large = bench.library.memory(size);
    expect(bench.library.call("HttpReceiveHttpRequest", queue, id, 0, large.address, size, returned, 0n)).toBe(0);
    expect(large.buffer.readBigUInt64LE(16)).toBe(id);
  });
}
