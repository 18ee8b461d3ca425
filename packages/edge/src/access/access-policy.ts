/** What requests must be like to pass at all, ready to be asked. */
import { BlockList, isIP } from "node:net";
import type { AccessPolicyConfig } from "@proxy/config";
import { clientAddressOf, headerKey, type Exchange, type HeaderList } from "@proxy/http";
import { isAmbiguousPath } from "../exchange/ambiguous-path.ts";
import { spellingsOf } from "../exchange/field-spellings.ts";
import { groupsOf, mappedAddress } from "../exchange/ip-groups.ts";

export interface AccessPolicy {
  /** The status that a request is refused with; 0: it may pass. */
  refusal(exchange: Exchange): number;
  /** The value of Allow for 405; undefined where all methods may pass. */
  readonly allow: string | undefined;
  /** Bytes of a request body; undefined: the server's limit. */
  readonly maxBodySize: number | undefined;
}

/** Compiles a policy that the configuration's own checks have seen. */
export function compileAccessPolicy(config: AccessPolicyConfig): AccessPolicy {
  const allowed = config.allowAddresses === undefined ? undefined : addressList(config.allowAddresses);
  const denied = config.denyAddresses === undefined ? undefined : addressList(config.denyAddresses);
  const methods = config.methods === undefined ? undefined : new Set(config.methods.map((method) => method.toUpperCase()));
  const required = (config.requireHeaders ?? []).map(headerKey);
  const forbidden = (config.denyHeaders ?? []).flatMap(spellingsOf).map(headerKey);
  const refusesAmbiguous = config.ambiguousPaths === "Refuse";
  const { maxTargetLength = Number.POSITIVE_INFINITY, maxHeaderBytes, maxBodySize } = config;
  return {
    allow: methods === undefined ? undefined : [...methods].join(", "),
    maxBodySize,
    refusal(exchange) {
      const { method, path, pathBase, query, headers } = exchange.request;
      if (allowed !== undefined || denied !== undefined) {
        const address = clientAddressOf(exchange);
        // Nobody knows where a Unix socket's client is: a list of addresses does not have it.
        if (allowed !== undefined && !has(allowed, address)) return 403;
        if (denied !== undefined && has(denied, address)) return 403;
      }
      if (methods !== undefined && !methods.has(method)) return 405;
      if (path.length + query.length > maxTargetLength) return 414;
      if (refusesAmbiguous && (isAmbiguousPath(path) || (pathBase !== undefined && isAmbiguousPath(pathBase)))) return 400;
      if (maxHeaderBytes !== undefined && sizeOf(headers) > maxHeaderBytes) return 431;
      for (const key of required) if (!headers.has(key)) return 400;
      for (const key of forbidden) if (headers.has(key)) return 400;
      return 0;
    },
  };
}

/** Apart, since Node's list takes IPv4 addresses for a part of `::/0`. */
interface AddressList {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function addressList(networks: readonly string[]): AddressList {
  const lists: AddressList = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = "", prefix] = withoutMapping(network).split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) lists[family].addAddress(address, family);
    else lists[family].addSubnet(address, Number(prefix), family);
  }
  return lists;
}

/** IPv4 written as IPv6, as clients' addresses never are. */
function withoutMapping(network: string): string {
  const [address = "", prefix = "128"] = network.split("/");
  const mapped = isIP(address) === 6 ? mappedAddress(groupsOf(address)) : undefined;
  return mapped === undefined || Number(prefix) < 96 ? network : `${mapped}/${Number(prefix) - 96}`;
}

function has({ ipv4, ipv6 }: AddressList, address: string | undefined): boolean {
  if (address === undefined) return false;
  switch (isIP(address)) {
    case 4:
      return ipv4.check(address, "ipv4");
    case 6:
      // Mapped ones are IPv4.
      return ipv6.check(address, "ipv6") || ipv4.check(address, "ipv6");
    default:
      return false;
  }
}

/** As on the wire: name, colon, blank, value, line break. */
function sizeOf(headers: HeaderList): number {
  let size = 0;
  for (let i = 0; i < headers.size; i++) size += headers.nameAt(i).length + headers.valueAt(i).length + 4;
  return size;
}
