/** The bytes as text, a character each. */
export function latin1Text(bytes: Uint8Array): string {
  return Buffer.isBuffer(bytes)
    ? bytes.toString("latin1")
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
