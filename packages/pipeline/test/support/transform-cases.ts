/** Runs the cases of the transform tables through a whole proxy, whose destinations and clients have no connections. */
import type { RouteConfig } from "@proxy/config";
import type { ConformanceCase } from "@proxy/conformance";
import { HeaderList, type BodySource } from "@proxy/http";
import type { OutgoingRequest } from "@proxy/forwarder";
import type { ProxyContext, ReverseProxyOptions, TransformPlan, TransformProvider } from "@proxy/pipeline";
import type { FakeCall } from "./fake-client.ts";
import { FakeExchange, type FakeRequest } from "./fake-exchange.ts";
import { testProxy } from "./proxies.ts";

export type Lines = readonly (readonly [string, string])[];

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly query: string;
  readonly headers: HeaderList;
  readonly call: FakeCall;
  readonly exchange: FakeExchange;
}

export interface Given {
  readonly transforms: RouteConfig["transforms"];
  readonly request?: FakeRequest;
  readonly template?: string;
  readonly address?: string;
  readonly host?: string | undefined;
  readonly script?: ((call: FakeCall) => void) | undefined;
  readonly provider?: TransformProvider | undefined;
  readonly options?: Partial<ReverseProxyOptions>;
}

/** Sends one request through a proxy that believes its peer, and gives what the destination got. */
export async function sendThrough(given: Given): Promise<Sent> {
  const { send, clients } = await testProxy(
    {
      routes: { r: { clusterId: "c", match: { path: given.template ?? "/{**path}" }, transforms: given.transforms ?? [] } },
      clusters: { c: { destinations: { d: { address: given.address ?? "http://d.test/base", host: given.host } } } },
    },
    {
      script: given.script,
      trustedProxies: ["0.0.0.0/0", "::/0"],
      transformProviders: given.provider === undefined ? [] : [given.provider],
      ...given.options,
    },
  );
  const exchange = await send(given.request);
  const call = clients[0]?.last;
  if (call === undefined) throw new Error(`nothing was sent: the client got ${exchange.response.status}`);
  const { request, origin } = call;
  const { target } = request;
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  return {
    method: request.method,
    url: `${origin.scheme}://${origin.host}${target}`,
    host: request.headers.get("host"),
    path: given.address === undefined ? path.replace(/^\/base/, "") : path,
    query: question < 0 ? "" : target.slice(question),
    headers: request.headers,
    call,
    exchange,
  };
}

/** Runs the request transforms of a plan on their own, over a request that `request` came as and whose fields were copied. */
export async function runRequestPlan(plan: TransformPlan, request: FakeRequest): Promise<HeaderList> {
  const exchange = new FakeExchange(request);
  const { method, path, query, headers } = exchange.request;
  const outgoing: OutgoingRequest = {
    method,
    destinationPrefix: "http://d.test",
    path,
    query,
    url: undefined,
    headers: headers.copy(),
    body: undefined,
    attempt: 1,
  };
  const ctx = { exchange, trustedPeer: true } as unknown as ProxyContext;
  for (const transform of plan.request) await transform(outgoing, ctx);
  return outgoing.headers;
}

/** What a case calls the header lines of the request, as lines; `Content-Length: 0` becomes an empty body. */
export function requestOf(given: ConformanceCase["given"]["request"]): FakeRequest {
  const headers = ((given?.headers ?? []) as Lines).filter(([name]) => name !== "Content-Length");
  const hasBody = headers.length < (given?.headers ?? []).length;
  return {
    method: given?.method ?? "GET",
    target: `${encodeURI(given?.path || "/").replaceAll("#", "%23")}${given?.query ?? ""}`,
    headers,
    ...(given?.host === undefined ? {} : { authority: given.host }),
    ...(hasBody ? { body: new NoBytes() } : {}),
    ...(given?.clientCertificateDerBase64 === undefined
      ? {}
      : { connection: { tls: withCertificate(Buffer.from(given.clientCertificateDerBase64, "base64")) } }),
  };
}

function withCertificate(der: Uint8Array): NonNullable<FakeExchange["connection"]["tls"]> {
  return {
    serverName: undefined,
    alpnProtocol: undefined,
    protocol: "TLSv1.3",
    cipher: undefined,
    clientCertificate: der,
    clientCertificateAuthorized: true,
  };
}

class NoBytes implements BodySource {
  readonly length = 0;
  started = false;

  read(sink: Parameters<BodySource["read"]>[0]): void {
    this.started = true;
    sink.onEnd(undefined);
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

/** The values of `name`; null when there is none. */
export function valuesOf(headers: HeaderList | undefined, name: string): string[] | null {
  const values = headers?.getAll(name.toLowerCase()) ?? [];
  return values.length === 0 ? null : values;
}

/** The names in a list, each once, lower case, sorted. */
export function namesOf(headers: HeaderList | undefined): string[] {
  return [...new Set([...(headers ?? new HeaderList())].map(([name]) => name.toLowerCase()))].sort();
}
