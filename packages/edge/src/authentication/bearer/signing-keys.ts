/**
 * Public keys that signatures are checked with. What a key may be used for follows from the key, never from the token: an RSA key checks RSA signatures, and no
 * key that anybody can fetch does for HMAC (RFC 8725, 3.1 and 3.2).
 */
import { createPublicKey, createSecretKey, X509Certificate, type JsonWebKeyInput, type KeyObject } from "node:crypto";
import { signatureCheck, type SignatureCheck } from "./check-signature.ts";

export interface SigningKey {
  /** Undefined: goes with any (keys in PEM have no names). */
  readonly kid: string | undefined;
  readonly algorithms: ReadonlySet<string>;
  readonly key: KeyObject;
}

/** What a token says of its key. */
export interface KeyReference {
  readonly algorithm: string;
  readonly kid: string | undefined;
}

export class SigningKeys {
  readonly #byKid = new Map<string, SigningKey[]>();
  readonly #unnamed: SigningKey[] = [];
  readonly #all: readonly SigningKey[];
  /** Heads of tokens are kept and asked for again. */
  readonly #checks = new WeakMap<KeyReference, readonly SignatureCheck[]>();
  /** The same text for the same keys. */
  readonly fingerprint: string;

  constructor(keys: readonly SigningKey[]) {
    this.#all = keys;
    for (const key of keys) {
      if (key.kid === undefined) this.#unnamed.push(key);
      else this.#byKid.set(key.kid, [...(this.#byKid.get(key.kid) ?? []), key]);
    }
    this.fingerprint = keys.map(({ kid, algorithms, key }) => `${kid} ${[...algorithms].join(",")} ${textOf(key)}`).join("\n");
  }

  get size(): number {
    return this.#all.length;
  }

  /** By each of the keys that may have signed a token with this head; empty where none is known. The same list for the same object. */
  checks(head: KeyReference): readonly SignatureCheck[] {
    let checks = this.#checks.get(head);
    if (checks === undefined) this.#checks.set(head, (checks = this.#matching(head)));
    return checks;
  }

  #matching({ algorithm, kid }: KeyReference): readonly SignatureCheck[] {
    const named = kid === undefined ? this.#all : [...(this.#byKid.get(kid) ?? []), ...this.#unnamed];
    return named.filter(({ algorithms }) => algorithms.has(algorithm)).map(({ key }) => signatureCheck(algorithm, key));
  }
}

function textOf(key: KeyObject): string {
  return key.type === "secret" ? key.export().toString("base64") : key.export({ type: "spki", format: "der" }).toString("base64");
}

/** More keys than that no issuer has; each of them might be tried. */
const mostKeys = 100;

/** The keys of a JWKS (RFC 7517, 5) that check signatures; others, unknown kinds among them, are passed over. Throws when there is none. */
export function keysOfJwks(jwks: Readonly<Record<string, unknown>> | undefined): SigningKeys {
  const entries: unknown = jwks?.["keys"];
  if (!Array.isArray(entries)) throw new Error("there is no list of keys");
  if (entries.length > mostKeys) throw new Error(`there are more than ${mostKeys} keys`);
  const keys = entries.flatMap((entry) => keyOfJwk(entry as unknown) ?? []);
  if (keys.length === 0) throw new Error("there is no key that checks signatures");
  return new SigningKeys(keys);
}

function keyOfJwk(entry: unknown): SigningKey | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { kty, use, key_ops: operations, alg, kid } = entry as Readonly<Record<string, unknown>>;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  if (Array.isArray(operations) && !operations.includes("verify")) return undefined;
  // One that is private is no secret any more: nobody knows who signs with it.
  if ("d" in entry) return undefined;
  try {
    return signingKey(createPublicKey({ key: entry, format: "jwk" } as JsonWebKeyInput), typeof kid === "string" ? kid : undefined, typeof alg === "string" ? alg : undefined);
  } catch {
    return undefined;
  }
}

/** The keys in a file: a JWKS, or public keys and certificates in PEM. Throws where there is none, or a private key. */
export function keysOfText(text: string): SigningKeys {
  if (text.trimStart().startsWith("{")) return keysOfJwks(JSON.parse(text) as Record<string, unknown>);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error("it holds a private key: only the issuer has that");
  const blocks = text.match(/-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----[^-]+-----END (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----/g) ?? [];
  const keys = blocks.flatMap((block) => signingKey(block.includes("CERTIFICATE") ? new X509Certificate(block).publicKey : createPublicKey(block)) ?? []);
  if (keys.length === 0) throw new Error("there is no key that checks signatures");
  return new SigningKeys(keys);
}

/** The one key of a shared secret. */
export function keysOfSecret(secret: string): SigningKeys {
  return new SigningKeys([{ kid: undefined, algorithms: new Set(["HS256", "HS384", "HS512"]), key: createSecretKey(Buffer.from(secret)) }]);
}

const rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const curves: ReadonlyMap<string, string> = new Map([["prime256v1", "ES256"], ["secp384r1", "ES384"], ["secp521r1", "ES512"]]);

/** Undefined: the key is too weak or of a kind that is not known. */
function signingKey(key: KeyObject, kid?: string, alg?: string): SigningKey | undefined {
  const possible = algorithmsOf(key).filter((each) => alg === undefined || each === alg);
  return possible.length === 0 ? undefined : { kid, algorithms: new Set(possible), key };
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  switch (asymmetricKeyType) {
    case "rsa":
      // RFC 7518, 3.3
      return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? rsa : [];
    case "rsa-pss":
      return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? ["PS256", "PS384", "PS512"] : [];
    case "ec":
      return [curves.get(asymmetricKeyDetails?.namedCurve ?? "") ?? ""].filter((name) => name !== "");
    case "ed25519":
    case "ed448":
      return ["EdDSA"];
    default:
      return [];
  }
}
