import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngineClient, type DestinationClient, type HttpClient, type ResponseHead } from "../../src/index.ts";
import { answering, RawDestination, type Script } from "./raw-destination.ts";
import { get, Recorder } from "./recorder.ts";

/** A recorder that takes responses as a whole too, and remembers that it did. */
class WholeRecorder extends Recorder {
  whole: string | undefined;
  fault: Error | undefined;

  onWholeResponse(head: ResponseHead, body: string): void {
    if (this.fault !== undefined) throw this.fault;
    this.whole = body;
    this.onResponse(head);
    if (body !== "") this.onData(Buffer.from(body, "latin1"));
    this.onEnd(undefined);
  }
}

let client: HttpClient;
let destination: RawDestination;

beforeEach(() => {
  client = createEngineClient();
});

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(script: Script): Promise<DestinationClient> {
  destination = await RawDestination.start(script);
  return client.destination(destination.origin);
}

async function told(pool: DestinationClient, request = get(), recorder = new WholeRecorder()): Promise<WholeRecorder> {
  recorder.call = pool.send(request, recorder);
  await recorder.done;
  expect(recorder.faults).toEqual([]);
  return recorder;
}

const withBody = (body: string): string => `HTTP/1.1 200 OK\r\nX-A: \xfc\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe("a response whose body comes with its head", () => {
  it("is told whole, byte for byte, and leaves its connection to the next one", async () => {
    const pool = await start(answering((count) => withBody(`${count} \xe9\0\r\n`)));
    expect((await told(pool)).whole).toBe("1 \xe9\0\r\n");
    const second = await told(pool);
    expect([second.whole, second.head?.headers.get("x-a"), second.head?.status]).toEqual(["2 \xe9\0\r\n", "\xfc", 200]);
    expect(destination.sockets.length).toBe(1);
  });

  it("is told whole when it is empty, or the answer to a HEAD", async () => {
    const pool = await start(answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    expect((await told(pool)).whole).toBe("");
    expect((await told(pool, { ...get(), method: "HEAD" })).whole).toBe("");
    await destination.stop();
    const other = await start(answering("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"));
    expect((await told(other, { ...get(), method: "HEAD" })).whole).toBe("");
  });

  it("frees its connection before it is told", async () => {
    const pool = await start(answering(withBody("ok")));
    const first = new WholeRecorder();
    const second = new WholeRecorder();
    first.onFinal = () => void pool.send(get("/second"), second);
    pool.send(get("/first"), first);
    expect((await second.done).body).toBe("ok");
    expect(destination.sockets.length).toBe(1);
  });

  it("is told in parts when it is large, in pieces, chunked or ended by the connection", async () => {
    let recorder = new WholeRecorder();
    const responses: Script[] = [
      answering(withBody("x".repeat(5000))),
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        // The rest when the first part was read.
        recorder.onHead = () => socket.write("k");
      },
      answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
      (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nok"),
    ];
    for (const script of responses) {
      recorder = new WholeRecorder();
      await told(await start(script), get(), recorder);
      expect([recorder.whole, recorder.outcome]).toEqual([undefined, "end"]);
      await destination.stop();
    }
  });

  it("closes its connection when more came than it announced", async () => {
    const pool = await start(answering(`${withBody("ok")}HTTP/1.1 200 OK\r\n`));
    expect((await told(pool)).whole).toBe("ok");
    expect((await told(pool)).whole).toBe("ok");
    expect(destination.sockets.length).toBe(2);
  });

  it("ends in an error, once, when its handler throws", async () => {
    const pool = await start(answering(withBody("ok")));
    const recorder = new WholeRecorder();
    recorder.fault = new Error("broken");
    pool.send(get(), recorder);
    await recorder.done;
    expect(recorder.faults).toEqual([]);
    expect(recorder.error).toMatchObject({ source: "gateway", step: "response-body", requestSent: true, cause: recorder.fault });
    expect((await told(pool)).whole).toBe("ok");
  });
});
