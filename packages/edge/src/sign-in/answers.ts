/** Answers of sign-ins: never kept by caches, and no address of theirs told to other sites. */
import { HeaderList, type Exchange } from "@proxy/http";
import type { Answer } from "../authentication/scheme.ts";

/** `cookies` are Set-Cookie lines. */
export function redirectAnswer(location: string, cookies: readonly string[] = []): Answer {
  const headers = headersWith(cookies);
  headers.append("Location", location);
  headers.append("Content-Length", "0");
  return { head: { status: 302, headers } };
}

export function statusAnswer(status: number, cookies: readonly string[] = [], retryAfter?: number): Answer {
  const headers = headersWith(cookies);
  if (retryAfter !== undefined) headers.append("Retry-After", String(Math.max(1, Math.ceil(retryAfter))));
  headers.append("Content-Length", "0");
  return { head: { status, headers } };
}

/**
 * A page that goes on to `location`: where a redirect would not do, since a chain of them that another site began carries no cookies of SameSite Strict.
 */
export function pageTo(location: string, cookies: readonly string[] = []): Answer {
  const headers = headersWith(cookies);
  headers.append("Content-Type", "text/html; charset=utf-8");
  headers.append("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  const target = location.replace(/[&"'<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return { head: { status: 200, headers }, body: `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${target}"><title>Signed in</title><a href="${target}">Continue</a>` };
}

export function give(exchange: Exchange, { head, body }: Answer): void {
  if (!exchange.response.started && !exchange.response.ended) exchange.response.send(head, body);
}

/** Adds Set-Cookie lines to the head of an answer, which no cache may keep then. */
export function appendCookies(headers: HeaderList, cookies: readonly string[]): void {
  if (cookies.length === 0) return;
  for (const line of cookies) headers.append("Set-Cookie", line);
  headers.set("Cache-Control", "no-store");
}

function headersWith(cookies: readonly string[]): HeaderList {
  const headers = HeaderList.from([["Cache-Control", "no-store"], ["Referrer-Policy", "no-referrer"], ["X-Content-Type-Options", "nosniff"]]);
  for (const line of cookies) headers.append("Set-Cookie", line);
  return headers;
}
