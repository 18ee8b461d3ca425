/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4): not that of `zlib.crc32`. */
const polynomial = 0x82f6_3b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0);
  return value >>> 0;
});

/** The CRC32c of `bytes`, where the four bytes at `zeroed` count as zero. */
export function crc32c(bytes: Uint8Array, zeroed: number): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= zeroed && i < zeroed + 4 ? 0 : (bytes[i] as number);
    crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
