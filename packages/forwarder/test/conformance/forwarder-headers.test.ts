import { HeaderList, type HttpVersion } from "@proxy/http";
import { afterAll, describe, expect, test } from "vitest";
import { type ConformanceCase, loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody } from "../../../http/test/contract/recorders.ts";
import { emptyTransformer, forward, type ForwarderError, type ForwardOptions } from "../../src/index.ts";
import { FakeExchange } from "../doubles/fake-exchange.ts";
import { ScriptedClient } from "../doubles/scripted-client.ts";
import { pairs, supersededBy, transformerOf } from "./header-cases.ts";
import { scenarios, pendingReason } from "./header-scenarios.ts";

const { area, cases } = loadArea("forwarder-headers");

const prefix = "http://destination.example:8080/base";
const pending = new Map<string, number>();
let held = 0;
let set = 0;

describe(area, () => {
  for (const item of cases) {
    const { id, title } = item;
    if (supersededBy(item) !== undefined) {
      set++;
      continue;
    }
    const reason = pendingReason(item);
    if (reason !== undefined) {
      pending.set(reason, (pending.get(reason) ?? 0) + 1);
      continue;
    }
    test(`${id}: ${title}`, async () => {
      if (item.given.kind === "request") await request(item);
      else if (item.given.kind === "response") await response(item);
      else await scenarios(item);
      held++;
    });
  }
});

afterAll(() => {
  const waiting = [...pending.values()].reduce((sum, count) => sum + count, 0);
  reportArea(area, { held, superseded: set, failed: cases.length - held - set - waiting, pending });
});

async function request({ given, expect: expected }: ConformanceCase): Promise<void> {
  const sent = given.request;
  const exchange = new FakeExchange({
    method: sent.method,
    headers: sent.headers,
    httpVersion: version(sent.protocol),
    authority: sent.host,
    body: bodyOf(sent),
  });
  const client = new ScriptedClient();
  const asked = versionAsked(given);
  const outcome = forward(exchange, prefix, client, { transformer: transformerOf(given.transforms), ...asked });
  if (expected.error !== undefined) {
    const error = (await outcome) as ForwarderError;
    expect([error.code, exchange.response.status]).toEqual(["RequestCreation", 502]);
    expect(client.calls).toHaveLength(0);
    return;
  }
  const { call } = client;
  if (expected.outgoing?.version !== undefined) {
    expect(call.request.httpVersion).toBe(versionText(expected.outgoing.version));
    expect(call.request.versionPolicy).toBe(expected.outgoing.versionPolicy);
  }
  call.readBody();
  const outgoing = call.request;
  for (const [name, values] of Object.entries(expected.outgoing.headers ?? {})) {
    expect([name, linesOf(outgoing.headers, name, outgoing.body?.length)]).toEqual([name, values]);
  }
  if (expected.outgoing.method !== undefined) expect(outgoing.method).toBe(expected.outgoing.method);
  if (expected.outgoing.hasBody !== undefined) {
    expect(outgoing.body !== undefined && outgoing.body.length !== 0).toBe(expected.outgoing.hasBody);
  }
  if (sent.body !== undefined) while (!call.bodyEnded) await new Promise((resolve) => setImmediate(resolve));
  if (expected.outgoing.body !== undefined) expect(call.body).toBe(expected.outgoing.body);
  call.respond(expected.status ?? 200);
  call.end();
  expect(await outcome).toBeUndefined();
  if (expected.status !== undefined) expect(exchange.response.status).toBe(expected.status);
}

async function response({ given, expect: expected }: ConformanceCase): Promise<void> {
  const exchange = new FakeExchange({ httpVersion: version(given.clientProtocol ?? "HTTP/1.1") });
  const client = new ScriptedClient();
  const own = given.clientResponseHeaders;
  const outcome = forward(exchange, prefix, client, {
    transformer: emptyTransformer,
    responseHeaders: own === undefined ? undefined : HeaderList.from(pairs(own)),
  });
  const { status, headers, trailers, reason } = given.response;
  client.call.respond(status, headers, reason);
  client.call.end(trailers);
  expect(await outcome).toBeUndefined();
  const { head, trailers: received } = exchange.response;
  const wanted = expected.client;
  if (wanted.status !== undefined) expect(head?.status).toBe(wanted.status);
  if (wanted.reason !== undefined) expect(head?.reason ?? null).toBe(wanted.reason);
  for (const [name, values] of Object.entries(wanted.headers ?? {})) {
    expect([name, linesOf(head?.headers ?? new HeaderList(), name)]).toEqual([name, values]);
  }
  for (const [name, values] of Object.entries(wanted.trailers ?? {})) {
    expect([name, linesOf(received ?? new HeaderList(), name)]).toEqual([name, values]);
  }
}

/** The lines of `name`; null when there are none, or where only the destination's own Host stands. */
function linesOf(headers: HeaderList, name: string, bodyLength?: number): string[] | null {
  const key = name.toLowerCase();
  if (key === "content-length" && bodyLength !== undefined) return [String(bodyLength)];
  const lines = headers.getAll(key);
  if (lines.length === 0 || (key === "host" && lines[0] === "destination.example:8080")) return null;
  return lines;
}

/** The body that a front server would have presented (RFC 9112, 6.3). */
function bodyOf(sent: {
  readonly headers: [string, string][];
  readonly body?: string;
  readonly serverSaysBody?: boolean;
}): MemoryBody | undefined {
  if (sent.serverSaysBody !== undefined) return sent.serverSaysBody ? new MemoryBody([]) : undefined;
  const headers = HeaderList.from(sent.headers);
  const content = sent.body === undefined ? [] : [sent.body].filter((text) => text !== "");
  if (headers.has("transfer-encoding")) return new MemoryBody(content);
  const length = headers.get("content-length");
  return length === undefined ? undefined : new MemoryBody(content, { length: Number(length) });
}

function version(protocol: string): HttpVersion {
  return protocol.slice("HTTP/".length) as HttpVersion;
}

/** The tables write "2.0" and "3.0". */
function versionText(text: string): string {
  return text.endsWith(".0") && !text.startsWith("1") ? text.slice(0, 1) : text;
}

function versionAsked(given: ConformanceCase["given"]): Pick<ForwardOptions, "version" | "versionPolicy"> {
  if (given.versionPolicy === undefined) return {};
  return { version: versionText(given.outgoingVersion) as HttpVersion, versionPolicy: given.versionPolicy };
}
