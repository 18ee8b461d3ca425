/** Signed tokens (JWT) for the shapes whose proxy checks them: one key for each algorithm, made with each run. */
import { generateKeyPairSync, sign } from "node:crypto";

export type TokenAlgorithm = "RS256" | "ES256";

const keys = {
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
};

export const issuer = "https://login.example";
export const audience = "bench";

/** What the issuer publishes. */
export const jwks = { keys: (Object.keys(keys) as TokenAlgorithm[]).map((alg) => ({ ...keys[alg].publicKey.export({ format: "jwk" }), kid: alg, alg, use: "sig" })) };

/** With the claims that access tokens have, good for a day: some 500 bytes. */
export function token(alg: TokenAlgorithm): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer, aud: audience, sub: "0f3ec1a5-7b51-4c1b-9f0e-5d9a3c1b7e42", iat: now, exp: now + 86_400, jti: "9d1a3c",
    client_id: "spa", scope: "openid profile orders.read orders.write", roles: ["staff", "editor"], email: "ann@example.org",
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg, kid: alg, typ: "at+jwt" })}.${encode(claims)}`;
  const { privateKey } = keys[alg];
  return `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
