/** What a party of WS-Federation says of itself: its address, name and keys, from its metadata or from the configuration. */
import { createHash, X509Certificate, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { allElements, childrenNamed, parseXml, textOf, type XmlElement } from "./xml.ts";

export interface FederationParty {
  readonly passiveEndpoint: string;
  readonly issuer: string;
  readonly keys: readonly KeyObject[];
}

const metadata = "urn:oasis:names:tc:SAML:2.0:metadata";
const federation = "http://docs.oasis-open.org/wsfed/federation/200706";
const addressing = "http://www.w3.org/2005/08/addressing";
const dsig = "http://www.w3.org/2000/09/xmldsig#";
const mostKeys = 16;

/** Bytes of metadata. */
export const largestMetadata = 2_097_152;

/**
 * Reads a federation metadata document (WS-Federation 1.2, 3.1): the role that has a passive endpoint, and its signing keys. It is believed because of where it was
 * read: its own signature says no more. Throws when something is missing.
 */
export function partyOf(text: string, thumbprints: ReadonlySet<string> | undefined): FederationParty {
  const root = parseXml(text, { largest: largestMetadata, comments: true });
  const role = childrenNamed(root, metadata, "RoleDescriptor").find((each) => childrenNamed(each, federation, "PassiveRequestorEndpoint").length > 0);
  const issuer = root.getAttribute("entityID");
  if (role === undefined || !issuer) throw new TypeError("the metadata has no role with a passive endpoint, or no name");
  const [endpoint] = childrenNamed(role, federation, "PassiveRequestorEndpoint").flatMap(allElements).filter(({ localName, namespaceURI }) => localName === "Address" && namespaceURI === addressing);
  const passiveEndpoint = endpoint === undefined ? "" : textOf(endpoint);
  if (!/^https?:\/\//.test(passiveEndpoint) || !URL.canParse(passiveEndpoint)) throw new TypeError("the metadata has no address for browsers");
  return { passiveEndpoint, issuer, keys: keysOf(childrenNamed(role, metadata, "KeyDescriptor").filter(isForSigning).flatMap(certificatesIn), thumbprints) };
}

/** The keys of the certificates in a file (PEM). Throws `TypeError` when it has none that can be used. */
export function keysIn(path: string, thumbprints: ReadonlySet<string> | undefined): readonly KeyObject[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new TypeError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return keysOf(blocks.map((pem) => new X509Certificate(pem)), thumbprints);
  } catch (error) {
    throw new TypeError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Thumbprints as written in configurations, to look certificates up by. */
export function thumbprintSet(thumbprints: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return thumbprints === undefined ? undefined : new Set(thumbprints.map((each) => each.replaceAll(":", "").toLowerCase()));
}

function keysOf(certificates: readonly X509Certificate[], thumbprints: ReadonlySet<string> | undefined): readonly KeyObject[] {
  const named = certificates.filter(({ raw }) => thumbprints?.has(createHash("sha256").update(raw).digest("hex")) ?? true);
  const keys = named.map(({ publicKey }) => publicKey).filter((key) => key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048);
  if (keys.length === 0) throw new TypeError("there is no certificate with an RSA key of at least 2048 bits that may sign");
  return keys.slice(0, mostKeys);
}

function isForSigning(descriptor: XmlElement): boolean {
  return (descriptor.getAttribute("use") || "signing") === "signing";
}

function certificatesIn(descriptor: XmlElement): readonly X509Certificate[] {
  const texts = allElements(descriptor).filter(({ localName, namespaceURI }) => localName === "X509Certificate" && namespaceURI === dsig).map(textOf);
  return texts.map((text) => new X509Certificate(Buffer.from(text, "base64")));
}
