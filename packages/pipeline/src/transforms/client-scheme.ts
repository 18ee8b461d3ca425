import type { HeaderList } from "@proxy/http";
import { elementsOf, parameterOf } from "../client-address.ts";
import type { ProxyContext } from "../context.ts";

type Scheme = "http" | "https";

/**
 * By which scheme the client came: what a trusted peer says last in `X-Forwarded-Proto`, or in `Forwarded` (RFC 7239, 5.4), otherwise that of
 * the connection. Where the two fields disagree neither counts. Known once request transforms run.
 */
export function clientScheme({ exchange, trustedPeer }: Pick<ProxyContext, "exchange" | "trustedPeer">): Scheme {
  const { scheme, headers } = exchange.request;
  return trustedPeer ? (toldScheme(headers) ?? scheme) : scheme;
}

function toldScheme(headers: HeaderList): Scheme | undefined {
  const plain = schemeOf(elementsOf(headers, "x-forwarded-proto").at(-1));
  const last = elementsOf(headers, "forwarded").at(-1);
  const standard = schemeOf(last === undefined ? undefined : parameterOf(last, "proto"));
  return plain === undefined || standard === undefined || plain === standard ? (plain ?? standard) : undefined;
}

function schemeOf(text: string | undefined): Scheme | undefined {
  const scheme = text?.toLowerCase();
  return scheme === "http" || scheme === "https" ? scheme : undefined;
}
