import { METHODS } from "node:http";
import { type MemoryOutcome, playInMemory, type SeenHead } from "./memory-connection.ts";
import { playInNode } from "./node-outcome.ts";

/**
 * Judges a message by both parsers. Undefined when all is well: each head that the engine hands to its handler is
 * taken by Node too, with the same line and fields, as the same number in the row; each request that the engine took
 * to its end came to its end in Node, with the same body and trailers; and the engine takes the same when the bytes
 * come one by one.
 */
export async function disagreement(message: string): Promise<string | undefined> {
  const bytes = Buffer.from(message, "latin1");
  const whole = playInMemory([bytes]);
  const single = playInMemory(Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1)));
  if (taken(whole) !== taken(single)) return "the split changes what is accepted";
  if (whole.heads.length === 0) return undefined;
  const ends = [...new Set([...single.begunAfter, ...single.completedAfter])].toSorted((a, b) => a - b);
  const theirs = await playInNode(ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)));
  for (const [index, head] of whole.heads.entries()) {
    // Node knows a list of methods; the engine takes every token (RFC 9110, 9.1).
    if (!METHODS.includes(head.method)) return undefined;
    const difference = compared(`the head of request ${index}`, head, theirs.heads[index])
      ?? compared(`request ${index}`, whole.requests[index], theirs.requests[index]);
    if (difference !== undefined) return difference;
    // Node leaves HTTP here, whether somebody takes the upgrade or not.
    if (head.headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === "upgrade")) return undefined;
  }
  return theirs.refusal === undefined ? undefined : `Node refuses what the engine accepted so far: ${theirs.refusal}`;
}

function taken({ heads, requests }: MemoryOutcome): string {
  return JSON.stringify({ heads, requests });
}

/** What the engine accepted must be in Node's eyes the same; what it did not take is of no interest. */
function compared(what: string, ours: SeenHead | undefined, theirs: SeenHead | undefined): string | undefined {
  if (ours === undefined) return undefined;
  if (theirs === undefined) return `${what} is accepted by the engine only: ${shown(ours)}`;
  return shown(ours) === shown(theirs) ? undefined : `${what} differs: ${shown(ours)} and in Node ${shown(theirs)}`;
}

function shown(request: SeenHead): string {
  // The engine lets the authority of an absolute target replace Host, or add it (RFC 9112, 3.2.2).
  const headers = /^https?:\/\//i.test(request.target) ? withoutHost(request.headers) : request.headers;
  return JSON.stringify({ ...request, headers });
}

function withoutHost(raw: readonly string[]): string[] {
  return raw.filter((_text, index) => raw[index - (index % 2)]?.toLowerCase() !== "host");
}
