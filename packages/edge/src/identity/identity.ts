import type { ProxyContext } from "@proxy/pipeline";
import type { Identity } from "../authentication/scheme.ts";
import { setUser } from "./user.ts";

const key = Symbol("identity");

/** Who the request comes from, with what is known of them; undefined: nobody was authenticated. */
export function identityOf(ctx: ProxyContext): Identity | undefined {
  return ctx.item(key) as Identity | undefined;
}

/** For steps that authenticate. The user of the request is `scheme:name`: names of two schemes do not meet. */
export function setIdentity(ctx: ProxyContext, identity: Identity): void {
  ctx.items.set(key, identity);
  if (identity.name !== undefined) setUser(ctx, `${identity.scheme}:${identity.name}`);
}

const toldKey = Symbol("told");

/** What the destination is told of the identity in fields, as one text; undefined: nothing. One user may come with tokens that say different things. */
export function toldOf(ctx: ProxyContext): string | undefined {
  return ctx.item(toldKey) as string | undefined;
}

/** For the step that fills the fields. */
export function setTold(ctx: ProxyContext, told: string): void {
  ctx.items.set(toldKey, told);
}
