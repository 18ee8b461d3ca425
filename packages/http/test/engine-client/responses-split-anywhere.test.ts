import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineCall } from "../../src/engine/client/engine-call.ts";
import type { EngineDestination } from "../../src/engine/client/engine-destination.ts";
import { ResponseReader } from "../../src/engine/client/response-reader.ts";
import type { DestinationRequest, ResponseHead } from "../../src/index.ts";
import { get, Recorder } from "./recorder.ts";

/** Takes small responses as a whole, and shows the same for them. */
class WholeRecorder extends Recorder {
  onWholeResponse(head: ResponseHead, body: string): void {
    this.onResponse(head);
    if (body !== "") this.onData(Buffer.from(body, "latin1"));
  }
}

/** Reads `text` cut at `cuts` the way a connection does; gives what was told and where the reader stopped. */
function play(text: string, cuts: readonly number[], copies: boolean, request: DestinationRequest = get(), whole = false): object {
  const recorder = whole ? new WholeRecorder() : new Recorder();
  const destination = { name: "destination", stop: () => undefined } as unknown as EngineDestination;
  const call = new EngineCall(destination, request, recorder, "");
  const reader = new ResponseReader(4096);
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...new Set([...cuts].filter((cut) => cut < bytes.length).sort((a, b) => a - b)), bytes.length];
  let outcome: string = "more";
  let used = 0;
  for (let i = 0; i + 1 < places.length && outcome === "more"; i++) {
    const piece = Buffer.from(bytes.subarray(places[i], places[i + 1]));
    outcome = reader.read(call, piece, 0, piece.length, copies);
    used = (places[i] as number) + reader.position;
    // What may be used again is used again.
    if (copies) piece.fill(0x3f);
  }
  if (reader.whole !== undefined) call.tellWhole(reader.head as ResponseHead, reader.whole);
  expect(recorder.faults).toEqual([]);
  const fault = outcome === "fault" ? reader.fault : undefined;
  return { ...recorder.seen, outcome, used, keepAlive: reader.keepAlive, trailers: reader.trailers?.toRaw(), fault };
}

const responses: readonly (readonly [title: string, text: string, outcome: string, request?: DestinationRequest])[] = [
  ["Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello", "done"],
  ["an empty body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "done"],
  ["no reason", "HTTP/1.1 299 \r\nContent-Length: 1\r\n\r\nx", "done"],
  ["no blank after the status", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "done"],
  ["204", "HTTP/1.1 204 No Content\r\n\r\n", "done"],
  ["304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", "done"],
  ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", "done", { ...get(), method: "HEAD" }],
  ["HEAD with chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "done", { ...get(), method: "HEAD" }],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n3;a=\"b\"\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n", "done"],
  ["trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\nX-U: \xe9\r\n\r\n", "done"],
  ["interim responses", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "done"],
  ["until close", "HTTP/1.1 200 OK\r\n\r\nall of this", "more"],
  ["HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", "done"],
  ["close", "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 2\r\n\r\nok", "done"],
  ["surplus", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK", "done"],
  ["obs-text", "HTTP/1.1 200 \xfc\r\nX-A: \x80\xff\r\nContent-Length: 1\r\n\r\n\xff", "done"],
  ["obs-fold", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 1\r\n\r\n1", "fault"],
  ["a bare LF", "HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\n\r\n", "fault"],
  ["a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n0\r\n\r\n", "fault"],
];

describe("a response cut anywhere is the same response", () => {
  for (const [title, text, outcome, request] of responses) {
    it(`in two parts: ${title}`, () => {
      const whole = play(text, [], true, request);
      expect(whole).toMatchObject({ outcome });
      // Where a surplus ends depends on what was read with it, and a fault on how far the reader saw.
      const length = outcome === "done" ? (whole as { used: number }).used : text.length;
      const plain = text.slice(0, length);
      const expected = play(plain, [], true, request);
      for (let cut = 1; cut < plain.length; cut++) {
        expect(comparable(play(plain, [cut], true, request))).toEqual(comparable(expected));
        expect(comparable(play(plain, [cut], false, request))).toEqual(comparable(expected));
        expect(comparable(play(plain, [cut], true, request, true))).toEqual(comparable(expected));
      }
    });

    it(`as a whole: ${title}`, () => {
      expect(comparable(play(text, [], true, request, true))).toEqual(comparable(play(text, [], true, request)));
    });

    it(`in single bytes: ${title}`, () => {
      const all = Array.from(text, (_character, index) => index + 1);
      expect(comparable(play(text, all, true, request))).toEqual(comparable(play(text, [], true, request)));
    });
  }

  it("in any parts", () => {
    fc.assert(
      fc.property(fc.nat(responses.length - 1), fc.array(fc.nat(160), { maxLength: 8 }), fc.boolean(), (index, cuts, copies) => {
        const [, text, , request] = responses[index] as (typeof responses)[number];
        const expected = comparable(play(text, [], true, request));
        expect(comparable(play(text, cuts, copies, request))).toEqual(expected);
        expect(comparable(play(text, cuts, copies, request, true))).toEqual(expected);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

/** A fault is found at the earliest byte that shows it, so how far was read depends on the cuts. */
function comparable(seen: object): object {
  const { outcome, ...rest } = seen as { outcome: string; used: number };
  return outcome === "fault" ? { outcome, fault: (rest as { fault?: string }).fault } : seen;
}
