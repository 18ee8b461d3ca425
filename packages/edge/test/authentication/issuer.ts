/** An identity provider without a connection: keys that rotate, and answers that can fail. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from "jose";

export const issuer = "https://login.example";
export const audience = "api";

export class Issuer {
  /** What is published, in order. */
  keys: JWK[] = [];
  /** Addresses that were asked. */
  readonly asked: string[] = [];
  /** Answers in the place of the real one; undefined: that. */
  answer: ((url: string) => Response | Promise<Response>) | undefined;
  /** What discovery says beside the defaults. */
  metadata: Record<string, unknown> = {};
  readonly #private = new Map<string, CryptoKey>();

  /** Adds a key and publishes it. */
  async addKey(kid: string, alg = "RS256", published: Partial<JWK> = {}): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.#private.set(kid, privateKey);
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: "sig", ...published });
  }

  privateKey(kid: string): CryptoKey {
    const key = this.#private.get(kid);
    if (key === undefined) throw new Error(`no key ${kid}`);
    return key;
  }

  /** A token of `kid`; `claims` and `head` come on top of good ones, undefined takes one out. */
  async token(kid: string, now: number, claims: Record<string, unknown> = {}, head: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const seconds = Math.floor(now / 1000);
    const payload = Object.fromEntries(
      Object.entries({ iss: issuer, aud: audience, sub: "ann", iat: seconds, exp: seconds + 3600, ...claims }).filter(([, value]) => value !== undefined),
    );
    const alg = this.keys.find((key) => key.kid === kid)?.alg ?? "RS256";
    const header = Object.fromEntries(Object.entries({ alg, kid, typ: "JWT", ...head }).filter(([, value]) => value !== undefined));
    return new SignJWT(payload).setProtectedHeader(header as JWTHeaderParameters).sign(this.privateKey(kid), { crit: Object.fromEntries((header["crit"] as string[] | undefined ?? []).map((name) => [name, true])) });
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const url = String(input);
    this.asked.push(url);
    if (this.answer !== undefined) {
      const answer = await this.answer(url);
      init?.signal?.throwIfAborted();
      return answer;
    }
    init?.signal?.throwIfAborted();
    if (url === `${issuer}/.well-known/openid-configuration`) return Response.json({ issuer, jwks_uri: `${issuer}/jwks`, ...this.metadata });
    if (url === `${issuer}/jwks`) return Response.json({ keys: this.keys });
    return new Response(null, { status: 404 });
  };
}
