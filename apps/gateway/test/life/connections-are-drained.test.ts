import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";
import type { RunningGateway } from "../support/running-gateway.ts";
import { certificateFile, certificateText } from "../support/tls-client.ts";

let folder: ConfigFolder;
/** Holds each answer back until the test lets it go. */
let origin: RawOrigin;
let arrived: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
beforeEach(async () => {
  folder = await configFolder();
  arrived = Promise.withResolvers();
  release = Promise.withResolvers();
  origin = await startRawOrigin("slow", async () => {
    arrived.resolve();
    await release.promise;
    return plainAnswer("finished");
  });
});
afterEach(async () => {
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

const endpoints = {
  cleartext: { Url: "http://127.0.0.1:0", Protocols: "Http2" },
  TLS: { Url: "https://127.0.0.1:0", Certificate: { Path: certificateFile("cert.pem"), KeyPath: certificateFile("key.pem") } },
};

async function start(endpoint: Record<string, unknown>, ShutdownTimeout = "30s"): Promise<RunningGateway> {
  const file = await folder.write("gateway.json", oneRoute(origin.url, { Server: { Endpoints: { One: endpoint }, ShutdownTimeout } }));
  return startGateway([file], { urls: "" });
}

function open(gateway: RunningGateway): ClientHttp2Session {
  const session = connectHttp2(gateway.urls[0]!, { ca: certificateText("cert.pem"), servername: "localhost" });
  session.on("error", () => {});
  return session;
}

function ask(session: ClientHttp2Session): { readonly stream: ClientHttp2Stream; readonly text: Promise<string> } {
  const stream = session.request({ ":path": "/", ":authority": "localhost" });
  stream.on("error", () => {});
  const text = (async () => {
    let all = "";
    for await (const chunk of stream) all += String(chunk);
    return all;
  })().catch((error: Error) => error.message);
  return { stream, text };
}

describe.each(["cleartext", "TLS"] as const)("at a stop, HTTP/2 over %s", (kind) => {
  test("clients are told by GOAWAY, requests under way finish, and then the connection closes", async () => {
    const gateway = await start(endpoints[kind]);
    const session = open(gateway);
    const { text } = ask(session);
    await arrived.promise;
    const goaway = once(session, "goaway") as Promise<[code: number, last: number]>;
    const closed = once(session, "close");
    const stopped = gateway[Symbol.asyncDispose]();
    expect((await goaway)[0]).toBe(0);
    release.resolve();
    expect(await text).toBe("finished");
    await closed;
    await stopped;
  });

  test("clients without a request are told and their connection closes", async () => {
    const gateway = await start(endpoints[kind]);
    const session = open(gateway);
    await once(session, "remoteSettings");
    const goaway = once(session, "goaway") as Promise<[code: number]>;
    const closed = once(session, "close");
    await gateway[Symbol.asyncDispose]();
    expect((await goaway)[0]).toBe(0);
    await closed;
  });

  test("requests that outlast Server:ShutdownTimeout are cut without an answer", async () => {
    const gateway = await start(endpoints[kind], "100ms");
    const session = open(gateway);
    const { stream } = ask(session);
    const closed = once(stream, "close");
    let answered = false;
    stream.on("response", () => (answered = true));
    await arrived.promise;
    await gateway[Symbol.asyncDispose]();
    await closed;
    expect([answered, stream.rstCode]).toEqual([false, constants.NGHTTP2_CANCEL]);
    session.destroy();
  });
});

describe("at a stop, HTTP/1.1", () => {
  test("connections without a request close at once; one with a request gets its answer, which says that it is the last", async () => {
    const gateway = await start({ Url: "http://127.0.0.1:0" });
    const idle = connect(gateway.port, "127.0.0.1").resume();
    await once(idle, "connect");
    const busy = connect(gateway.port, "127.0.0.1").setEncoding("latin1");
    let answer = "";
    busy.on("data", (text: string) => (answer += text));
    busy.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await arrived.promise;
    const stopped = gateway[Symbol.asyncDispose]();
    await once(idle, "close");
    expect(answer).toBe("");
    release.resolve();
    await once(busy, "end");
    await stopped;
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: close\r\n[^]*finished$/i);
  });
});
