/** Frames as they stand on the wire (RFC 6455, 5.2). */
export interface FrameShape {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Uint8Array;
  readonly mask?: Uint8Array | undefined;
}

export function frame({ opcode, fin, payload, mask }: FrameShape): Buffer {
  const { length } = payload;
  const masked = mask === undefined ? 0 : 0x80;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = masked | length;
  else if (length < 65_536) {
    head[1] = masked | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = masked | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (mask === undefined) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] as number))]);
}

export const key: Uint8Array = Uint8Array.of(1, 2, 3, 4);

export function text(content: string, mask?: Uint8Array): Buffer {
  return frame({ opcode: 1, fin: true, payload: Buffer.from(content), mask });
}

export function close(code: number, reason = "", mask?: Uint8Array): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  return frame({ opcode: 8, fin: true, payload, mask });
}
