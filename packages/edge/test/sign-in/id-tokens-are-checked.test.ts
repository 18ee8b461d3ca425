/** What a provider, or somebody who passes for it, says of who signed in. */
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import type { OpenIdConnectConfig } from "@proxy/config";
import { OpenIdConnectProtocol } from "../../src/sign-in/open-id-connect.ts";
import { RemoteScheme } from "../../src/sign-in/remote-scheme.ts";
import { publicOrigin } from "./browser.ts";
import { siteWith } from "./schemes.ts";

const issuer = "https://login.test";
const callback = `${publicOrigin}/signin-oidc`;
const [signing, other] = [await generateKeyPair("RS256"), await generateKeyPair("RS256")];
const publicKey = { ...(await exportJWK(signing.publicKey)), kid: "k", use: "sig", alg: "RS256" };
const clientSecret = "a secret of the gateway that is long enough for HS256";
const now = (): number => Math.floor(Date.now() / 1000);

/** What makes the ID token of a sign-in with `nonce`. */
type MakeToken = (nonce: string, claims: JWTPayload) => Promise<string> | string;

const signed: MakeToken = (_nonce, claims) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k" }).sign(signing.privateKey);
const withClaims = (change: Readonly<Record<string, unknown>>): MakeToken => (nonce, claims) => signed(nonce, { ...claims, ...change } as JWTPayload);

interface Answers {
  readonly config?: Partial<OpenIdConnectConfig>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Of the token endpoint, beside the ID token. */
  readonly tokens?: Readonly<Record<string, unknown>>;
  readonly refreshed?: MakeToken;
  readonly userInfo?: unknown;
}

