import type { KeyProtector } from "@proxy/cluster";

/** Text that clients hold and can neither read nor change: Base64url without padding. One sealed text has one spelling. */
export function sealText(protector: KeyProtector, purpose: string, text: string): string {
  return Buffer.from(protector.protect(purpose, Buffer.from(text, "utf8"))).toString("base64url");
}

/** Undefined for what was not sealed for that purpose under a key that is still read. */
export function openText(protector: KeyProtector, purpose: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  // Node skips what is no Base64url.
  if (bytes.toString("base64url") !== sealed) return undefined;
  const plain = protector.unprotect(purpose, bytes);
  return plain === undefined ? undefined : Buffer.from(plain).toString("utf8");
}
