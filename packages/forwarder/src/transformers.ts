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
  if (remoteAddress !== undefined) outgoing.headers.append("X-Forwarded-For", remoteAddress);
  if (authority !== "") outgoing.headers.append("X-Forwarded-Host", authority);
  outgoing.headers.appendFrom(protocols, scheme === "http" ? 0 : 1);
}
