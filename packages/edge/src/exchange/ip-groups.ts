/** The eight groups of an IPv6 address, a zone left out. */
export function groupsOf(address: string): readonly number[] {
  const gap = address.indexOf("::");
  const before = partsOf(gap < 0 ? address : address.slice(0, gap));
  const after = gap < 0 ? [] : partsOf(address.slice(gap + 2));
  const zeros = Array.from({ length: Math.max(8 - before.length - after.length, 0) }, () => 0);
  return [...before, ...zeros, ...after];
}

function partsOf(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return Number.parseInt(group, 16);
    // An IPv4 tail stands for two groups.
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The IPv4 address that is mapped into an IPv6 one of those groups (RFC 4291, 2.5.5.2); undefined where none is. */
export function mappedAddress(groups: readonly number[]): string | undefined {
  const [, , , , , mark, high = 0, low = 0] = groups;
  if (mark !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
