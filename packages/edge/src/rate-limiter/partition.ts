import type { RateLimiterPolicyConfig } from "@proxy/config";
import { clientAddressOf, headerKey, type Exchange } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { userOf } from "../identity/user.ts";

/** A request that is counted: one on its way through the steps, or one that an endpoint answers. */
export interface LimitedRequest extends Pick<ProxyContext, "item"> {
  exchange: Exchange;
  readonly route: { readonly config: { readonly routeId: string } };
}

/** Names those whose requests are counted together. */
export type Partition = (ctx: LimitedRequest) => string;

/** How requests are told apart under a policy. */
export function partitionOf({ partitionBy = "Address", headerName = "" }: RateLimiterPolicyConfig): Partition {
  switch (partitionBy) {
    case "Address":
      return addressOf;
    case "User":
      return (ctx) => {
        const user = userOf(ctx);
        return user === undefined ? addressOf(ctx) : `user ${user}`;
      };
    case "Header": {
      const key = headerKey(headerName);
      return (ctx) => {
        const value = ctx.exchange.request.headers.get(key);
        return value === undefined || value === "" ? addressOf(ctx) : `value ${value}`;
      };
    }
    case "Route":
      return (ctx) => ctx.route.config.routeId;
    case "None":
      return () => "";
  }
}

function addressOf(ctx: LimitedRequest): string {
  const address = clientAddressOf(ctx.exchange) ?? "";
  return address.includes(":") ? networkOf(address) : address;
}

/** The first 64 bits of an IPv6 address: whoever has one network has 2^64 addresses in it (RFC 6177). */
export function networkOf(address: string): string {
  const gap = address.indexOf("::");
  if (gap < 0) return address.split(":", 4).join(":");
  const before = gap === 0 ? [] : address.slice(0, gap).split(":");
  const after = gap + 2 === address.length ? [] : address.slice(gap + 2).split(":");
  // An IPv4 tail stands for two groups.
  const tail = after.at(-1)?.includes(".") === true ? after.length + 1 : after.length;
  const zeros = Array.from({ length: Math.max(8 - before.length - tail, 0) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
