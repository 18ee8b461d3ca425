/**
 * What the destination sees of who the client is:
 *
 * 1. What clients send under the names that the gateway fills is gone, on every route: in the head, with `_` for `-`, and in trailers.
 * 2. The credentials of the policy's schemes are gone where the scheme says so, and those that only this gateway understands on every route.
 * 3. Claims stand in their fields, and so does what another service answered. No client's Connection takes them away.
 * 4. Authorization stays, goes, or holds the token of the identity or one that is got for it.
 */
import type { IdentityForwardingConfig } from "@proxy/config";
import type { HeaderList } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import type { AuthenticationScheme, Identity } from "../authentication/scheme.ts";
import { refuse } from "../exchange/answers.ts";
import { changedRequest, RequestExchange } from "../exchange/request-exchange.ts";
import { BodyWithoutFields, fieldValue, removeFromConnection, type ReservedFields } from "../identity/identity-fields.ts";
import { setTold } from "../identity/identity.ts";
import type { TokenExchange } from "./token-exchange.ts";

/** Changes `ctx.exchange`; a promise says whether the request goes on: it is answered otherwise. */
export type Forwarding = (ctx: ProxyContext, identity: Identity | undefined) => undefined | Promise<boolean>;

export interface ForwardingOptions {
  readonly reserved: ReservedFields;
  /** Those whose credentials are taken out. */
  readonly schemes: readonly AuthenticationScheme[];
  readonly config?: IdentityForwardingConfig | undefined;
  readonly exchange?: TokenExchange | undefined;
}

/** Undefined: there is nothing to change. */
export function compileForwarding({ reserved, schemes, config = {}, exchange }: ForwardingOptions): Forwarding | undefined {
  const hiding = schemes.filter((scheme) => scheme.withoutCredentials !== undefined);
  const filled = Object.entries(config.headers ?? {}).map(([name, claim]) => ({ name, values: valuesOf(claim) }));
  const { token = "Keep" } = config;
  const tells = filled.length > 0 || schemes.some(({ forwardedFields }) => (forwardedFields?.length ?? 0) > 0);
  if (reserved.size === 0 && hiding.length === 0 && !tells && token === "Keep") return undefined;
  const present = (ctx: ProxyContext, identity: Identity | undefined, authorization: string | undefined): void => {
    const { request } = ctx.exchange;
    const shown = hiding.reduce((head, scheme) => scheme.withoutCredentials?.(head) ?? head, request);
    let headers = reserved.strip(shown.headers);
    const changes = token !== "Keep" || (tells && identity !== undefined);
    if (changes) {
      if (headers === request.headers) headers = headers.copy();
      if (identity !== undefined) {
        const told = tell(headers, identity, filled);
        if (told !== "") setTold(ctx, told);
      }
      if (token !== "Keep") headers.remove("authorization");
      if (authorization !== undefined) headers.append("Authorization", authorization);
      removeFromConnection(headers, (key) => reserved.has(key) || (authorization !== undefined && key === "authorization"));
    }
    hideTrailers(ctx, reserved);
    if (shown !== request || headers !== request.headers) ctx.exchange = new RequestExchange(ctx.exchange, changedRequest(shown, { headers }));
  };
  return (ctx, identity) => {
    if (token === "Exchange" && exchange !== undefined && identity?.accessToken !== undefined) return exchanged(ctx, identity, exchange, present);
    present(ctx, identity, token === "Forward" ? bearer(identity?.accessToken) : undefined);
    return undefined;
  };
}

async function exchanged(
  ctx: ProxyContext,
  identity: Identity,
  exchange: TokenExchange,
  present: (ctx: ProxyContext, identity: Identity, authorization: string | undefined) => void,
): Promise<boolean> {
  const result = await exchange.exchange(identity.accessToken ?? "", identity.expiresAt);
  if (result.kind === "token") {
    present(ctx, identity, bearer(result.token));
    return true;
  }
  if (result.kind === "refused") refuse(ctx.exchange, 403);
  else refuse(ctx.exchange, 503, [["Retry-After", "5"]]);
  return false;
}

function valuesOf(claim: string): (identity: Identity) => readonly string[] {
  if (claim === "@name") return ({ name }) => (name === undefined ? [] : [name]);
  if (claim === "@scheme") return ({ scheme }) => [scheme];
  return ({ claims }) => claims.get(claim) ?? [];
}

/** Gives what was told, as one text: no field holds a line break. */
function tell(headers: HeaderList, identity: Identity, filled: readonly { readonly name: string; readonly values: (identity: Identity) => readonly string[] }[]): string {
  let told = "";
  const add = (name: string, value: string): void => {
    headers.append(name, value);
    told += `${name}:${value}\n`;
  };
  for (const { name, values } of filled) {
    const value = fieldValue(values(identity));
    if (value !== undefined) add(name, value);
  }
  for (const [name, values] of identity.fields ?? []) for (const value of values) add(name, value);
  return told;
}

/** Tokens are of visible characters (RFC 6750, 2.1); anything else is left out. */
function bearer(token: string | undefined): string | undefined {
  return token !== undefined && /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined;
}

function hideTrailers(ctx: ProxyContext, reserved: ReservedFields): void {
  const { body } = ctx;
  if (body === undefined || reserved.size === 0) return;
  // HTTP/1 has trailers behind chunks only.
  if (body.length === undefined || ctx.exchange.request.httpVersion === "2") ctx.body = new BodyWithoutFields(body, reserved);
}

