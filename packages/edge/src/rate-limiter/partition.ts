import type { RateLimiterPolicyConfig } from "@proxy/config";
import { clientAddressOf, headerKey, type Exchange } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { groupsOf, mappedAddress } from "../exchange/ip-groups.ts";
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

/**
 * The first 64 bits of an IPv6 address, in one spelling: whoever has one network has 2^64 addresses in it (RFC 6177). An IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2), as proxies in front may write
 * it, is that address: otherwise all of them would be one.
 */
export function networkOf(address: string): string {
  const groups = groupsOf(address);
  return mappedAddress(groups) ?? groups.slice(0, 4).map((group) => group.toString(16)).join(":");
}
