import { createEngineClient } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, until } from "../../../http/test/contract/recorders.ts";
import { emptyTransformer, forward } from "../../src/index.ts";
import { FakeExchange } from "../doubles/fake-exchange.ts";
import { http2Scenario } from "./http2-scenarios.ts";
import { RawDestination } from "../doubles/raw-destination.ts";

/** Why a case cannot be asked yet; undefined when it can. */
export function pendingReason({ rule }: ConformanceCase): string | undefined {
  if (rule === "tracing") return "trace context, with telemetry";
  return undefined;
}

/** Plays an end-to-end case with a destination of raw sockets. */
export async function scenarios(item: ConformanceCase): Promise<void> {
  const { proxyProtocol, destinationProtocol, clientProtocol, outgoingVersion } = item.given;
  if ([proxyProtocol, destinationProtocol, clientProtocol, outgoingVersion].some((protocol) => /2/u.test(protocol ?? ""))) {
    await http2Scenario(item);
    return;
  }
  const destination = await RawDestination.open();
  const client = createEngineClient();
  try {
    const { given } = item;
    if (given.clientSends !== undefined) await expectContinue(item, destination, client);
    else if (given.allowResponseBuffering === false) await unbuffered(destination, client);
    else if (given.allowResponseBuffering === true) await leftToTheServer(destination, client);
    else await lines(item, destination, client);
  } finally {
    client.destroy();
    await destination.close();
  }
}

type Client = ReturnType<typeof createEngineClient>;

async function lines({ given, expect: expected }: ConformanceCase, destination: RawDestination, client: Client): Promise<void> {
  const sent: [string, string][] =
    given.rawRequestHeaders ??
    (given.clientCookies as string[] | undefined)?.map((cookie): [string, string] => ["Cookie", cookie]) ??
    [];
  const encode = (text: string): string => Buffer.from(text, given.encoding ?? "latin1").toString("latin1");
  const exchange = new FakeExchange({ headers: sent.map(([name, value]): [string, string] => [name, encode(value)]) });
  const outcome = forward(exchange, destination.prefix, client, { transformer: emptyTransformer });
  const connection = await destination.accept();
  const head = await connection.readUntil("\r\n\r\n");
  const answer: [string, string][] = given.destinationResponseHeaders ?? [];
  connection.write(`HTTP/1.1 200 OK\r\n${answer.map(([name, value]) => `${name}: ${value}\r\n`).join("")}Content-Length: 0\r\n\r\n`);
  expect(await outcome).toBeUndefined();
  expect(exchange.response.status).toBe(expected.status);
  for (const [name, values] of Object.entries<string[]>(expected.destination?.headerLines ?? {})) {
    const start = `${name.toLowerCase()}:`;
    const found = head.split("\r\n").filter((line) => line.toLowerCase().startsWith(start));
    expect(found.map((line) => line.slice(start.length).trim())).toEqual(values.map(encode));
  }
  for (const [name, values] of Object.entries(expected.client?.headerLines ?? {})) {
    expect(exchange.response.head?.headers.getAll(name.toLowerCase())).toEqual(values);
  }
}

async function unbuffered(destination: RawDestination, client: Client): Promise<void> {
  const exchange = new FakeExchange();
  const outcome = forward(exchange, destination.prefix, client);
  const connection = await destination.accept();
  await connection.readUntil("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
  await until(() => exchange.response.body === "a");
  connection.write("b");
  expect(await outcome).toBeUndefined();
}

/** Where buffering is allowed nothing is asked of the server about it; no server here does it. */
async function leftToTheServer(destination: RawDestination, client: Client): Promise<void> {
  const exchange = new FakeExchange();
  const outcome = forward(exchange, destination.prefix, client);
  const connection = await destination.accept();
  await connection.readUntil("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  expect(await outcome).toBeUndefined();
  expect([exchange.response.body, exchange.response.flushes]).toEqual(["ab", 0]);
}

async function expectContinue(
  { given, expect: expected }: ConformanceCase,
  destination: RawDestination,
  client: Client,
): Promise<void> {
  const size: number = given.clientSends.bodyBytes;
  const chunk = Buffer.alloc(65_536);
  const chunks = Array.from({ length: size / chunk.length }, () => chunk);
  const chunked = given.clientSends.framing === "chunked";
  const body = new MemoryBody(chunks, { length: chunked ? undefined : size });
  const exchange = new FakeExchange({ method: "POST", headers: [["Expect", "100-continue"]], body });
  const outcome = forward(exchange, destination.prefix, client);
  const connection = await destination.accept();
  const head = await connection.readUntil("\r\n\r\n");
  expect(head).toContain("\r\nExpect: 100-continue\r\n");

  const reads = (given.destination as string).startsWith("reads");
  if (reads) {
    connection.write("HTTP/1.1 100 Continue\r\n\r\n");
    // All of it first: to look for the end in every piece of ten megabytes takes seconds.
    await until(() => connection.pendingSize >= size);
    if (chunked) await connection.readUntil("\r\n0\r\n\r\n");
    else await connection.readBytes(size);
  }
  const status = Number(/\b(\d{3})\b/u.exec(given.destination)?.[1]);
  const payload = "x".repeat(100_000);
  const cut = expected.clientSees !== undefined;
  connection.write(`HTTP/1.1 ${status} Answer\r\nContent-Length: ${payload.length * (cut ? 2 : 1)}\r\n\r\n${payload}`);
  if (cut) {
    await until(() => exchange.response.body.length === payload.length);
    connection.reset();
  }
  const error = await outcome;
  expect(body.delivered * chunk.length).toBe(expected.clientBytesUploaded);
  if (cut) {
    expect(error?.code).toBe("ResponseBodyDestination");
    expect(exchange.response.aborted).toBeDefined();
    return;
  }
  expect(error).toBeUndefined();
  expect(exchange.response.status).toBe(expected.status ?? status);
  if (expected.fullResponseBody === true) expect(exchange.response.body).toBe(payload);
}
