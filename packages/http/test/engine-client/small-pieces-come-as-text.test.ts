import { afterEach, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { RawDestination } from "./raw-destination.ts";
import { get, Recorder } from "./recorder.ts";

class TextRecorder extends Recorder {
  takesText = true;
  readonly texts: string[] = [];
  fault: Error | undefined;

  onText(text: string): void {
    if (this.fault !== undefined) throw this.fault;
    this.texts.push(text);
    this.onData(Buffer.from(text, "latin1"));
  }
}

let client: HttpClient;
let destination: RawDestination;

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function told(answer: string, recorder = new TextRecorder()): Promise<TextRecorder> {
  destination = await RawDestination.start((socket) => {
    socket.end(answer, "latin1");
  });
  client = createEngineClient();
  recorder.call = client.destination(destination.origin).send(get(), recorder);
  await recorder.done;
  expect(recorder.faults).toEqual([]);
  return recorder;
}

const large = "x".repeat(5000);

it.each([
  ["chunked", "Transfer-Encoding: chunked\r\n", "4\r\na\xe9\0\n\r\n1388\r\n", "\r\n2\r\nyz\r\n0\r\n\r\n"],
  ["until the connection ends", "Connection: close\r\n", "a\xe9\0\n", "yz"],
])("a body, %s, is the same whichever of its pieces come as text", async (name, fields, before, after) => {
  const recorder = await told(`HTTP/1.1 200 OK\r\n${fields}\r\n${before}${large}${after}`);
  expect([recorder.outcome, recorder.body]).toEqual(["end", `a\xe9\0\n${large}yz`]);
  if (name === "chunked") expect(recorder.texts).toEqual(["a\xe9\0\n", "yz"]);
});

it("a handler that takes no text for now is given bytes", async () => {
  const recorder = new TextRecorder();
  recorder.onChunk = () => {
    recorder.takesText = recorder.texts.length === 0;
    return true;
  };
  await told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", recorder);
  expect([recorder.texts, recorder.body]).toEqual([["a"], "ab"]);
});

it("a handler that throws at text ends its request", async () => {
  const recorder = new TextRecorder();
  recorder.fault = new Error("no");
  await told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", recorder);
  expect(recorder.error).toMatchObject({ step: "response-body", source: "gateway" });
});
