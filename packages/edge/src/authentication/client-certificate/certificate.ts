/** A client's certificate, with what rules and claims need to know of it. */
import { createHash, X509Certificate } from "node:crypto";
import type { Name } from "@peculiar/x509";
import { x509 } from "./x509.ts";

export interface Certificate {
  readonly node: X509Certificate;
  /** SHA-256 of the DER, in hexadecimal. */
  readonly thumbprint: string;
  readonly serial: string;
  /** As RFC 4514 writes it: the last part of the name first. */
  readonly subject: string;
  readonly issuer: string;
  readonly commonNames: readonly string[];
  /** `DNS:…`, `email:…`, `URI:…`, host names in lower case. */
  readonly alternativeNames: readonly string[];
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** The digest that its signature is over, as WebCrypto writes it: `SHA-256`; undefined where the kind of signature has no choice of one, or it is not known. */
  readonly digest: string | undefined;
  /** An extension that is critical and means nothing to us. */
  readonly hasUnknownExtension: boolean;
}

/** Critical extensions whose rules are kept here, or that say nothing about a client's certificate (RFC 5280, 4.2). */
const known: ReadonlySet<string> = new Set(["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.35", "2.5.29.37", "1.3.6.1.5.5.7.1.1"]);

const kinds: ReadonlyMap<string, string> = new Map([["dns", "DNS"], ["email", "email"], ["url", "URI"]]);

/** Throws for what is no certificate. */
export function readCertificate(der: Uint8Array): Certificate {
  const node = new X509Certificate(der);
  const parsed = new (x509().X509Certificate)(new Uint8Array(der));
  const names = parsed.getExtension(x509().SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    node,
    thumbprint: createHash("sha256").update(der).digest("hex"),
    serial: parsed.serialNumber,
    subject: distinguishedName(parsed.subjectName),
    issuer: distinguishedName(parsed.issuerName),
    commonNames: parsed.subjectName.getField("CN"),
    alternativeNames: names.flatMap(({ type, value }) => (kinds.has(type) ? [`${kinds.get(type)}:${type === "dns" ? value.toLowerCase() : value}`] : [])),
    from: node.validFromDate.getTime(),
    until: node.validToDate.getTime(),
    digest: (parsed.signatureAlgorithm as { readonly hash?: { readonly name: string } }).hash?.name,
    hasUnknownExtension: parsed.extensions.some(({ critical, type }) => critical && !known.has(type)),
  };
}

/** The library writes names in the order of the certificate. */
function distinguishedName(name: Name): string {
  return written(name.toJSON().toReversed());
}

/** A name from the configuration in the same spelling; throws for what is none. */
export function normalName(text: string): string {
  const parts = new (x509().Name)(text).toJSON();
  if (parts.length === 0) throw new Error("it is no name");
  return written(parts);
}

/** A name that is a common name alone. */
export function commonName(name: string): string {
  return written([{ CN: [name] }]);
}

function written(parts: ReturnType<Name["toJSON"]>): string {
  return new (x509().Name)(parts).toString().replaceAll(/, (?=[A-Za-z0-9.]+=)/g, ",");
}
