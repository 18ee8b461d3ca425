import { BlockList, isIPv6 } from "node:net";

/** Whether the peer with this address may be believed when it says for whom it forwards. */
export type Trust = (remoteAddress: string | undefined) => boolean;

/**
 * Trusts the peers in `networks`: addresses and CIDR blocks, such as `10.0.0.0/8` or `::1`; IPv4 mapped into IPv6 (`::ffff:10.0.0.0/104`) is IPv4. Throws a TypeError for what
 * is neither.
 */
export function trustedPeers(networks: readonly string[]): Trust {
  if (networks.length === 0) return () => false;
  const all = new BlockList();
  // Node takes IPv4 addresses for a part of `::/0`, where they are mapped: such a network is of IPv6 nevertheless.
  const ipv4 = new BlockList();
  for (const network of networks) {
    const [address = "", bits, ...rest] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (address.includes("%")) throw new TypeError("zones are not looked at");
      if (rest.length > 0) throw new TypeError("more than one slash");
      if (bits !== undefined && !/^\d{1,3}$/.test(bits)) throw new TypeError("no number of bits");
      for (const list of family === "ipv4" || bits === undefined || Number(bits) >= 96 ? [all, ipv4] : [all]) {
        if (bits === undefined) list.addAddress(address, family);
        else list.addSubnet(address, Number(bits), family);
      }
    } catch (cause) {
      throw new TypeError(`'${network}' is neither an IP address nor a CIDR block`, { cause });
    }
  }
  return (address) => {
    if (address === undefined) return false;
    if (!isIPv6(address)) return ipv4.check(address, "ipv4");
    // Mapped ones are IPv4.
    return address.startsWith("::ffff:") ? ipv4.check(address, "ipv6") : all.check(address, "ipv6");
  };
}
