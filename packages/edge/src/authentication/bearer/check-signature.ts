/**
 * Signatures of JWS (RFC 7518, 3) by Node's own crypto, on the calling thread: jose goes through WebCrypto, which hands each of them to another thread and
 * costs twice as much (docs/policies/authentication.md).
 */
import { constants, createHmac, timingSafeEqual, verify, type KeyObject } from "node:crypto";

interface Algorithm {
  readonly hash: string | null;
  readonly padding?: number | undefined;
  readonly saltLength?: number | undefined;
  readonly dsaEncoding?: "ieee-p1363" | undefined;
  /** Bytes of a signature; undefined: as long as the key has it. */
  readonly size?: number | undefined;
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;

const algorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ...(["256", "384", "512"] as const).flatMap((bits): [string, Algorithm][] => [
    [`RS${bits}`, { hash: `sha${bits}`, padding: RSA_PKCS1_PADDING }],
    [`PS${bits}`, { hash: `sha${bits}`, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }],
  ]),
  ["ES256", { hash: "sha256", dsaEncoding: "ieee-p1363", size: 64 }],
  ["ES384", { hash: "sha384", dsaEncoding: "ieee-p1363", size: 96 }],
  ["ES512", { hash: "sha512", dsaEncoding: "ieee-p1363", size: 132 }],
  ["EdDSA", { hash: null }],
]);

/** Whether `signature` is that of `signed`. */
export type SignatureCheck = (signed: Buffer, signature: Buffer) => boolean;

/** The check for a key. `algorithm` is one that the key allows. */
export function signatureCheck(algorithm: string, key: KeyObject): SignatureCheck {
  if (key.type === "secret") {
    const hash = `sha${algorithm.slice(2)}`;
    return (signed, signature) => {
      const digest = createHmac(hash, key).update(signed).digest();
      return digest.length === signature.length && timingSafeEqual(digest, signature);
    };
  }
  const rules = algorithms.get(algorithm);
  if (rules === undefined) return () => false;
  const { hash, padding, saltLength, dsaEncoding, size } = rules;
  const options = { key, ...(padding === undefined ? {} : { padding }), ...(saltLength === undefined ? {} : { saltLength }), ...(dsaEncoding === undefined ? {} : { dsaEncoding }) };
  return (signed, signature) => {
    if (size !== undefined && signature.length !== size) return false;
    try {
      return verify(hash, signed, options, signature);
    } catch {
      // A key of RSASSA-PSS may name its digest, and OpenSSL throws for another one.
      return false;
    }
  };
}
