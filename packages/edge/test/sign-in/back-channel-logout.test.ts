import { randomUUID } from "node:crypto";
import { importJWK, SignJWT, type JWK } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { publicOrigin, type TestBrowser } from "./browser.ts";
import { clientId, startIdentityProvider, type IdentityProvider, type Key } from "./identity-provider.ts";
import { openIdConnect, siteWith } from "./schemes.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

const features = { devInteractions: { enabled: false }, revocation: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } };

/** `posted` sees what the provider would post to the gateway: of itself it does not ask loopback addresses. */
async function site(posted: (body: string) => void = () => {}) {
  const provider = await startIdentityProvider({
    redirectUris: [`${publicOrigin}/signin-oidc`],
    signedOutUris: [`${publicOrigin}/`],
    client: { backchannel_logout_uri: `${publicOrigin}/ended`, backchannel_logout_session_required: true },
    more: {
      features,
      fetch: async (_url, options) => {
        posted(String(options?.body));
        return new Response();
      },
    },
  });
  open.push(provider);
  return { provider, ...siteWith(openIdConnect(provider.issuer, { backChannelLogoutPath: "/ended", frontChannelLogoutPath: "/ended-there", logoutPath: "/logout", saveTokens: true, mapClaims: { session: "sid" } })) };
}

const logout = { "http://schemas.openid.net/event/backchannel-logout": {} };

async function logoutToken({ issuer, key }: { readonly issuer: string; readonly key: Key }, claims: Readonly<Record<string, unknown>>, head: { readonly typ?: string } = { typ: "logout+jwt" }): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: clientId, iat: now, exp: now + 120, jti: randomUUID(), events: logout, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "RS256", kid: (key as JWK).kid ?? "", ...head }).sign(await importJWK(key as JWK, "RS256"));
}