function site(idToken: MakeToken, { config = {}, metadata = {}, tokens = {}, refreshed, userInfo }: Answers = {}) {
  const nonces = { last: "" };
  const claims = (): JWTPayload => ({ iss: issuer, aud: "gateway", sub: "alice", iat: now(), exp: now() + 300, nonce: nonces.last });
  const ask = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, origin } = new URL(url instanceof Request ? url.url : url);
    if (origin !== issuer) throw new Error(`nobody is to be asked at ${origin}`);
    if (pathname === "/.well-known/openid-configuration") {
      return Response.json({
        issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/me`,
        response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256", "HS256", "none"], ...metadata,
      });
    }
    if (pathname === "/jwks") return Response.json({ keys: [publicKey] });
    if (pathname === "/me") return Response.json(userInfo);
    const isRefresh = new URLSearchParams(String(init?.body)).get("grant_type") === "refresh_token";
    const token = isRefresh ? await refreshed?.("", { ...claims(), nonce: undefined }) : await idToken(nonces.last, claims());
    return Response.json({ access_token: randomUUID(), token_type: "Bearer", ...tokens, ...(token === undefined ? {} : { id_token: token }) });
  };
  const made = siteWith((services) => {
    const all: OpenIdConnectConfig = { authority: issuer, clientId: "gateway", clientSecret, publicOrigin, ...config };
    const asking = { ...services, fetch: ask as typeof fetch };
    return new RemoteScheme("oidc", all, { protocol: new OpenIdConnectProtocol("oidc", all, asking), services: asking });
  });
  return {
    ...made,
    async signIn() {
      const browser = made.browser();
      const sent = new URL((await browser.openUntil("/", (to) => to.origin === issuer)).url).searchParams;
      nonces.last = sent.get("nonce") ?? "";
      const page = await browser.ask(new URL(`${callback}?code=c&state=${sent.get("state")}`));
      return { browser, status: page.status, isSignedIn: browser.cookies.has("__Host-session") };
    },
  };
}

describe("an ID token", () => {
  it("signs in when it is all that it should be", async () => {
    const made = site(signed);
    const { status, isSignedIn, browser } = await made.signIn();
    expect([status, isSignedIn, JSON.parse((await browser.open("/")).text).name]).toEqual([302, true, "alice"]);
    expect((await site(withClaims({ aud: ["gateway", "more"], azp: "gateway" })).signIn()).isSignedIn).toBe(true);
  });

  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const hmac = (key: string | Uint8Array): MakeToken => (_nonce, claims) => new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k" }).sign(typeof key === "string" ? Buffer.from(key) : key);
  it.each<readonly [string, MakeToken]>([
    ["has the nonce of another sign-in", withClaims({ nonce: "another" })],
    ["has no nonce", withClaims({ nonce: undefined })],
    ["has an empty nonce", withClaims({ nonce: "" })],
    ["is of another issuer", withClaims({ iss: "https://evil.test" })],
    ["is of nearly the same issuer", withClaims({ iss: `${issuer}/` })],
    ["is for somebody else", withClaims({ aud: "another" })],
    ["is for several, and not for the gateway first of all", withClaims({ aud: ["gateway", "another"], azp: "another" })],
    ["has expired", withClaims({ exp: now() - 120 })],
    ["has no end", withClaims({ exp: undefined })],
    ["is of the future", withClaims({ nbf: now() + 600 })],
    ["has no subject", withClaims({ sub: undefined })],
    ["has an empty subject", withClaims({ sub: "" })],
    ["is not signed", (_nonce, claims) => `${encoded({ alg: "none" })}.${encoded(claims)}.`],
    ["says that it is not signed, and is", async (_nonce, claims) => `${encoded({ alg: "none" })}.${encoded(claims)}.${(await signed("", claims)).split(".")[2]}`],
    ["is signed by another key under the same name", (_nonce, claims) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k" }).sign(other.privateKey)],
    ["brings its key along", async (_nonce, claims) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", jwk: await exportJWK(other.publicKey) }).sign(other.privateKey)],
    ["is signed with the public key as a secret", hmac(JSON.stringify(publicKey))],
    ["is signed with the gateway's secret", hmac(clientSecret)],
    ["was changed after it was signed", async (nonce, claims) => {
      const [head, , signature] = (await signed(nonce, claims)).split(".");
      return `${head}.${encoded({ ...claims, sub: "root" })}.${signature}`;
    }],
    ["is none", () => "no.token"],
  ])("signs nobody in that %s", async (_what, make) => {
    const made = site(make);
    const { status, isSignedIn } = await made.signIn();
    expect([status, isSignedIn, made.log.named("sign-in-failed").length]).toEqual([400, false, 1]);
  });

  it("has to be there", async () => {
    const made = site(() => undefined as unknown as string);
    expect(await made.signIn()).toMatchObject({ status: 400, isSignedIn: false });
  });
});

describe("what the provider says elsewhere", () => {
  it("has to be of the same person: user information", async () => {
    const config = { claimsFromUserInfo: true };
    expect(await site(signed, { config, userInfo: { sub: "alice", role: "admin" } }).signIn()).toMatchObject({ isSignedIn: true });
    for (const userInfo of [{ sub: "root", role: "admin" }, { role: "admin" }, []]) expect(await site(signed, { config, userInfo }).signIn()).toMatchObject({ status: 400, isSignedIn: false });
    // What was signed is not overwritten by what was not.
    const { browser } = await site(withClaims({ role: "guest" }), { config, userInfo: { sub: "alice", role: "admin" } }).signIn();
    expect(JSON.parse((await browser.open("/")).text).claims.role).toEqual(["guest"]);
  });

  it("has to be of the same person: refreshed tokens", async () => {
    const answers = (refreshed: MakeToken): Answers => ({ config: { saveTokens: true }, tokens: { expires_in: 600, refresh_token: "r" }, refreshed });
    for (const [refreshed, status] of [[signed, 200], [withClaims({ sub: "root" }), 302], [withClaims({ iss: "https://evil.test" }), 302], [withClaims({ aud: "another" }), 302]] as const) {
      const made = site(signed, answers(refreshed));
      const { browser } = await made.signIn();
      made.clock.ahead = 590_000;
      expect((await browser.ask(new URL("/", publicOrigin))).status).toBe(status);
    }
  });

  it("may name a session that it never named before: it is the browser's", async () => {
    const made = site(signed, { config: { frontChannelLogoutPath: "/gone" } });
    for (const [query, isOver] of [["iss=https%3A%2F%2Fevil.test&sid=s", false], ["sid=a&sid=b", false], [`iss=${encodeURIComponent(issuer)}&sid=s`, true]] as const) {
      const { browser } = await made.signIn();
      expect((await browser.ask(new URL(`/gone?${query}`, publicOrigin))).status).toBe(isOver ? 200 : 400);
      expect(browser.cookies.has("__Host-session")).toBe(!isOver);
    }
  });

  it("may be that another issuer is at its address: nobody signs in there", async () => {
    const made = site(signed, { metadata: { issuer: "https://evil.test" } });
    expect((await made.browser().open("/")).status).toBe(503);
  });
});
