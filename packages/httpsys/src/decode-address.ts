import { flag } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import type { RequestImage } from "./request-image.ts";

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** SOCKADDR_IN or SOCKADDR_IN6; the family numbers are those of Windows on every platform. */
export function readAddress(image: RequestImage, pointerAt: number): SocketAddress | undefined {
  const at = image.follow(pointerAt, structs.SOCKADDR_IN.size);
  if (at < 0) return undefined;
  const { buffer } = image;
  const family = buffer.readUInt16LE(at);
  const port = buffer.readUInt16BE(at + 2);
  if (family === flag.AF_INET) return { address: buffer.subarray(at + 4, at + 8).join("."), port };
  if (family !== flag.AF_INET6) return undefined;
  const six = image.follow(pointerAt, structs.SOCKADDR_IN6.size);
  const { sin6_addr: [addressAt], sin6_scope_id: [scopeAt] } = structs.SOCKADDR_IN6.fields;
  const scope = isLinkLocal(buffer, six + addressAt) ? buffer.readUInt32LE(six + scopeAt) : 0;
  const address = ipv6(buffer, six + addressAt);
  return { address: scope === 0 ? address : `${address}%${scope}`, port };
}

/** fe80::/10: only with the number of its interface does it name one machine, and as Node writes it. */
function isLinkLocal(buffer: Buffer, at: number): boolean {
  return (buffer.readUInt16BE(at) & 0xffc0) === 0xfe80;
}

/** Lower case, the longest run of zero groups shortened (RFC 5952); IPv4-mapped as IPv4. */
function ipv6(buffer: Buffer, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push(buffer.readUInt16BE(at + i * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return buffer.subarray(at + 12, at + 16).join(".");
  let from = -1;
  let run = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > run) [from, run] = [i, end - i];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return from < 0 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + run))}`;
}
