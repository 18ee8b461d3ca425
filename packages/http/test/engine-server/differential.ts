import { METHODS } from "node:http";
import { playInMemory, type SeenRequest } from "./memory-connection.ts";
import { playInNode } from "./node-outcome.ts";

/**
 * Judges a message by both parsers. Undefined when all is well: each request that the engine took to its end was
 * taken by Node too, with the same line, fields, body and trailers, as the same number in the row; and the engine
 * takes the same when the bytes come one by one.
 */
export async function disagreement(message: string): Promise<string | undefined> {
  const bytes = Buffer.from(message, "latin1");
  const whole = playInMemory([bytes]);
  const single = playInMemory(Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1)));
  if (JSON.stringify(whole.requests) !== JSON.stringify(single.requests)) return "the split changes what is accepted";
  const ours = whole.requests;
  if (ours.length === 0) return undefined;
  const pieces = single.completedAfter.map((end, index) => bytes.subarray(single.completedAfter[index - 1] ?? 0, end));
  const theirs = await playInNode(pieces);
  for (const [index, request] of ours.entries()) {
    // Node knows a list of methods; the engine takes every token (RFC 9110, 9.1).
    if (!METHODS.includes(request.method)) return undefined;
    const other = theirs[index];
    if (other === undefined) return `request ${index} is accepted by the engine only: ${shown(request)}`;
    if (shown(request) !== shown(other)) return `request ${index} differs: ${shown(request)} and in Node ${shown(other)}`;
    // Node leaves HTTP here, whether somebody takes the upgrade or not.
    if (request.headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === "upgrade")) return undefined;
  }
  return undefined;
}

function shown(request: SeenRequest): string {
  // The engine lets the authority of an absolute target replace Host, or add it (RFC 9112, 3.2.2).
  const headers = /^https?:\/\//i.test(request.target) ? withoutHost(request.headers) : request.headers;
  return JSON.stringify({ ...request, headers });
}

function withoutHost(raw: readonly string[]): string[] {
  return raw.filter((_text, index) => raw[index - (index % 2)]?.toLowerCase() !== "host");
}
