/** What is said to those who may not pass. */
import type { Exchange } from "@proxy/http";
import type { Answer, AuthenticationResult, AuthenticationScheme, Challenge, Identity } from "../authentication/scheme.ts";
import { refuse } from "../exchange/answers.ts";

/** Somebody who may not: 403, with what their scheme has to say. */
export async function forbid(exchange: Exchange, schemes: readonly AuthenticationScheme[], identity: Identity, scopes: readonly string[]): Promise<void> {
  const said = await schemes.find(({ name }) => name === identity.scheme)?.forbid?.(exchange, identity, scopes);
  if (said?.kind === "answer") give(exchange, said.answer);
  else refuse(exchange, 403, said?.kind === "values" ? challenges(said.values) : []);
}

/**
 * Nobody:
 *
 * 1. One cannot know now: 503.
 * 2. Another service decided: its answer.
 * 3. A scheme has an answer of its own (a redirect, for browsers): that. Otherwise 401 with the challenges of all, or 403 where there is none.
 */
export async function challenge(exchange: Exchange, schemes: readonly AuthenticationScheme[], results: readonly AuthenticationResult[]): Promise<void> {
  for (const result of results) {
    if (result.kind !== "unavailable") continue;
    refuse(exchange, 503, [["Retry-After", String(Math.max(Math.ceil(result.retryAfter ?? 5), 1))]]);
    return;
  }
  for (const result of results) {
    if (result.kind !== "answered") continue;
    give(exchange, result.answer);
    return;
  }
  const values: string[] = [];
  for (const [index, scheme] of schemes.entries()) {
    const said: Challenge = await scheme.challenge(exchange, results[index] ?? { kind: "none" });
    if (said.kind === "answer") {
      give(exchange, said.answer);
      return;
    }
    if (said.kind === "values") values.push(...said.values);
  }
  if (values.length === 0) refuse(exchange, 403);
  else refuse(exchange, 401, challenges(values));
}

function challenges(values: readonly string[]): [string, string][] {
  return values.map((value) => ["WWW-Authenticate", value]);
}

/** Not to be kept by caches, unless the answer says otherwise itself. */
function give({ response }: Exchange, { head, body }: Answer): void {
  if (response.started || response.ended) return;
  const headers = head.headers.copy();
  if (!headers.has("cache-control")) headers.append("Cache-Control", "no-store");
  response.send({ ...head, headers }, body);
}
