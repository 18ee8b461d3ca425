import type { ProxyContext } from "@proxy/pipeline";

const key = Symbol("user");

/** Who the request comes from, once a step has made sure of it; undefined: nobody knows. */
export function userOf(ctx: Pick<ProxyContext, "item">): string | undefined {
  const user = ctx.item(key);
  return typeof user === "string" ? user : undefined;
}

/** For steps that authenticate: `user` is the same text for the same person, and no other's. */
export function setUser(ctx: ProxyContext, user: string): void {
  ctx.items.set(key, user);
}
