/** What a session says of its user, and its form in the cookie: JSON, sealed by `SealedText`. */
import { randomBytes } from "node:crypto";

export type ClaimValue = string | number | boolean | null | readonly ClaimValue[] | { readonly [name: string]: ClaimValue };

export interface SessionTokens {
  readonly accessToken?: string | undefined;
  readonly refreshToken?: string | undefined;
  readonly idToken?: string | undefined;
  /** When the access token ends, in milliseconds since 1970; undefined: unknown. */
  readonly expiresAt?: number | undefined;
}

export interface Session {
  /** Random, the same as long as the session lasts. */
  readonly id: string;
  /** The scheme that signed the user in. */
  readonly scheme: string;
  /** The same text for the same person and no other's, within `scheme`. */
  readonly user: string;
  readonly claims: Readonly<Record<string, ClaimValue>>;
  /** Milliseconds since 1970. */
  readonly signedInAt: number;
  /** When the cookie was written, in milliseconds since 1970. */
  readonly renewedAt: number;
  /** Who the user is to the other party, and which session there; undefined where it does not say. */
  readonly subject?: string | undefined;
  readonly remoteSession?: string | undefined;
  /** Undefined where none are kept. */
  readonly tokens?: SessionTokens | undefined;
}

/** A session that begins now. */
export function newSession(content: Pick<Session, "scheme" | "user" | "claims" | "tokens" | "subject" | "remoteSession">, now: number): Session {
  return { ...content, id: randomBytes(16).toString("base64url"), signedInAt: now, renewedAt: now };
}

const version = 1;

export function encodeSession({ id, scheme, user, claims, signedInAt, renewedAt, subject, remoteSession, tokens }: Session): string {
  return JSON.stringify([version, id, scheme, user, claims, signedInAt, renewedAt, subject, remoteSession, tokens === undefined ? null : [tokens.accessToken, tokens.refreshToken, tokens.idToken, tokens.expiresAt]]);
}

/** Undefined for what is none of this version: gateways of other versions may share the keys. */
export function decodeSession(text: string): Session | undefined {
  const parts: unknown = JSON.parse(text);
  if (!Array.isArray(parts) || parts.length !== 10 || parts[0] !== version) return undefined;
  const [, id, scheme, user, claims, signedInAt, renewedAt, subject, remoteSession, tokens] = parts as readonly unknown[];
  if (typeof id !== "string" || typeof scheme !== "string" || typeof user !== "string" || user === "") return undefined;
  if (typeof claims !== "object" || claims === null || !Number.isFinite(signedInAt) || !Number.isFinite(renewedAt)) return undefined;
  return {
    id, scheme, user, claims: claims as Session["claims"], signedInAt: signedInAt as number, renewedAt: renewedAt as number,
    subject: textOf(subject), remoteSession: textOf(remoteSession),
    tokens: Array.isArray(tokens) ? tokensOf(tokens) : undefined,
  };
}

function tokensOf([accessToken, refreshToken, idToken, expiresAt]: readonly unknown[]): SessionTokens {
  return { accessToken: textOf(accessToken), refreshToken: textOf(refreshToken), idToken: textOf(idToken), expiresAt: typeof expiresAt === "number" ? expiresAt : undefined };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
