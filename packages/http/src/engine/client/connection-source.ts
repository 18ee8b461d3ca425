import { isIP, type LookupFunction } from "node:net";

/** By whom names are looked up for a connection, and where it is made from. */
export interface ConnectionSource {
  readonly lookup?: LookupFunction | undefined;
  readonly localAddress?: string | undefined;
}

/** The part of Node's connect options that says so. */
export function connectionSource({ lookup, localAddress }: ConnectionSource): { lookup?: LookupFunction; localAddress?: string; family?: number } {
  return {
    ...(lookup === undefined ? {} : { lookup }),
    // Of a name that has addresses of both families, those of the other one cannot be reached from here.
    ...(localAddress === undefined ? {} : { localAddress, family: isIP(localAddress) }),
  };
}
