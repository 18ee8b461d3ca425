import { BlockList, isIPv6 } from "node:net";

/** Whether the peer with this address may be believed when it says for whom it forwards. */
export type Trust = (remoteAddress: string | undefined) => boolean;

/**
 * Trusts the peers in `networks`: addresses and CIDR blocks, such as `10.0.0.0/8` or `::1`. Throws a TypeError for what
 * is neither.
 */
export function trustedPeers(networks: readonly string[]): Trust {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits, ...rest] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (address.includes("%")) throw new TypeError("zones are not looked at");
      if (rest.length > 0) throw new TypeError("more than one slash");
      if (bits === undefined) list.addAddress(address, family);
      else if (!/^\d{1,3}$/.test(bits)) throw new TypeError("no number of bits");
      else list.addSubnet(address, Number(bits), family);
    } catch (cause) {
      throw new TypeError(`'${network}' is neither an IP address nor a CIDR block`, { cause });
    }
  }
  return (address) => address !== undefined && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