describe("a provider whose page has the browser end the session", () => {
  it("ends the one that it names, copies of it too, and no other", async () => {
    const { browser, provider } = await site();
    const [mine, other] = [browser(), browser()];
    for (const each of [mine, other]) await each.open("/");
    const sid = (each: TestBrowser): Promise<string> => each.ask(new URL("/", publicOrigin)).then(({ text }) => (JSON.parse(text) as { readonly claims: { readonly session: readonly [string] } }).claims.session[0]);
    const [own, others] = [await sid(mine), await sid(other)];
    expect([own.length > 10, own === others]).toEqual([true, false]);
    const frame = async (query: Readonly<Record<string, string>> | string): Promise<number> =>
      (await mine.ask(new URL(`/ended-there?${new URLSearchParams(query)}`, publicOrigin), { headers: { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe" } })).status;
    for (const query of [{}, { iss: provider.issuer }, { iss: provider.issuer, sid: others }, { iss: "https://evil.test", sid: own }, { sid: "" }, `sid=${own}&sid=${own}`, `iss=${provider.issuer}&iss=${provider.issuer}&sid=${own}`]) {
      expect(await frame(query)).toBe(400);
    }
    expect((await mine.ask(new URL("/ended-there", publicOrigin), { method: "POST", form: { iss: provider.issuer, sid: own } })).status).toBe(405);
    const copy = browser();
    copy.cookies.set("__Host-session", mine.cookies.get("__Host-session") ?? "");
    expect(await frame({ iss: provider.issuer, sid: own })).toBe(200);
    expect(mine.cookies.has("__Host-session")).toBe(false);
    expect([(await copy.ask(new URL("/", publicOrigin))).status, (await other.ask(new URL("/", publicOrigin))).status]).toEqual([302, 200]);
    // Without a session there is nothing to end.
    expect(await frame({ iss: provider.issuer, sid: own })).toBe(200);
  });
});

describe("a provider that says that a session ended", () => {
  it("ends it here: the one, and no other of the user", async () => {
    const posted: string[] = [];
    const { browser, provider } = await site((body) => posted.push(body));
    const [here, there] = [browser(), browser()];
    for (const each of [here, there]) expect((await each.open("/")).status).toBe(200);
    const copy = here.cookies.get("__Host-session") ?? "";
    // At the provider: its own page is confirmed there.
    const out = await here.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: { "Sec-Fetch-Site": "same-origin" } });
    const page = await here.ask(new URL(out.header("location") ?? ""));
    const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    await here.ask(new URL(action), { method: "POST", form: { xsrf, logout: "yes" } });
    await vi.waitFor(() => expect(posted.length).toBe(1), 15_000);
    // Another gateway, which does not know of the sign-out.
    const other = siteWith(openIdConnect(provider.issuer, { backChannelLogoutPath: "/ended" }));
    const thief = other.browser();
    thief.cookies.set("__Host-session", copy);
    expect((await thief.ask(new URL("/", publicOrigin))).status).toBe(200);
    const told = await other.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: Object.fromEntries(new URLSearchParams(posted[0])) });
    expect([told.status, told.header("cache-control")]).toEqual([200, "no-store"]);
    expect((await thief.ask(new URL("/", publicOrigin))).status).toBe(302);
    expect((await there.ask(new URL("/", publicOrigin))).status).toBe(200);
  });

  it("may name the user alone: all sessions until now end, and those that come later do not", async () => {
    const { browser, provider, clock } = await site();
    const [one, two, bob] = [browser(), browser(), browser()];
    for (const each of [one, two]) await each.open("/");
    provider.user = "bob";
    await bob.open("/");
    clock.ahead = 10;
    const told = await browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: await logoutToken(provider, { sub: "alice" }) } });
    expect(told.status).toBe(200);
    const status = async (each: typeof one): Promise<number> => (await each.ask(new URL("/", publicOrigin))).status;
    expect([await status(one), await status(two), await status(bob)]).toEqual([302, 302, 200]);
    provider.user = "alice";
    clock.ahead = 1000;
    const again = browser();
    await again.open("/");
    expect([await status(again), await status(one)]).toEqual([200, 302]);
  });

  it("is not anybody: tokens that are not good end nothing", async () => {
    const { browser, provider } = await site();
    const mine = browser();
    await mine.open("/");
    const other = await startIdentityProvider({ redirectUris: [`${publicOrigin}/signin-oidc`] });
    open.push(other);
    other.rotateKeys();
    const good: Readonly<Record<string, unknown>> = { sub: "alice" };
    const post = async (token: string): Promise<number> => (await mine.ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: token } })).status;
    const forged: IdentityProvider["key"] = { ...other.key, kid: (provider.key as JWK).kid } as Key;
    const idToken = { sub: "alice", events: undefined, nonce: "n" };
    for (const token of [
      "", "a.b.c",
      await logoutToken({ issuer: provider.issuer, key: forged }, good),
      await logoutToken(provider, { ...good, iss: other.issuer }),
      await logoutToken(provider, { ...good, aud: "another" }),
      await logoutToken(provider, { ...good, exp: Math.floor(Date.now() / 1000) - 120 }),
      await logoutToken(provider, { ...good, events: {} }),
      await logoutToken(provider, { ...good, nonce: "n" }),
      await logoutToken(provider, { ...good, jti: undefined }),
      await logoutToken(provider, {}),
      await logoutToken(provider, good, { typ: "at+jwt" }),
      await logoutToken(provider, idToken, { typ: "JWT" }),
    ]) {
      expect(await post(token)).toBe(400);
    }
    expect((await mine.ask(new URL("/ended", publicOrigin), { method: "POST", form: {} })).status).toBe(400);
    expect((await mine.ask(new URL("/ended", publicOrigin))).status).toBe(405);
    expect((await mine.ask(new URL("/", publicOrigin))).status).toBe(200);
    const once = await logoutToken(provider, good);
    expect([await post(once), await post(once)]).toEqual([200, 400]);
  });
});
