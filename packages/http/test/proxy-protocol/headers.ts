/** PROXY headers as a proxy in front would write them; independent of the parser. */
export const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export interface Binary {
  readonly command?: number;
  readonly family: number;
  readonly addresses: Buffer;
  readonly extras?: Buffer;
}

export function binary({ command = 0x21, family, addresses, extras = Buffer.alloc(0) }: Binary): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length + extras.length);
  return Buffer.concat([signature, Buffer.from([command, family]), length, addresses, extras]);
}

export function extra(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** Source 203.0.113.7:4711 to 192.0.2.1:443. */
export const ipv4 = Buffer.from([203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xbb]);
/** Source 2001:db8::7 port 4711 to 2001:db8::1 port 443. */
export const ipv6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000007", "hex"),
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from([0x12, 0x67, 0x01, 0xbb]),
]);

/** The checksum bit by bit, for a header whose checksum field is zero. */
export function checksum(header: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of header) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** An IPv4 header with a good checksum. */
export function summed(): Buffer {
  const header = binary({ family: 0x11, addresses: ipv4, extras: extra(0x03, Buffer.alloc(4)) });
  header.writeUInt32BE(checksum(header), header.length - 4);
  return header;
}
