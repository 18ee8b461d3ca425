import { headerKey, type HeaderList } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import { isForwardedKey } from "./route-transformer.ts";

/**
 * Takes all lines called `name` out of `headers` and gives their values in order: for transforms that join a value to what
 * is there. Where there are none, it gives those of `uncopied`: to be the message that came when its fields were not
 * copied, undefined when they were.
 */
export function takeHeader(headers: HeaderList, name: string, uncopied?: HeaderList | undefined): string[] {
  const key = headerKey(name);
  const values = headers.getAll(key);
  if (values.length > 0) headers.remove(key);
  else if (uncopied !== undefined) return uncopied.getAll(key);
  return values;
}

/**
 * Copies what the client sent under `key`, unless something stands in `headers` already: for transforms that append where
 * fields are not copied. What a peer that is not trusted says of forwarding stays out.
 */
export function copyFromClient(headers: HeaderList, key: string, ctx: ProxyContext): void {
  if (headers.has(key) || (!ctx.trustedPeer && isForwardedKey(key))) return;
  copyLines(headers, key, ctx.exchange.request.headers);
}

/** Copies the lines with `key` from `uncopied`, unless there are some in `headers` already. */
export function copyMissing(headers: HeaderList, key: string, uncopied: HeaderList): void {
  if (!headers.has(key)) copyLines(headers, key, uncopied);
}

function copyLines(headers: HeaderList, key: string, from: HeaderList): void {
  for (let i = from.indexOf(key); i >= 0; i = from.indexOf(key, i + 1)) headers.appendFrom(from, i);
}
