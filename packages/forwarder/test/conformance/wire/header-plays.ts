import { HeaderList } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
import { emptyTransformer } from "../../../src/index.ts";
import { pairs, transformerOf } from "../header-cases.ts";
import type { Combination, Played } from "./combination.ts";
import { type Lines, type SentRequest, type SentResponse, valuesOf } from "./messages.ts";

const get: SentRequest = { method: "GET", target: "/", authority: "client.example", headers: [], body: "", hasBody: false };
const ok: SentResponse = { status: 200, reason: "OK", headers: [], trailers: undefined };

/** Fields that an end writes for its own connection. */
const ownOfConnection = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** Plays a case of kind request or response and compares what both ends saw with it. */
export async function holdsOnTheWire(item: ConformanceCase, wire: Combination): Promise<void> {
  if (item.given.kind === "request") await request(item, wire);
  else await response(item, wire);
}

/** Plays a request that the front server must refuse: no destination hears of it. */
export async function isRefused({ given }: ConformanceCase, wire: Combination): Promise<void> {
  const { response: seen, requests, outcomes } = await wire.play(sentRequest(given), ok, {});
  expect([400, 405, 501, 0]).toContain(seen.status);
  expect([requests, outcomes]).toEqual([[], []]);
}

/** Plays a response that no client of a destination may take: the client gets none of it as whole. */
export async function isFailure({ given }: ConformanceCase, wire: Combination): Promise<void> {
  const { response: seen, outcomes } = await wire.play(get, sentResponse(given), { transformer: emptyTransformer });
  expect(outcomes[0]?.source).toBe("destination");
  if (given.response.trailers === undefined) expect(seen.status).toBe(502);
  for (const [name] of given.response.trailers ?? []) expect(valuesOf(seen.trailers, name)).toEqual([]);
  for (const [name, value] of given.response.headers ?? []) expect(valuesOf(seen.headers, name)).not.toContain(value);
}

async function request({ given, expect: expected }: ConformanceCase, wire: Combination): Promise<void> {
  const sent = sentRequest(given);
  const { response: seen, requests, outcomes } = await wire.play(sent, ok, { transformer: transformerOf(given.transforms) });
  expect(outcomes).toEqual([undefined]);
  expect(seen.status).toBe(expected.status ?? 200);
  expect(requests).toHaveLength(1);
  const [got] = requests as [Played["requests"][number]];
  const { method, hasBody, body, headers } = expected.outgoing;
  expect(got.method).toBe(method ?? sent.method);
  if (hasBody !== undefined) expect(got.hasBody).toBe(hasBody);
  if (body !== undefined) expect(got.body).toBe(body);
  compare(got.headers, wire.transport === "HTTP/2" ? lowerTe(headers) : headers, given.request.headers, wire.authority);
}

async function response({ given, expect: expected }: ConformanceCase, wire: Combination): Promise<void> {
  const own = given.clientResponseHeaders;
  const { response: seen, outcomes } = await wire.play(get, sentResponse(given), {
    transformer: emptyTransformer,
    responseHeaders: own === undefined ? undefined : HeaderList.from(pairs(own)),
  });
  expect(outcomes).toEqual([undefined]);
  const { status, reason, headers, trailers } = expected.client;
  expect(seen.status).toBe(status ?? given.response.status);
  if (reason !== undefined) expect(seen.reason ?? null).toBe(reason);
  // RFC 9110, 8.6: a 204 has no Content-Length.
  const wanted = headers?.["Content-Length"] !== undefined && seen.status === 204 ? { ...headers, "Content-Length": null } : headers;
  compare(seen.headers, wanted, given.response.headers ?? [], wire.authority);
  compare(seen.trailers, trailers, given.response.trailers ?? [], wire.authority);
}

/** `TE` goes out over HTTP/2 as RFC 9113, 8.2.2 writes it. */
function lowerTe(headers: Readonly<Record<string, string[] | null>> | undefined): Readonly<Record<string, string[] | null>> | undefined {
  const values = headers?.["TE"];
  return Array.isArray(values) ? { ...headers, TE: values.map((value) => value.toLowerCase()) } : headers;
}

/** Compares the lines that a table tells of; null: there are none. */
function compare(seen: Lines, wanted: Readonly<Record<string, string[] | null>> = {}, given: Lines, ownAuthority: string): void {
  for (const [name, values] of Object.entries(wanted)) {
    const key = name.toLowerCase();
    let found = valuesOf(seen, name);
    if (key === "host") found = found.filter((value) => value !== ownAuthority);
    if (values === null && ownOfConnection.has(key)) found = found.filter((value) => valuesOf(given, name).includes(value));
    expect([name, found]).toEqual([name, values ?? []]);
  }
}

function sentRequest(given: ConformanceCase["given"]): SentRequest {
  const { method, host, headers, body, serverSaysBody } = given.request;
  const authority = host ?? get.authority;
  const target = method === "CONNECT" ? authority : "/";
  return { method, target, authority, headers, body: body ?? "", hasBody: serverSaysBody ?? body !== undefined };
}

function sentResponse(given: ConformanceCase["given"]): SentResponse {
  const { status, reason, headers, trailers } = given.response;
  return { status, reason: reason ?? "OK", headers: headers ?? [], trailers };
}
