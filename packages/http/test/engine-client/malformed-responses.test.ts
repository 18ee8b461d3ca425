import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { answering, RawDestination } from "./raw-destination.ts";
import { get, send } from "./recorder.ts";

let client: HttpClient;
let destination: RawDestination | undefined;

beforeEach(() => {
  client = createEngineClient();
});

afterEach(async () => {
  client.destroy();
  await destination?.stop();
  destination = undefined;
});

const tail = "Content-Length: 2\r\n\r\nok";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const heads: readonly (readonly [title: string, response: string])[] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["HTTP/0.9", "<html>hello</html>"],
  ["HTTP/2.0", `HTTP/2.0 200 OK\r\n${tail}`],
  ["HTTP/1.2", `HTTP/1.2 200 OK\r\n${tail}`],
  ["HTTP/1.10", `HTTP/1.10 200 OK\r\n${tail}`],
  ["lower case", `http/1.1 200 OK\r\n${tail}`],
  ["an empty line first", `\r\nHTTP/1.1 200 OK\r\n${tail}`],
  ["a blank first", ` HTTP/1.1 200 OK\r\n${tail}`],
  ["two blanks before the status", `HTTP/1.1  200 OK\r\n${tail}`],
  ["a tab before the status", `HTTP/1.1\t200 OK\r\n${tail}`],
  ["a status of two digits", `HTTP/1.1 20 OK\r\n${tail}`],
  ["a status of four digits", `HTTP/1.1 2000 OK\r\n${tail}`],
  ["a status below 100", `HTTP/1.1 099 OK\r\n${tail}`],
  ["a status that is no number", `HTTP/1.1 abc OK\r\n${tail}`],
  ["a negative status", `HTTP/1.1 -20 OK\r\n${tail}`],
  ["a control character in the reason", `HTTP/1.1 200 O\0K\r\n${tail}`],
  ["a DEL in the reason", `HTTP/1.1 200 O\x7fK\r\n${tail}`],
  ["a bare LF after the status line", `HTTP/1.1 200 OK\n${tail}`],
  ["a bare CR in the status line", `HTTP/1.1 200 O\rK\r\n${tail}`],
  ["obs-fold", `HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n${tail}`],
  ["a field line that begins with a tab", `HTTP/1.1 200 OK\r\n\tX-A: 1\r\n${tail}`],
  ["a blank before the colon", `HTTP/1.1 200 OK\r\nX-A : 1\r\n${tail}`],
  ["no colon", `HTTP/1.1 200 OK\r\nX-A\r\n${tail}`],
  ["no name", `HTTP/1.1 200 OK\r\n: 1\r\n${tail}`],
  ["an illegal name", `HTTP/1.1 200 OK\r\nX(A): 1\r\n${tail}`],
  ["a name above ASCII", `HTTP/1.1 200 OK\r\nX-\xe9: 1\r\n${tail}`],
  ["NUL in a value", `HTTP/1.1 200 OK\r\nX-A: 1\x002\r\n${tail}`],
  ["an escape character in a value", `HTTP/1.1 200 OK\r\nX-A: \x1b[2J\r\n${tail}`],
  ["a bare CR in a value", `HTTP/1.1 200 OK\r\nX-A: 1\r2\r\n${tail}`],
  ["a bare LF between fields", `HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\n${tail}`],
  ["a bare LF at the end of the head", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok`],
  ["only bare LFs", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
  ["both lengths", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${tail}`],
  ["two equal lengths", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${tail}`],
  ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"],
  ["an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok"],
  ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nok"],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok"],
  ["a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"],
  ["a hexadecimal length", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok"],
  ["a length beyond 2^53", "HTTP/1.1 200 OK\r\nContent-Length: 9007199254740993\r\n\r\nok"],
  ["gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
  ["chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok"],
  ["xchunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["both lengths in a 204", "HTTP/1.1 204 X\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["both lengths in an interim response", "HTTP/1.1 103 X\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["an interim response that closes", `HTTP/1.1 103 X\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n${tail}`],
  ["an interim response in HTTP/1.0", `HTTP/1.0 103 X\r\n\r\nHTTP/1.1 200 OK\r\n${tail}`],
  ["101 that was not asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ["a head beyond the limit", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(70_000)}\r\n${tail}`],
  ["a head beyond the limit that never ends", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(70_000)}`],
  ["too many fields", `HTTP/1.1 200 OK\r\n${"X: 1\r\n".repeat(1001)}${tail}`],
  ["too many interim responses", `${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)}HTTP/1.1 200 OK\r\n${tail}`],
];

const bodies: readonly (readonly [title: string, response: string])[] = [
  ["a chunk size that is no number", `${chunked}ZZ\r\nhello\r\n0\r\n\r\n`],
  ["no chunk size", `${chunked}\r\nhello\r\n0\r\n\r\n`],
  ["a chunk size beyond 64 bits", `${chunked}10000000000000005\r\nhello\r\n0\r\n\r\n`],
  ["a chunk size with a prefix", `${chunked}0x5\r\nhello\r\n0\r\n\r\n`],
  ["a blank before the chunk size", `${chunked} 5\r\nhello\r\n0\r\n\r\n`],
  ["a bare LF after the chunk size", `${chunked}5\nhello\r\n0\r\n\r\n`],
  ["chunk data that is too long", `${chunked}5\r\nhelloo\r\n0\r\n\r\n`],
  ["a bare LF after the chunk", `${chunked}5\r\nhello\n0\r\n\r\n`],
  ["a bare LF in a chunk extension", `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`],
  ["a malformed trailer", `${chunked}5\r\nhello\r\n0\r\nX A: 1\r\n\r\n`],
  ["trailers beyond the limit", `${chunked}0\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`],
  ["too many trailers", `${chunked}0\r\n${"X: 1\r\n".repeat(200)}\r\n`],
];

describe("a malformed response is an error and the connection is never used again", () => {
  for (const [step, cases] of [["response-head", heads], ["response-body", bodies]] as const) {
    for (const [title, response] of cases) {
      it(`in the ${step}: ${title}`, async () => {
        const started = await RawDestination.start(answering(response));
        destination = started;
        const pool = client.destination(started.origin);
        const recorder = await send(pool).done;
        expect(recorder.error).toMatchObject({ step, source: "destination", requestSent: true, timedOut: false });
        expect(recorder.faults).toEqual([]);
        await started.until(() => started.open === 0);
        const second = await send(pool).done;
        expect(second.outcome).toBe("error");
        expect(started.sockets.length).toBe(2);
      });
    }
  }

  it("names the destination and no text of the peer", async () => {
    destination = await RawDestination.start(answering("HTTP/1.1 200 OK\r\nsecret\0: 1\r\n\r\n"));
    const { error } = await send(client.destination(destination.origin)).done;
    expect(error?.message).toContain(`destination http://127.0.0.1:${destination.port}`);
    expect(error?.message).not.toContain("secret");
  });
});

describe("a body that breaks off is an error", () => {
  for (const [title, response] of [
    ["a length not reached", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ["chunks without the last", `${chunked}4\r\nhalf\r\n`],
    ["the last chunk without its end", `${chunked}4\r\nhalf\r\n0\r\n`],
  ] as const) {
    for (const way of ["end", "reset"] as const) {
      it(`${title}, by ${way}`, async () => {
        destination = await RawDestination.start((socket) => {
          socket.write(response);
          if (way === "end") socket.end();
        });
        const started = destination;
        const recorder = send(client.destination(started.origin));
        recorder.onChunk = () => {
          if (way === "reset") started.sockets[0]?.resetAndDestroy();
          return true;
        };
        await recorder.done;
        expect(recorder.body).toBe("half");
        expect(recorder.error).toMatchObject({ step: "response-body", source: "destination", requestSent: true });
      });
    }
  }

  it("with a length, also when nothing of it came", async () => {
    destination = await RawDestination.start((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
    expect((await send(client.destination(destination.origin), get()).done).error?.step).toBe("response-body");
  });
});
