/**
 * The header of the PROXY protocol, versions 1 and 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt): what a proxy in front
 * that passes bytes on says of the connection that it passes on. Strict: whatever is unclear is refused, never repaired.
 *
 * - Version 1 is a line of at most 107 bytes; version 2 is binary, here of at most 4096 bytes after its first 16.
 * - LOCAL (a proxy's own check), UNKNOWN and AF_UNSPEC leave the connection's own addresses standing.
 * - AF_UNIX is a client without an address.
 * - Datagrams are refused: HTTP comes over streams.
 * - The CRC32c of version 2 is checked where it is given; all other extras (TLVs) have to be well-formed and are skipped.
 */
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { plainAddress } from "../node/connection-info.ts";
import { crc32c } from "./crc32c.ts";

/** The connection between the client and the proxy in front, from its point of view. All undefined: a Unix socket. */
export interface ProxiedAddresses {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

export interface ProxyHeader {
  /** Bytes of the header: what comes after them is the connection's. */
  readonly length: number;
  /** Undefined: those of the connection itself hold. */
  readonly addresses: ProxiedAddresses | undefined;
}

/** Says why a header is none: lower case, no trailing stop, nothing of what came. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";
}

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const lineStart = Buffer.from("PROXY ", "latin1");
const longestLine = 107;
const fixedPart = 16;
const longestRest = 4096;
const crcType = 0x03;

/** Reads the header at the begin of `bytes`. Undefined: more is needed. Throws `ProxyHeaderError` as soon as it can be none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (beginsLike(bytes, lineStart)) return parseLine(bytes);
  if (beginsLike(bytes, signature)) return parseBinary(bytes);
  throw new ProxyHeaderError("the connection does not begin with a PROXY header");
}

function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const count = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, count, 0, count) === 0;
}

function parseLine(bytes: Buffer): ProxyHeader | undefined {
  const lineFeed = bytes.subarray(0, longestLine).indexOf(0x0a);
  if (lineFeed < 0) {
    if (bytes.length >= longestLine) throw new ProxyHeaderError("the PROXY line is too long");
    return undefined;
  }
  const line = bytes.toString("latin1", 0, lineFeed - 1);
  if (bytes[lineFeed - 1] !== 0x0d || !/^[\x20-\x7e]*$/.test(line)) throw new ProxyHeaderError("the PROXY line holds what it may not");
  const [, protocol, source = "", destination = "", sourcePort = "", destinationPort = "", ...surplus] = line.split(" ");
  const length = lineFeed + 1;
  if (protocol === "UNKNOWN") return { length, addresses: undefined };
  if (protocol !== "TCP4" && protocol !== "TCP6") throw new ProxyHeaderError("the PROXY line names no protocol that there is");
  if (surplus.length > 0) throw new ProxyHeaderError("the PROXY line has too many parts");
  const address = protocol === "TCP4" ? textOfIPv4 : textOfIPv6;
  return {
    length,
    addresses: {
      remoteAddress: address(source),
      remotePort: portOf(sourcePort),
      localAddress: address(destination),
      localPort: portOf(destinationPort),
    },
  };
}

function textOfIPv4(text: string): string {
  if (isIPv4(text)) return text;
  throw new ProxyHeaderError("an address in the PROXY header is no IPv4 address");
}

function textOfIPv6(text: string): string | undefined {
  if (isIPv6(text) && !text.includes("%")) return normalIPv6(text);
  throw new ProxyHeaderError("an address in the PROXY header is no IPv6 address");
}

/** As the system spells it, so that one client has one address. */
function normalIPv6(address: string): string | undefined {
  return plainAddress(new SocketAddress({ address, family: "ipv6" }).address);
}

function portOf(text: string): number {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new ProxyHeaderError("a port in the PROXY line is none");
  return port;
}

function parseBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length > 12) checkVersion(bytes[12] as number);
  if (bytes.length < fixedPart) return undefined;
  const rest = bytes.readUInt16BE(14);
  if (rest > longestRest) throw new ProxyHeaderError("the PROXY header is too long");
  const isLocal = bytes[12] === 0x20;
  const family = bytes[13] as number;
  const size = isLocal ? 0 : sizeOf(family);
  if (rest < size) throw new ProxyHeaderError("the PROXY header is too short for its addresses");
  const length = fixedPart + rest;
  if (bytes.length < length) return undefined;
  if (isLocal || family === 0x00) return { length, addresses: undefined };
  checkExtras(bytes.subarray(0, length), fixedPart + size);
  return { length, addresses: addressesOf(bytes, family) };
}

function checkVersion(byte: number): void {
  if (byte !== 0x20 && byte !== 0x21) throw new ProxyHeaderError("the PROXY header has a version or command that there is not");
}

/** Bytes of the addresses. */
function sizeOf(family: number): number {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
      return 12;
    case 0x21:
      return 36;
    case 0x31:
      return 216;
    default:
      throw new ProxyHeaderError("the PROXY header is not of a connection over TCP or a Unix socket");
  }
}

function addressesOf(bytes: Buffer, family: number): ProxiedAddresses {
  if (family === 0x31) return { remoteAddress: undefined, remotePort: undefined, localAddress: undefined, localPort: undefined };
  const size = family === 0x11 ? 4 : 16;
  const address = family === 0x11 ? bytesToIPv4 : bytesToIPv6;
  const ports = fixedPart + 2 * size;
  return {
    remoteAddress: address(bytes.subarray(fixedPart, fixedPart + size)),
    remotePort: bytes.readUInt16BE(ports),
    localAddress: address(bytes.subarray(fixedPart + size, ports)),
    localPort: bytes.readUInt16BE(ports + 2),
  };
}

function bytesToIPv4(bytes: Buffer): string {
  return bytes.join(".");
}

function bytesToIPv6(bytes: Buffer): string | undefined {
  return normalIPv6((bytes.toString("hex").match(/.{4}/g) ?? []).join(":"));
}

/** Type-length-value extras fill the header to its end. */
function checkExtras(header: Buffer, from: number): void {
  let hasSum = false;
  for (let at = from; at < header.length; ) {
    if (at + 3 > header.length) throw new ProxyHeaderError("an extra of the PROXY header is cut off");
    const end = at + 3 + header.readUInt16BE(at + 1);
    if (end > header.length) throw new ProxyHeaderError("an extra of the PROXY header is cut off");
    if (header[at] === crcType) {
      if (hasSum || end !== at + 7 || crc32c(header, at + 3) !== header.readUInt32BE(at + 3)) {
        throw new ProxyHeaderError("the checksum of the PROXY header is wrong");
      }
      hasSum = true;
    }
    at = end;
  }
}
