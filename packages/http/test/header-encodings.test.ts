import { describe, expect, it } from "vitest";
import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationHandler,
  type DestinationRequest,
  HeaderList,
  type HeaderEncodings,
  type HttpClient,
  type Tunnel,
  withHeaderEncodings,
} from "../src/index.ts";
import { get, Recorder } from "./engine-client/recorder.ts";

const origin = { scheme: "http", host: "d.test", port: 80 } as const;
/** Bytes of a text, one character each, as lists hold them. */
const bytesOf = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** A client whose calls the test answers. */
class HandDriven implements HttpClient {
  readonly requests: DestinationRequest[] = [];
  readonly aborted: Error[] = [];
  handler: DestinationHandler | undefined;
  closed = 0;
  readonly #destination: DestinationClient = {
    send: (request, handler): DestinationCall => {
      this.requests.push(request);
      this.handler = handler;
      return { pause: () => {}, resume: () => {}, abort: (cause) => void this.aborted.push(cause) };
    },
    close: async () => void this.closed++,
    destroy: () => void this.closed++,
  };

  destination(): DestinationClient {
    return this.#destination;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  destroy(): void {
    this.closed++;
  }
}

function sent(encodings: HeaderEncodings, value: string) {
  const inner = new HandDriven();
  const recorder = new Recorder();
  const client = withHeaderEncodings(inner, encodings).destination(origin);
  recorder.call = client.send(get("/", [["X", value]]), recorder);
  return { inner, recorder, value: inner.requests[0]?.headers.get("x") };
}

describe("request header values", () => {
  it.each(["", "plain", bytesOf("wörld ż 漢"), "w\u00f6rld"])("pass unchanged by default and as iso-8859-1: %j", (value) => {
    expect(sent({}, value).value).toBe(value);
    expect(sent({ requestHeaderEncoding: "iso-8859-1" }, value).value).toBe(value);
    const inner = new HandDriven();
    expect(withHeaderEncodings(inner, { requestHeaderEncoding: "iso-8859-1" })).toBe(inner);
  });

  it.each([
    ["what is UTF-8 stays", bytesOf("wörld ż 漢"), bytesOf("wörld ż 漢")],
    ["what is iso-8859-1 is converted", "w\u00f6rld", bytesOf("wörld")],
    ["what is cut UTF-8 is taken for iso-8859-1", "\u00c3", bytesOf("Ã")],
    ["text beyond bytes is encoded", "ż", bytesOf("ż")],
    ["plain text stays", "plain", "plain"],
  ])("as utf-8: %s", (_title, before, after) => {
    const { inner, value } = sent({ requestHeaderEncoding: "utf-8" }, before);
    expect(value).toBe(after);
    expect(inner.requests[0]?.headers.get("host")).toBe("test");
  });

  it("as us-ascii are plain, or the request is not sent", () => {
    expect(sent({ requestHeaderEncoding: "us-ascii" }, "plain").value).toBe("plain");
    const { inner, recorder } = sent({ requestHeaderEncoding: "us-ascii" }, "w\u00f6rld");
    expect(inner.requests).toEqual([]);
    expect(recorder.error).toMatchObject({ step: "request", source: "gateway", requestSent: false });
    recorder.call?.pause();
    recorder.call?.resume();
    recorder.call?.abort(new Error("late"));
  });

  it("are the only thing that changes of a request", () => {
    const inner = new HandDriven();
    const request = { ...get("/x", [["X", "\u00e9"]]), method: "POST", upgrade: "echo", expectContinue: true, httpVersion: "2", versionPolicy: "RequestVersionExact" } as const;
    withHeaderEncodings(inner, { requestHeaderEncoding: "utf-8" }).destination(origin).send(request, new Recorder());
    expect({ ...inner.requests[0], headers: undefined }).toEqual({ ...request, headers: undefined });
    expect(request.headers.get("x")).toBe("\u00e9");
  });
});

describe("response header values", () => {
  const head = (value: string) => ({ status: 200, reason: "OK", headers: HeaderList.from([["X", value]]) });

  it.each([
    ["utf-8", bytesOf("wörld"), true],
    ["utf-8", "w\u00f6rld", false],
    ["us-ascii", "plain", true],
    ["us-ascii", bytesOf("wörld"), false],
    ["iso-8859-1", "w\u00f6rld", true],
  ] as const)("that have to be %s and are %j: %s", (responseHeaderEncoding, value, passes) => {
    const { inner, recorder } = sent({ responseHeaderEncoding }, "x");
    inner.handler?.onResponse(head(value));
    expect(recorder.head?.headers.get("x")).toBe(passes ? value : undefined);
    expect(recorder.error?.step).toBe(passes ? undefined : "response-head");
    expect(inner.aborted.length).toBe(passes ? 0 : 1);
    if (!passes) {
      inner.handler?.onData(Buffer.from("late"));
      inner.handler?.onEnd(undefined);
      inner.handler?.onProgress();
      inner.handler?.onError(new DestinationError("late", { step: "response-body", requestSent: true }));
    }
    expect(recorder.faults).toEqual([]);
  });

  it("count in trailers and upgrades too; interim responses with others are left out", () => {
    const first = sent({ responseHeaderEncoding: "utf-8" }, "x");
    first.inner.handler?.onInformational(103, HeaderList.from([["Link", "\u00e9"]]));
    first.inner.handler?.onInformational(103, HeaderList.from([["Link", "e"]]));
    first.inner.handler?.onResponse(head("x"));
    first.inner.handler?.onData(Buffer.from("body"));
    first.inner.handler?.onProgress();
    first.inner.handler?.onEnd(HeaderList.from([["T", "\u00e9"]]));
    expect(first.recorder).toMatchObject({ interim: [103], body: "body", progress: 1, outcome: "error", error: { step: "response-body" } });
    const second = sent({ responseHeaderEncoding: "utf-8" }, "x");
    const aborted: Error[] = [];
    const tunnel = { abort: (cause: Error) => void aborted.push(cause) } as Partial<Tunnel> as Tunnel;
    second.inner.handler?.onUpgrade(head("\u00e9"), tunnel);
    expect([second.recorder.outcome, aborted.length]).toEqual(["error", 1]);
    const third = sent({ responseHeaderEncoding: "utf-8" }, "x");
    third.inner.handler?.onUpgrade(head("e"), tunnel);
    expect(third.recorder.tunnel).toBe(tunnel);
    const fourth = sent({ responseHeaderEncoding: "utf-8" }, "x");
    fourth.inner.handler?.onResponse(head("x"));
    fourth.inner.handler?.onEnd(undefined);
    expect(fourth.recorder.outcome).toBe("end");
  });
});

describe("a client with encodings", () => {
  it("has one destination for each one behind it, and is closed with them", async () => {
    const inner = new HandDriven();
    const client = withHeaderEncodings(inner, { requestHeaderEncoding: "utf-8" });
    const destination = client.destination(origin);
    expect(client.destination(origin)).toBe(destination);
    await destination.close();
    destination.destroy();
    await client.close();
    client.destroy();
    expect(inner.closed).toBe(4);
  });
});
