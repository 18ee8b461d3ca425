/** Tokens as parties of WS-Federation make them, signed by the library, and as attackers change them. */
import "reflect-metadata";
import { createHash, KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { X509CertificateGenerator } from "@peculiar/x509";
import { SignedXml } from "xml-crypto";
import { publicOrigin } from "./browser.ts";

export const realm = "urn:gateway:test";
export const issuer = "urn:sts:test";
export const callback = `${publicOrigin}/signin-sts`;

export interface SigningKey {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 in hexadecimal. */
  readonly thumbprint: string;
}

export async function makeSigningKey(): Promise<SigningKey> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: "CN=sts.test", keys, signingAlgorithm: algorithm }, webcrypto as never);
  const raw = Buffer.from(certificate.rawData);
  return { key: KeyObject.from(keys.privateKey), certificate: new X509Certificate(raw).toString(), thumbprint: createHash("sha256").update(raw).digest("hex") };
}

export interface TokenOptions {
  readonly version?: "1.1" | "2.0";
  readonly id?: string;
  readonly user?: string;
  readonly issuer?: string;
  readonly audience?: string | undefined;
  readonly from?: Date;
  readonly until?: Date | undefined;
  readonly confirmation?: string;
  readonly recipient?: string;
  readonly claims?: Readonly<Record<string, readonly string[]>>;
}

let count = 0;

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

export function assertionOf(options: TokenOptions = {}): string {
  const { version = "1.1", id = `_token-${++count}`, user = "alice", from = new Date(Date.now() - 1000), claims = { "http://claims.test/role": ["staff", "dev"] } } = options;
  const until = "until" in options ? options.until : new Date(Date.now() + 300_000);
  const audience = "audience" in options ? options.audience : realm;
  const end = until === undefined ? "" : ` NotOnOrAfter="${until.toISOString()}"`;
  const by = escape(options.issuer ?? issuer);
  const { confirmation = `urn:oasis:names:tc:SAML:${version === "1.1" ? "1.0" : "2.0"}:cm:bearer` } = options;
  if (version === "1.1") {
    const restriction = audience === undefined ? "" : `<saml:AudienceRestrictionCondition><saml:Audience>${escape(audience)}</saml:Audience></saml:AudienceRestrictionCondition>`;
    const attributes = Object.entries(claims).map(([name, values]) => {
      const cut = name.lastIndexOf("/");
      return `<saml:Attribute AttributeName="${escape(name.slice(cut + 1))}" AttributeNamespace="${escape(name.slice(0, cut))}">${values.map((value) => `<saml:AttributeValue>${escape(value)}</saml:AttributeValue>`).join("")}</saml:Attribute>`;
    });
    const subject = `<saml:Subject><saml:NameIdentifier>${escape(user)}</saml:NameIdentifier><saml:SubjectConfirmation><saml:ConfirmationMethod>${confirmation}</saml:ConfirmationMethod></saml:SubjectConfirmation></saml:Subject>`;
    return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" MajorVersion="1" MinorVersion="1" AssertionID="${id}" Issuer="${by}" IssueInstant="${from.toISOString()}"><saml:Conditions NotBefore="${from.toISOString()}"${end}>${restriction}</saml:Conditions><saml:AttributeStatement>${subject}${attributes.join("")}</saml:AttributeStatement></saml:Assertion>`;
  }
  const restriction = audience === undefined ? "" : `<AudienceRestriction><Audience>${escape(audience)}</Audience></AudienceRestriction>`;
  const data = options.recipient === undefined ? "" : `<SubjectConfirmationData Recipient="${escape(options.recipient)}"${end}/>`;
  const attributes = Object.entries(claims).map(([name, values]) => `<Attribute Name="${escape(name)}">${values.map((value) => `<AttributeValue>${escape(value)}</AttributeValue>`).join("")}</Attribute>`);
  return `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" IssueInstant="${from.toISOString()}" Version="2.0"><Issuer>${by}</Issuer><Subject><NameID>${escape(user)}</NameID><SubjectConfirmation Method="${confirmation}">${data}</SubjectConfirmation></Subject><Conditions NotBefore="${from.toISOString()}"${end}>${restriction}</Conditions><AttributeStatement>${attributes.join("")}</AttributeStatement></Assertion>`;
}

export interface SignatureOptions {
  readonly signatureAlgorithm?: string;
  readonly digestAlgorithm?: string;
  readonly canonicalization?: string;
  readonly transforms?: readonly string[];
  readonly xpath?: string;
}

export const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

export function signed(assertion: string, { key, certificate }: SigningKey, options: SignatureOptions = {}): string {
  const { signatureAlgorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", digestAlgorithm = "http://www.w3.org/2001/04/xmlenc#sha256", canonicalization = exclusive, transforms = [enveloped, exclusive], xpath = "/*" } = options;
  const isFirst = assertion.includes("AssertionID=");
  const signer = new SignedXml({ privateKey: key.export({ type: "pkcs8", format: "pem" }), publicCert: certificate, signatureAlgorithm: signatureAlgorithm as never, canonicalizationAlgorithm: canonicalization as never, idAttribute: isFirst ? "AssertionID" : "ID" });
  signer.addReference({ xpath, digestAlgorithm: digestAlgorithm as never, transforms: transforms as never });
  signer.computeSignature(assertion, { prefix: "ds", location: { reference: "/*", action: "append" } });
  return signer.getSignedXml();
}

export function responseOf(token: string, { trust = "http://schemas.xmlsoap.org/ws/2005/02/trust", collection = false } = {}): string {
  const response = `<t:RequestSecurityTokenResponse xmlns:t="${trust}"><t:RequestedSecurityToken>${token}</t:RequestedSecurityToken><t:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</t:TokenType></t:RequestSecurityTokenResponse>`;
  return collection ? `<t:RequestSecurityTokenResponseCollection xmlns:t="${trust}">${response}</t:RequestSecurityTokenResponseCollection>` : response;
}

export function metadataOf(keys: readonly SigningKey[], passiveEndpoint: string, entityId = issuer): string {
  const descriptors = keys.map(({ certificate }) => `<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate.replace(/-----[^-]+-----|\s/g, "")}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`);
  return `<?xml version="1.0" encoding="utf-8"?><!-- of a test --><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="fed:SecurityTokenServiceType" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">${descriptors.join("")}<fed:PassiveRequestorEndpoint><EndpointReference xmlns="http://www.w3.org/2005/08/addressing"><Address>${passiveEndpoint}</Address></EndpointReference></fed:PassiveRequestorEndpoint></RoleDescriptor></EntityDescriptor>`;
}
