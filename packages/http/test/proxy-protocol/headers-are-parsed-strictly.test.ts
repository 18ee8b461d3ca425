import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c } from "../../src/proxy-protocol/crc32c.ts";
import { parseProxyHeader, ProxyHeaderError } from "../../src/proxy-protocol/proxy-header.ts";
import { binary, extra, ipv4, ipv6, summed } from "./headers.ts";

const line = (text: string): Buffer => Buffer.from(text, "latin1");
const client4 = { remoteAddress: "203.0.113.7", remotePort: 4711, localAddress: "192.0.2.1", localPort: 443 };
const client6 = { remoteAddress: "2001:db8::7", remotePort: 4711, localAddress: "2001:db8::1", localPort: 443 };
const nobody = { remoteAddress: undefined, remotePort: undefined, localAddress: undefined, localPort: undefined };

const good: readonly [title: string, header: Buffer, addresses: object | undefined][] = [
  ["a line of IPv4", line("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n"), client4],
  ["a line of IPv6", line("PROXY TCP6 2001:DB8::7 2001:0db8:0:0::1 4711 443\r\n"), client6],
  ["a line of IPv4 in IPv6", line("PROXY TCP6 ::ffff:203.0.113.7 ::ffff:c000:201 4711 443\r\n"), client4],
  ["a line of the unknown", line("PROXY UNKNOWN\r\n"), undefined],
  ["a line of the unknown with whatever", line("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), undefined],
  ["binary IPv4", binary({ family: 0x11, addresses: ipv4 }), client4],
  ["binary IPv6", binary({ family: 0x21, addresses: ipv6 }), client6],
  ["a Unix socket", binary({ family: 0x31, addresses: Buffer.alloc(216, "x") }), nobody],
  ["a local one", binary({ command: 0x20, family: 0x00, addresses: Buffer.alloc(0) }), undefined],
  ["a local one with whatever", binary({ command: 0x20, family: 0x99, addresses: Buffer.alloc(9) }), undefined],
  ["an unspecified one", binary({ family: 0x00, addresses: Buffer.alloc(0), extras: extra(0x04, Buffer.alloc(3)) }), undefined],
  ["one with extras", binary({ family: 0x11, addresses: ipv4, extras: Buffer.concat([extra(0x01, line("h2")), extra(0xee, Buffer.alloc(0)), extra(0x20, Buffer.alloc(40))]) }), client4],
  ["one with a checksum", summed(), client4],
];

const bad: readonly [title: string, header: Buffer][] = [
  ["a request", line("GET / HTTP/1.1\r\n")],
  ["lower case", line("proxy TCP4 203.0.113.7 192.0.2.1 4711 443\r\n")],
  ["another protocol", line("PROXY UDP4 203.0.113.7 192.0.2.1 4711 443\r\n")],
  ["two blanks", line("PROXY TCP4  203.0.113.7 192.0.2.1 4711 443\r\n")],
  ["a blank at the end", line("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 \r\n")],
  ["a bare line feed", line("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\n")],
  ["a tab", line("PROXY TCP4\t203.0.113.7 192.0.2.1 4711 443\r\n")],
  ["a missing port", line("PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n")],
  ["a port too high", line("PROXY TCP4 203.0.113.7 192.0.2.1 4711 65536\r\n")],
  ["a port with a zero before it", line("PROXY TCP4 203.0.113.7 192.0.2.1 04711 443\r\n")],
  ["a port with a sign", line("PROXY TCP4 203.0.113.7 192.0.2.1 +4711 443\r\n")],
  ["an address with a zero before it", line("PROXY TCP4 203.0.113.07 192.0.2.1 4711 443\r\n")],
  ["IPv6 in IPv4", line("PROXY TCP4 ::1 192.0.2.1 4711 443\r\n")],
  ["IPv4 in IPv6", line("PROXY TCP6 203.0.113.7 192.0.2.1 4711 443\r\n")],
  ["an address with a zone", line("PROXY TCP6 fe80::1%eth0 ::1 4711 443\r\n")],
  ["a line that does not end", line(`PROXY UNKNOWN ${"x".repeat(200)}`)],
  ["a line too long", line(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`)],
  ["version 1 in binary", binary({ command: 0x11, family: 0x11, addresses: ipv4 })],
  ["version 3", binary({ command: 0x31, family: 0x11, addresses: ipv4 })],
  ["a command that there is not", binary({ command: 0x22, family: 0x11, addresses: ipv4 })],
  ["a datagram", binary({ family: 0x12, addresses: ipv4 })],
  ["a family that there is not", binary({ family: 0x41, addresses: ipv4 })],
  ["too few bytes for its addresses", binary({ family: 0x21, addresses: ipv4 })],
  ["more than is taken", binary({ family: 0x11, addresses: ipv4, extras: extra(0x30, Buffer.alloc(5000)) })],
  ["an extra cut off in its head", binary({ family: 0x11, addresses: ipv4, extras: Buffer.from([1, 0]) })],
  ["an extra cut off in its value", binary({ family: 0x11, addresses: ipv4, extras: Buffer.from([1, 0, 9, 9]) })],
  ["a checksum of the wrong size", binary({ family: 0x11, addresses: ipv4, extras: extra(0x03, Buffer.alloc(3)) })],
  ["a wrong checksum", binary({ family: 0x11, addresses: ipv4, extras: extra(0x03, Buffer.alloc(4)) })],
];

describe("a PROXY header", () => {
  it.each(good)("of %s is read, however much of it is there and whatever comes after", (_, header, addresses) => {
    expect(parseProxyHeader(header)).toEqual({ length: header.length, addresses });
    expect(parseProxyHeader(Buffer.concat([header, line("GET / HTTP/1.1\r\n\r\n")]))).toEqual({ length: header.length, addresses });
    for (let i = 0; i < header.length; i++) expect(parseProxyHeader(header.subarray(0, i))).toBeUndefined();
  });

  it.each(bad)("is not %s", (_, header) => {
    expect(() => parseProxyHeader(header)).toThrow(ProxyHeaderError);
  });

  it("with a checksum does not survive a changed bit", () => {
    const header = summed();
    for (let bit = 0; bit < header.length * 8; bit++) {
      const changed = Buffer.from(header);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      let read: unknown;
      try {
        read = parseProxyHeader(changed)?.addresses;
      } catch (error) {
        expect(error).toBeInstanceOf(ProxyHeaderError);
      }
      // LOCAL and AF_UNSPEC, one bit away, say nothing of addresses; the extra's type makes of the checksum another extra.
      if (bit >> 3 !== header.length - 7) expect(read).toBeUndefined();
    }
  });

  it("gives back every address and port", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(65_535), fc.nat(65_535), (source, destination, from, to) => {
        expect(parseProxyHeader(line(`PROXY TCP4 ${source} ${destination} ${from} ${to}\r\n`))?.addresses).toEqual({
          remoteAddress: source,
          remotePort: from,
          localAddress: destination,
          localPort: to,
        });
      }),
    );
  });

  it("in either version spells an IPv6 address the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const address = (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
        const written = parseProxyHeader(line(`PROXY TCP6 ${address} ${address} 1 2\r\n`));
        const packed = parseProxyHeader(binary({ family: 0x21, addresses: Buffer.concat([bytes, bytes, Buffer.from([0, 1, 0, 2])]) }));
        expect(packed?.addresses).toEqual(written?.addresses);
      }),
    );
  });

  it("throws nothing else, whatever comes", () => {
    const start = fc.constantFrom(...good.map(([, header]) => header), Buffer.alloc(0));
    fc.assert(
      fc.property(start, fc.nat(120), fc.uint8Array({ maxLength: 40 }), (header, cut, noise) => {
        try {
          const read = parseProxyHeader(Buffer.concat([header.subarray(0, cut), noise]));
          if (read !== undefined) expect(read.length).toBeLessThanOrEqual(Math.min(cut, header.length) + noise.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyHeaderError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

it("CRC32c gives what RFC 3720 says of 32 zeros and of 32 ones", () => {
  expect(crc32c(new Uint8Array(32), 32)).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff), 32)).toBe(0x62a8_ab43);
});
