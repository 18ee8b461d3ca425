import { createHash } from "node:crypto";
import type { HeaderList } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { spellingsOf } from "../exchange/field-spellings.ts";
import { identityOf, toldOf } from "../identity/identity.ts";
import { userOf } from "../identity/user.ts";
import { fieldSelection, keyPart } from "./cache-key.ts";
import { asks, credentialFields, type CachePolicy } from "./cache-policy.ts";

/** Whom an answer is for; undefined: for nobody else. */
export function partitionOf(ctx: ProxyContext, policy: CachePolicy, scope: string, bits: number): string | undefined {
  const user = userOf(ctx);
  const isKnown = user !== undefined || ctx.exchange.connection.tls?.clientCertificate !== undefined || identityOf(ctx) !== undefined;
  let partition = scope;
  if (isKnown) {
    if (!policy.varyByUser || user === undefined) return undefined;
    partition += `u${keyPart(user)}${keyPart(toldOf(ctx) ?? "")}`;
    // One user may have tokens that allow different things; none of them is to be found in a store.
    if ((bits & asks.authorization) !== 0) partition += keyPart(digestOf(ctx.exchange.request.headers));
  } else if (((bits & asks.authorization) !== 0 && !policy.isHttp) || ((bits & asks.cookie) !== 0 && policy.cookies === "Bypass")) return undefined;
  if (policy.varyByHeader.length > 0) {
    const { headers } = ctx.exchange.request;
    for (const key of policy.varyByHeader) partition += keyPart(fieldSelection(headers, key));
  }
  for (const name of policy.varyByRouteValue) {
    const value = ctx.routeValues.get(name);
    partition += value === undefined ? "-" : keyPart(value);
  }
  return partition;
}

/** What a request shows of who it is from. */
function digestOf(headers: HeaderList): string {
  const shown = credentialFields.flatMap(spellingsOf).map((key) => keyPart(fieldSelection(headers, key))).join("");
  return createHash("sha256").update(shown, "latin1").digest("base64url");
}
