/**
 * The assertion of a security token response, if and only if one of the other party's keys signed it. One profile, that of all issuers in use, so that nothing is
 * left to interpretation:
 *
 * 1. one response with one assertion, in the place for it, and one signature, right below the assertion;
 * 2. the signature covers one thing, the assertion by its id, enveloped, in exclusive canonical form without comments, by SHA-2 and RSA;
 * 3. keys are those of the configuration or metadata; what the token says of its key is not looked at;
 * 4. everything that is believed is read from the text that the signature covers, parsed anew: what stands around it in the message was read for 1 alone.
 */
import type { KeyObject } from "node:crypto";
import { SignedXml } from "xml-crypto";
import { SignInRefusedError } from "../sign-in-errors.ts";
import { allElements, childrenNamed, elementsOf, isNamed, onlyChild, parseXml, textOf, type XmlElement } from "./xml.ts";

export const saml1 = "urn:oasis:names:tc:SAML:1.0:assertion";
export const saml2 = "urn:oasis:names:tc:SAML:2.0:assertion";
const assertions: ReadonlySet<string> = new Set([saml1, saml2]);
/** WS-Trust of February 2005, which WS-Federation 1.1 has, and 1.3. */
const trusts: ReadonlySet<string> = new Set(["http://schemas.xmlsoap.org/ws/2005/02/trust", "http://docs.oasis-open.org/ws-sx/ws-trust/200512"]);
const dsig = "http://www.w3.org/2000/09/xmldsig#";
const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
const enveloped = `${dsig}enveloped-signature`;
const signatureMethods: ReadonlySet<string> = new Set(["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"]);
const digestMethods: ReadonlySet<string> = new Set(["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512"]);

export const largestToken = 262_144;
/** A person in as many groups as Windows can hold has some thousand values, each with its type. */
const limits = { largest: largestToken, elements: 4000 };

/** Throws `SignInRefusedError` or `XmlError`. */
export function signedAssertion(response: string, keys: readonly KeyObject[]): XmlElement {
  const root = parseXml(response, limits);
  const assertion = assertionIn(root);
  const idAttribute = assertion.namespaceURI === saml1 ? "AssertionID" : "ID";
  const id = assertion.getAttribute(idAttribute) ?? "";
  const signature = signatureIn(root, assertion);
  checkProfile(signature, id);
  for (const key of keys) {
    const text = verified(response, signature, idAttribute, key);
    if (text === undefined) continue;
    const signed = parseXml(text, limits);
    if (!isNamed(signed, assertion.namespaceURI ?? "", "Assertion") || signed.getAttribute(idAttribute) !== id) throw new SignInRefusedError("the signature covers something else");
    return signed;
  }
  throw new SignInRefusedError("the token is signed by none of the issuer's keys");
}

function assertionIn(root: XmlElement): XmlElement {
  const isCollection = isNamed(root, trusts, "RequestSecurityTokenResponseCollection");
  const response = isCollection ? onlyChild(root, trusts, "RequestSecurityTokenResponse") : root;
  if (!isNamed(response, trusts, "RequestSecurityTokenResponse")) throw new SignInRefusedError("the answer is no security token response");
  const token = onlyChild(response, trusts, "RequestedSecurityToken");
  const [assertion, ...others] = allElements(root).filter((element) => /^(?:Encrypted)?Assertion$/.test(element.localName));
  if (assertion === undefined || others.length > 0 || assertion.parentNode !== token || !isNamed(assertion, assertions, "Assertion")) {
    throw new SignInRefusedError("the answer holds not exactly one readable assertion, in its place");
  }
  return assertion;
}

function signatureIn(root: XmlElement, assertion: XmlElement): XmlElement {
  const [signature, ...others] = allElements(root).filter(({ localName }) => localName === "Signature");
  if (signature === undefined) throw new SignInRefusedError("the token is not signed");
  if (others.length > 0 || signature.parentNode !== assertion || signature.namespaceURI !== dsig) throw new SignInRefusedError("the answer holds not exactly one signature, in its place");
  return signature;
}

function checkProfile(signature: XmlElement, id: string): void {
  const isExpected = (found: boolean): void => {
    if (!found) throw new SignInRefusedError("the signature is of a form that is not accepted");
  };
  isExpected(/^[A-Za-z_][\w.-]*$/.test(id));
  isExpected(elementsOf(signature).every((element) => element.namespaceURI === dsig && ["SignedInfo", "SignatureValue", "KeyInfo"].includes(element.localName)));
  onlyChild(signature, dsig, "SignatureValue");
  const info = onlyChild(signature, dsig, "SignedInfo");
  isExpected(elementsOf(info).length === 3);
  const algorithm = (parent: XmlElement, name: string): string => onlyChild(parent, dsig, name).getAttribute("Algorithm") ?? "";
  isExpected(algorithm(info, "CanonicalizationMethod") === exclusive);
  isExpected(signatureMethods.has(algorithm(info, "SignatureMethod")));
  const reference = onlyChild(info, dsig, "Reference");
  isExpected(reference.getAttribute("URI") === `#${id}`);
  isExpected(digestMethods.has(algorithm(reference, "DigestMethod")));
  const transforms = childrenNamed(onlyChild(reference, dsig, "Transforms"), dsig, "Transform").map((transform) => transform.getAttribute("Algorithm"));
  isExpected(transforms.length === 2 && transforms[0] === enveloped && transforms[1] === exclusive);
}

/** The text that the signature covers; undefined: `key` did not sign it. */
function verified(response: string, signature: XmlElement, idAttribute: string, key: KeyObject): string | undefined {
  const publicCert = key.export({ type: "spki", format: "pem" });
  const checker = new SignedXml({ publicCert });
  checker.idAttributes = [idAttribute];
  keepOnly(checker.SignatureAlgorithms, signatureMethods);
  keepOnly(checker.HashAlgorithms, digestMethods);
  keepOnly(checker.CanonicalizationAlgorithms, new Set([enveloped, exclusive]));
  try {
    checker.loadSignature(signature as never);
    // What is signed is small. Whether the assertion is what it says, which the library asks first, costs a hundred times as much: not for everybody, nor for each key.
    const info = onlyChild(signature, dsig, "SignedInfo");
    const value = textOf(onlyChild(signature, dsig, "SignatureValue"));
    const Algorithm = checker.SignatureAlgorithms[onlyChild(info, dsig, "SignatureMethod").getAttribute("Algorithm") ?? ""];
    if (Algorithm === undefined || !new Algorithm().verifySignature(checker.getCanonXml([exclusive], info as never), publicCert, value)) return undefined;
    if (!checker.checkSignature(response)) return undefined;
  } catch {
    // How it fails says nothing that a client or an operator could act on.
    return undefined;
  }
  const [text, ...others] = checker.getSignedReferences();
  return others.length === 0 ? text : undefined;
}

function keepOnly(algorithms: object, names: ReadonlySet<string>): void {
  const table = algorithms as Record<string, unknown>;
  for (const name of Object.keys(table)) if (!names.has(name)) delete table[name];
}
