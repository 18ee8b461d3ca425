/** What an assertion that was signed says (SAML 1.1 and 2.0), and whether it is for us and now. */
import type { ClaimValue } from "../../session/session.ts";
import { SignInRefusedError } from "../sign-in-errors.ts";
import { saml1 } from "./signed-assertion.ts";
import { childrenNamed, elementsOf, onlyChild, textOf, type XmlElement } from "./xml.ts";

export interface AssertionRules {
  readonly issuer: string;
  /** Whom the token has to be for. */
  readonly realm: string;
  /** Where it has to be sent, where it says that. */
  readonly recipient: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds. */
  readonly clockSkew: number;
}

export interface AssertionClaims {
  readonly id: string;
  /** Milliseconds since 1970 from which on the assertion is good no more. */
  readonly until: number;
  readonly user: string | undefined;
  /** By the full name of the claim. */
  readonly claims: Readonly<Record<string, ClaimValue>>;
}

const bearer: ReadonlySet<string> = new Set(["urn:oasis:names:tc:SAML:1.0:cm:bearer", "urn:oasis:names:tc:SAML:2.0:cm:bearer"]);

/** Throws `SignInRefusedError` for an assertion that is not for us, not now, or not of that issuer. */
export function assertionClaims(assertion: XmlElement, rules: AssertionRules): AssertionClaims {
  return assertion.namespaceURI === saml1 ? claims1(assertion, rules) : claims2(assertion, rules);
}

function claims1(assertion: XmlElement, rules: AssertionRules): AssertionClaims {
  const ns = saml1;
  checkIssuer(assertion.getAttribute("Issuer"), rules);
  const until = checkConditions(assertion, "AudienceRestrictionCondition", rules);
  const statements = elementsOf(assertion).filter(({ localName, namespaceURI }) => namespaceURI === ns && localName.endsWith("Statement"));
  const subjects = statements.flatMap((statement) => childrenNamed(statement, ns, "Subject"));
  const names = new Set(subjects.flatMap((subject) => childrenNamed(subject, ns, "NameIdentifier")).map(textOf));
  if (names.size > 1) throw new SignInRefusedError("the token speaks of more than one subject");
  for (const subject of subjects) {
    const confirmations = childrenNamed(subject, ns, "SubjectConfirmation");
    checkConfirmed(confirmations.flatMap((confirmation) => childrenNamed(confirmation, ns, "ConfirmationMethod")).map(textOf));
  }
  const attributes = statements.flatMap((statement) => childrenNamed(statement, ns, "Attribute"));
  const named = attributes.map((attribute) => [`${attribute.getAttribute("AttributeNamespace") ?? ""}/${attribute.getAttribute("AttributeName") ?? ""}`, valuesOf(attribute)] as const);
  return { id: assertion.getAttribute("AssertionID") ?? "", until, user: [...names][0], claims: gathered(named) };
}

function claims2(assertion: XmlElement, rules: AssertionRules): AssertionClaims {
  const ns = assertion.namespaceURI ?? "";
  checkIssuer(textOf(onlyChild(assertion, ns, "Issuer")), rules);
  const until = checkConditions(assertion, "AudienceRestriction", rules);
  const subject = onlyChild(assertion, ns, "Subject");
  const confirmations = childrenNamed(subject, ns, "SubjectConfirmation");
  checkConfirmed(confirmations.filter((confirmation) => isConfirmedNow(confirmation, rules)).map((confirmation) => confirmation.getAttribute("Method") ?? ""));
  const [name] = childrenNamed(subject, ns, "NameID");
  const attributes = childrenNamed(assertion, ns, "AttributeStatement").flatMap((statement) => childrenNamed(statement, ns, "Attribute"));
  const named = attributes.map((attribute) => [attribute.getAttribute("Name") ?? "", valuesOf(attribute)] as const);
  return { id: assertion.getAttribute("ID") ?? "", until, user: name === undefined ? undefined : textOf(name), claims: gathered(named) };
}

function checkIssuer(issuer: string | null, rules: AssertionRules): void {
  if (issuer !== rules.issuer) throw new SignInRefusedError("the token is of another issuer");
}

/** Gives the end. A token without one, or without audience, would be good for ever, or for anybody. */
function checkConditions(assertion: XmlElement, restriction: string, { realm, now, clockSkew }: AssertionRules): number {
  const ns = assertion.namespaceURI ?? "";
  const conditions = onlyChild(assertion, ns, "Conditions");
  const from = conditions.hasAttribute("NotBefore") ? instant(conditions.getAttribute("NotBefore")) : 0;
  const until = instant(conditions.getAttribute("NotOnOrAfter"));
  if (now + clockSkew < from) throw new SignInRefusedError("the token is not good yet");
  if (now - clockSkew >= until) throw new SignInRefusedError("the token has expired");
  const restrictions = childrenNamed(conditions, ns, restriction);
  const isForUs = restrictions.length > 0 && restrictions.every((each) => childrenNamed(each, ns, "Audience").map(textOf).includes(realm));
  if (!isForUs) throw new SignInRefusedError("the token is for somebody else");
  return until + clockSkew;
}

function checkConfirmed(methods: readonly string[]): void {
  if (!methods.some((method) => bearer.has(method))) throw new SignInRefusedError("the token is not for whoever bears it");
}

function isConfirmedNow(confirmation: XmlElement, { recipient, now, clockSkew }: AssertionRules): boolean {
  return childrenNamed(confirmation, confirmation.namespaceURI ?? "", "SubjectConfirmationData").every((data) => {
    if (data.hasAttribute("Recipient") && data.getAttribute("Recipient") !== recipient) return false;
    if (data.hasAttribute("NotBefore") && now + clockSkew < instant(data.getAttribute("NotBefore"))) return false;
    return !data.hasAttribute("NotOnOrAfter") || now - clockSkew < instant(data.getAttribute("NotOnOrAfter"));
  });
}

/** Of XML Schema's dateTime those in UTC, which SAML wants (Core 2.0, 1.3.3). */
function instant(text: string | null): number {
  const time = text !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new SignInRefusedError("the token has no end, or a time that is none");
  return time;
}

function valuesOf(attribute: XmlElement): readonly string[] {
  return childrenNamed(attribute, attribute.namespaceURI ?? "", "AttributeValue").filter((value) => elementsOf(value).length === 0).map(textOf);
}

function gathered(attributes: readonly (readonly [name: string, values: readonly string[]])[]): Readonly<Record<string, ClaimValue>> {
  const all = new Map<string, readonly string[]>();
  for (const [name, values] of attributes) all.set(name, [...(all.get(name) ?? []), ...values]);
  const claims: Record<string, ClaimValue> = Object.create(null) as Record<string, ClaimValue>;
  for (const [name, values] of all) claims[name] = values.length === 1 ? (values[0] as string) : values;
  return claims;
}
