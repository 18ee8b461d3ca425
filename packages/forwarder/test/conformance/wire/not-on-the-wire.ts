import type { ConformanceCase } from "@proxy/conformance";
import type { FrontName, TransportName } from "./combination.ts";
import type { Lines } from "./messages.ts";

/** Why a case cannot be asked over these two versions of HTTP; undefined when it can. */
export function notOnTheWire({ given, expect: expected, rule }: ConformanceCase, front: FrontName, transport: TransportName): string | undefined {
  const frontIsHttp2 = front === "HTTP/2";
  if (given.kind === "request") {
    const { protocol, method, serverSaysBody, body } = given.request;
    if (expected.outgoing?.version !== undefined) return "asks for a version by configuration: no byte tells it";
    // Elsewhere the version of the client is only how the table was made.
    if (rule === "te" && protocol === "HTTP/3") return "no front server speaks HTTP/3";
    if (rule === "te" && (protocol === "HTTP/2") !== frontIsHttp2) return "about a client of another version";
    if (rule === "method-invalid" && method.endsWith(" ") && front === "node") return "Node's parser skips blanks behind a method";
    if (serverSaysBody === true && !frontIsHttp2) return "HTTP/1.1 tells a body by its framing alone";
    if (transport === "undici") {
      if (method === "GET" && expected.outgoing?.headers?.["Content-Length"]?.[0] === "0") return "undici sends no Content-Length: 0 with GET";
      const empty = body === "" || serverSaysBody === true;
      if (expected.outgoing?.hasBody === true && empty) return "undici sends no empty body of unknown length";
    }
    return undefined;
  }
  const { status, reason } = given.response;
  if (status < 200) return "an interim response is no answer";
  if (given.clientProtocol !== undefined && (given.clientProtocol === "HTTP/2") !== frontIsHttp2) return "about a client of another version";
  if (reason !== undefined && transport === "HTTP/2") return "HTTP/2 has no reason phrase";
  return undefined;
}

/** Why the front server refuses the request of a case before it is forwarded; undefined when it must not. */
export function refusedByFront({ given, rule }: ConformanceCase, front: FrontName): string | undefined {
  if (given.kind !== "request") return undefined;
  const { headers, method } = given.request;
  if (rule === "method-invalid") return "no method";
  if (front === "node" && method.toLowerCase() === "unknown") return "no method that Node's parser knows";
  if ((headers as Lines).some(([name]) => name.startsWith(":"))) return "no field name";
  if (front === "HTTP/2" && (headers as Lines).some(isMalformedOverHttp2)) return "malformed over HTTP/2 (RFC 9113, 8.2.2)";
  return undefined;
}

/** Why the transport takes the response of a case for none; undefined when it must not. */
export function refusedByTransport({ given }: ConformanceCase, transport: TransportName): string | undefined {
  if (given.kind !== "response") return undefined;
  const { headers = [], trailers = [] } = given.response as { headers?: Lines; trailers?: Lines };
  if (transport === "HTTP/2") {
    return [...headers, ...trailers].some(isMalformedOverHttp2) ? "malformed over HTTP/2 (RFC 9113, 8.2.2)" : undefined;
  }
  if (hasLine(headers, "transfer-encoding")) return "no clear length (RFC 9112, 6.3)";
  if (transport === "engine" && trailers.some(([name]) => forbiddenInTrailers.has(name.toLowerCase()))) return "framing in trailers (RFC 9110, 6.5.1)";
  return undefined;
}

/** What makes the engine's client give up a response with trailers. */
const forbiddenInTrailers = new Set(["connection", "transfer-encoding", "upgrade"]);

const hasLine = (lines: Lines | undefined, key: string): boolean => lines?.some(([name]) => name.toLowerCase() === key) === true;

const connectionSpecific = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

function isMalformedOverHttp2([name, value]: readonly [string, string]): boolean {
  const key = name.toLowerCase();
  return connectionSpecific.has(key) || (key === "te" && value.toLowerCase() !== "trailers");
}
