/**
 * Who vouches for clients: each certificate of the file by itself, the issuing ones among them. A client's certificate that comes alone, as in a
 * handshake that is over or in a field, has to be issued by one of them.
 */
import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import type { Certificate } from "./certificate.ts";

/** The certificates in a PEM file. Throws where there is none, or one that is no authority. */
export function readAuthorities(path: string): readonly X509Certificate[] {
  const blocks = readFileSync(path, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const authorities = blocks.map((block) => new X509Certificate(block));
  if (authorities.length === 0) throw new Error("it holds no certificate");
  const other = authorities.find(({ ca }) => !ca);
  if (other !== undefined) throw new Error(`'${other.subject.replaceAll("\n", ", ")}' is the certificate of no authority`);
  return authorities;
}

/** The one that issued `certificate`, if it may at the moment. */
export function issuerOf(certificate: Certificate, authorities: readonly X509Certificate[], now: number): X509Certificate | undefined {
  const { node } = certificate;
  return authorities.find(
    (authority) =>
      node.checkIssued(authority) && authority.validFromDate.getTime() <= now && now <= authority.validToDate.getTime() && hasGoodSignature(certificate) && node.verify(authority.publicKey),
  );
}

/** Digests that can be forged vouch for nothing. RSA-PSS has its own among its parameters, SHA-1 where they say nothing (RFC 4055, 3.1). */
function hasGoodSignature({ node: { signatureAlgorithm }, digest }: Certificate): boolean {
  if (signatureAlgorithm === undefined || /md[245]|sha-?1/i.test(signatureAlgorithm.replace(/sha-?1\d/i, ""))) return false;
  return /pss/i.test(signatureAlgorithm) ? digest !== undefined && goodDigests.has(digest) : true;
}

const goodDigests: ReadonlySet<string> = new Set(["SHA-256", "SHA-384", "SHA-512"]);
