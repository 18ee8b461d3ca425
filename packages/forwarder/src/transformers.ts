import { type Exchange, HeaderList } from "@proxy/http";
import type { OutgoingRequest, Transformer } from "./forward-options.ts";

/**
 * What direct forwarding does unless told otherwise: the Host is the destination's; X-Forwarded-For, -Host and
 * -Proto tell of the client, -Prefix and `Forwarded` are removed. What the client sent of these is not believed.
 */
export const defaultTransformer: Transformer = {
  omitRequestHeaders: new Set([
    "host",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
  ]),
  trusted: true,
  request: addForwarded,
};

/** Copies everything that may be copied, the client's Host too, and adds nothing. */
export const emptyTransformer: Transformer = { trusted: true };

const protocols = HeaderList.from([
  ["X-Forwarded-Proto", "http"],
  ["X-Forwarded-Proto", "https"],
]);

function addForwarded(exchange: Exchange, outgoing: OutgoingRequest): void {
  const { remoteAddress } = exchange.connection;
  const { authority, scheme } = exchange.request;
  if (remoteAddress !== undefined) outgoing.headers.appendFrom(forwardedFor(remoteAddress), 0);
  if (authority !== "") outgoing.headers.append("X-Forwarded-Host", authority);
  outgoing.headers.appendFrom(protocols, scheme === "http" ? 0 : 1);
}

const maximumRemembered = 1024;
const remembered = new Map<string, HeaderList>();

/** The line for an address, made and checked once and not with each of its requests. */
function forwardedFor(address: string): HeaderList {
  const known = remembered.get(address);
  if (known !== undefined) return known;
  if (remembered.size >= maximumRemembered) remembered.clear();
  const line = HeaderList.from([["X-Forwarded-For", address]]);
  remembered.set(address, line);
  return line;
}
