import { afterEach, describe, expect, it, vi } from "vitest";
import { HeaderList } from "@proxy/http";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange } from "../../../pipeline/test/support/fake-exchange.ts";
import { publicOrigin, TestBrowser } from "./browser.ts";
import { startIdentityProvider, type IdentityProvider, type IdentityProviderOptions } from "./identity-provider.ts";
import { openIdConnect, siteWith } from "./schemes.ts";
import type { CookieSessionConfig, OpenIdConnectConfig } from "@proxy/config";

const callback = `${publicOrigin}/signin-oidc`;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

async function provided(options: Partial<IdentityProviderOptions> = {}): Promise<IdentityProvider> {
  const provider = await startIdentityProvider({ redirectUris: [callback], signedOutUris: [`${publicOrigin}/`, `${publicOrigin}/bye`], ...options });
  open.push(provider);
  return provider;
}

async function site(config: Partial<OpenIdConnectConfig> = {}, options: Partial<IdentityProviderOptions> = {}, cookie: CookieSessionConfig = {}) {
  const provider = await provided(options);
  return { provider, ...siteWith(openIdConnect(provider.issuer, config), cookie) };
}

const toCallback = (url: URL): boolean => url.href.startsWith(callback);
const who = (text: string): { readonly name: string; readonly claims: Record<string, string[]>; readonly accessToken?: string; readonly cookie?: string } => JSON.parse(text) as never;

describe("a navigation without a session", () => {
  it("signs in and arrives where it was going", async () => {
    const { browser, provider } = await site();
    const mine = browser();
    const page = await mine.open("/orders/7?page=2");
    expect([page.status, page.url]).toEqual([200, `${publicOrigin}/orders/7?page=2`]);
    expect(who(page.text)).toMatchObject({ name: "alice", claims: { sub: ["alice"], name: ["alice of the test"], groups: ["staff", "dev"] } });
    expect(Object.keys(who(page.text).claims)).not.toContain("nonce");
    expect([...mine.cookies.keys()]).toEqual(["__Host-session"]);
    const asked = provider.asked.length;
    expect((await mine.open("/")).status).toBe(200);
    expect(provider.asked.length).toBe(asked);
  });

  it("is sent with PKCE, state and nonce, and without tokens in any address", async () => {
    const { browser } = await site();
    const { url } = await browser().openUntil("/", (to) => to.pathname === "/auth");
    const sent = Object.fromEntries(new URL(url).searchParams);
    expect(sent).toMatchObject({ response_type: "code", code_challenge_method: "S256", redirect_uri: callback, scope: "openid profile" });
    for (const name of ["state", "nonce", "code_challenge"]) expect(sent[name]?.length).toBe(43);
  });

  it("takes the answer as a form too", async () => {
    const { browser } = await site({ responseMode: "FormPost" });
    const page = await browser().open("/a");
    expect([page.status, page.url, who(page.text).name]).toEqual([200, `${publicOrigin}/a`, "alice"]);
  });

  it("goes on from a page where the session's cookie is SameSite Strict", async () => {
    const { browser } = await site({}, {}, { sameSite: "Strict" });
    const page = await browser().open("/a?b=<c>");
    expect(page.header("content-type")).toBe("text/html; charset=utf-8");
    expect(page.text).toContain('content="0;url=/a?b=');
  });

  it("in several tabs at once signs each of them in", async () => {
    const { browser } = await site();
    const mine = browser();
    const tabs = [];
    for (const path of ["/one", "/two", "/three"]) tabs.push(await mine.openUntil(path, toCallback));
    expect([...mine.cookies.keys()].filter((name) => name.startsWith("__Host-signin.")).length).toBe(3);
    for (const [index, path] of ["/one", "/two", "/three"].entries()) expect((await mine.ask(new URL(tabs[index]?.url ?? ""))).header("location")).toBe(path);
    expect([...mine.cookies.keys()]).toEqual(["__Host-session"]);
  });

  it("begun again and again leaves no more than a few cookies", async () => {
    const { browser, clock } = await site();
    const mine = browser();
    for (let count = 0; count < 12; count++) {
      clock.ahead += 1000;
      await mine.openUntil("/", (to) => to.pathname === "/auth");
    }
    expect(mine.cookies.size).toBe(4);
    expect((await mine.open("/last")).status).toBe(200);
  });
});

describe("others without a session", () => {
  it("are told 401: scripts, frames, prefetches, other methods, those that want no page", async () => {
    const { schemes } = await site();
    const mine = new TestBrowser((await import("./browser.ts")).siteOf(schemes));
    for (const headers of [{ "Sec-Fetch-Mode": "cors" }, { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" }, { "Sec-Purpose": "prefetch" }, { Accept: "application/json" }, { "X-Requested-With": "XMLHttpRequest" }]) {
      const page = await mine.ask(new URL("/", publicOrigin), { headers });
      expect([page.status, page.header("www-authenticate"), page.header("set-cookie")]).toEqual([401, 'Cookie realm="oidc"', undefined]);
    }
    expect((await mine.ask(new URL("/", publicOrigin), { method: "POST", form: { a: "b" } })).status).toBe(401);
    expect((await mine.ask(new URL("/", publicOrigin), { headers: { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" } })).status).toBe(302);
  });

  it("may begin a sign-in at the login path, which leads back into the site alone", async () => {
    const { browser } = await site({ loginPath: "/login" });
    expect((await browser().open("/login?returnUrl=%2Forders%3Fa%3D1%23top")).url).toBe(`${publicOrigin}/orders?a=1#top`);
    for (const evil of ["https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "/\n/evil.test", "javascript:alert(1)", "\\\\evil.test", "/%0a/../..//evil.test\u0000", ` //evil.test`, "evil.test", `/${"a".repeat(5000)}`]) {
      const page = await browser().open(`/login?returnUrl=${encodeURIComponent(evil)}`);
      expect([page.status, page.url], evil).toEqual([200, `${publicOrigin}/`]);
    }
    expect((await browser().open("/login")).url).toBe(`${publicOrigin}/`);
  });
});

describe("an answer to a sign-in", () => {
  it("is taken once", async () => {
    const { browser, log } = await site();
    const mine = browser();
    const { url } = await mine.openUntil("/", toCallback);
    const kept = new Map(mine.cookies);
    expect((await mine.ask(new URL(url))).status).toBe(302);
    const session = mine.cookies.get("__Host-session");
    expect((await mine.ask(new URL(url))).status).toBe(400);
    // Also by a browser that kept the cookie of the sign-in.
    for (const [name, value] of kept) mine.cookies.set(name, value);
    expect((await mine.ask(new URL(url))).status).toBe(400);
    expect(mine.cookies.get("__Host-session")).toBe(session);
    expect(log.named("sign-in-failed").length).toBe(2);
  });

  it("signs in only the browser that asked (login CSRF)", async () => {
    const { browser } = await site();
    const { url } = await browser().openUntil("/", toCallback);
    const victim = browser();
    expect((await victim.ask(new URL(url))).status).toBe(400);
    await victim.openUntil("/", toCallback);
    expect((await victim.ask(new URL(url))).status).toBe(400);
    expect([...victim.cookies.keys()]).not.toContain("__Host-session");
  });

  it("with the code of another sign-in gets nothing (code injection)", async () => {
    const { browser, provider } = await site();
    const stolen = new URL((await browser().openUntil("/", toCallback)).url).searchParams.get("code") ?? "";
    provider.user = "mallory";
    const mine = browser();
    const url = new URL((await mine.openUntil("/", toCallback)).url);
    url.searchParams.set("code", stolen);
    expect((await mine.ask(url)).status).toBe(400);
    expect([...mine.cookies.keys()]).toEqual([]);
  });

  it("of another issuer is refused (mix-up), and one that does not say", async () => {
    const { browser } = await site();
    for (const change of [(to: URL) => to.searchParams.set("iss", "https://evil.test"), (to: URL) => to.searchParams.delete("iss"), (to: URL) => to.searchParams.append("iss", "https://evil.test")]) {
      const mine = browser();
      const url = new URL((await mine.openUntil("/", toCallback)).url);
      change(url);
      expect((await mine.ask(url)).status).toBe(400);
    }
  });

  it("that was begun by another scheme is refused", async () => {
    const provider = await provided();
    const one = siteWith(openIdConnect(provider.issuer)).browser();
    const { url } = await one.openUntil("/", toCallback);
    const other = siteWith(openIdConnect(provider.issuer, { callbackPath: "/signin-oidc" }, "other")).browser();
    for (const [name, value] of one.cookies) other.cookies.set(name, value);
    expect((await other.ask(new URL(url))).status).toBe(400);
    expect((await one.ask(new URL(url))).status).toBe(302);
  });

  it("comes too late after its time", async () => {
    const { browser, clock } = await site();
    const mine = browser();
    const { url } = await mine.openUntil("/", toCallback);
    clock.ahead = 15 * 60_000;
    expect((await mine.ask(new URL(url))).status).toBe(400);
  });

  it("is refused without state, with two, with a strange one, and by another method", async () => {
    const { browser } = await site();
    for (const query of ["", "?state=", "?state=a", `?state=${"a".repeat(43)}`, `?state=${"a".repeat(43)}&state=${"a".repeat(43)}`, `?code=a&state=${"é".repeat(43)}`, "?error=access_denied"]) {
      expect((await browser().ask(new URL(callback + query))).status, query).toBe(400);
    }
    expect((await browser().ask(new URL(callback), { method: "POST", form: { state: "a" } })).status).toBe(405);
  });

  it("that says no is 403", async () => {
    const { browser, provider } = await site();
    provider.user = undefined;
    const mine = browser();
    expect((await mine.open("/")).status).toBe(403);
    expect(mine.cookies.size).toBe(0);
  });

  it("whose user has too many claims for cookies is 500, and told", async () => {
    const { browser, log } = await site({}, { more: { findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: "x".repeat(20_000) }) }) } });
    const mine = browser();
    expect((await mine.open("/")).status).toBe(500);
    expect(log.named("session-too-large").length).toBe(1);
    expect(mine.cookies.size).toBe(0);
  });
});

describe("claims", () => {
  it("are kept, mapped and named as the configuration says", async () => {
    const { browser } = await site({ scopes: ["openid", "profile", "email"], keepClaims: ["name"], mapClaims: { role: "groups", tenant: "nothing.there" }, nameClaim: "email" });
    expect(who((await browser().open("/")).text)).toMatchObject({ name: "alice@example.test", claims: { name: ["alice of the test"], role: ["staff", "dev"] } });
  });

  it("are asked for at the userinfo endpoint too", async () => {
    const { browser, provider } = await site({ claimsFromUserInfo: true, scopes: ["openid", "email"] }, { more: { conformIdTokenClaims: true } });
    expect(who((await browser().open("/")).text).claims).toMatchObject({ email: ["alice@example.test"] });
    expect(provider.asked).toContain("GET /me");
  });

  it("that name nobody are refused", async () => {
    const { browser } = await site({ nameClaim: "nickname" });
    expect((await browser().open("/")).status).toBe(400);
  });
});

describe("the destination", () => {
  it("gets neither the session nor what sign-ins keep, and other cookies as they are", async () => {
    const { browser } = await site({ saveTokens: true });
    const mine = browser();
    await mine.openUntil("/", (to) => to.pathname === "/auth");
    mine.cookies.set("theme", "dark");
    const page = await mine.open("/");
    expect([...mine.cookies.keys()].filter((name) => name !== "theme").length).toBeGreaterThan(1);
    expect(who((await mine.open("/")).text).cookie).toBe("theme=dark");
    expect(who(page.text).accessToken).toBeTypeOf("string");
  });

  it("gets the session where the configuration says so, and never what sign-ins keep", async () => {
    const { browser } = await site({}, {}, { forwardCookie: true });
    const mine = browser();
    await mine.openUntil("/", (to) => to.pathname === "/auth");
    await mine.open("/");
    expect(who((await mine.open("/")).text).cookie).toMatch(/^__Host-session=[\w-]+$/);
  });
});

describe("keys of the provider", () => {
  it("may change while sign-ins go on", async () => {
    const { browser, provider } = await site();
    for (let round = 0; round < 3; round++) {
      expect((await browser().open("/")).status).toBe(200);
      provider.rotateKeys();
    }
    expect((await browser().open("/")).status).toBe(200);
    const asked = provider.asked.filter((each) => each === "GET /jwks").length;
    expect((await browser().open("/")).status).toBe(200);
    expect(provider.asked.filter((each) => each === "GET /jwks").length).toBe(asked);
  });
});

describe("a provider that is down", () => {
  it("is 503 for those who want to sign in, and nothing for those who have", async () => {
    const { browser, provider, clock, log } = await site();
    const early = browser();
    await early.open("/");
    const late = siteWith(openIdConnect(provider.issuer));
    provider.stop();
    expect((await early.open("/")).status).toBe(200);
    // It is known where to send people: what is there says the provider's own page.
    expect((await browser().openUntil("/", (to) => to.pathname === "/auth")).status).toBe(302);
    const page = await late.browser().open("/");
    expect([page.status, page.header("retry-after"), page.header("set-cookie")]).toEqual([503, "1", undefined]);
    expect(late.log.named("provider-unavailable").length).toBe(1);
    expect((await late.browser().open("/")).status).toBe(503);
    expect(late.log.named("provider-unavailable").length).toBe(1);
    provider.restart();
    late.clock.ahead += 60_000;
    expect((await late.browser().open("/")).status).toBe(200);
    expect(clock.ahead + log.named("provider-unavailable").length).toBe(0);
  });

  it("between the two halves of a sign-in is 503", async () => {
    const { browser, provider } = await site();
    const mine = browser();
    const { url } = await mine.openUntil("/", toCallback);
    provider.stop();
    expect((await mine.ask(new URL(url))).status).toBe(503);
  });

  it("is asked again after an hour, and what it said before holds meanwhile", async () => {
    const { browser, provider, clock, log } = await site();
    await browser().open("/");
    provider.stop();
    clock.ahead = 3_600_000;
    expect((await browser().openUntil("/", (to) => to.pathname === "/auth")).status).toBe(302);
    await vi.waitFor(() => expect(log.named("provider-unavailable")[0]?.fields["hasOlder"]).toBe(true), 10_000);
  });
});

describe("tokens", () => {
  const tokens = { saveTokens: true, scopes: ["openid", "profile", "offline_access"] };

  it("are refreshed before they end, once for all requests that come together", async () => {
    const { browser, provider, clock } = await site(tokens, { accessTokenLifetime: 600 });
    const mine = browser();
    const first = who((await mine.open("/")).text).accessToken;
    expect(who((await mine.open("/")).text).accessToken).toBe(first);
    clock.ahead = 550_000;
    const before = provider.asked.filter((each) => each === "POST /token").length;
    const pages = await Promise.all(["/a", "/b", "/c", "/d"].map((path) => mine.open(path)));
    const now = pages.map(({ text }) => who(text).accessToken);
    expect(new Set(now).size).toBe(1);
    expect(now[0]).not.toBe(first);
    expect(provider.asked.filter((each) => each === "POST /token").length).toBe(before + 1);
    expect(who((await mine.open("/")).text).accessToken).toBe(now[0]);
  });

  it("that came meanwhile are not overwritten by an answer that took longer", async () => {
    const { browser, clock, schemes } = await site(tokens, { accessTokenLifetime: 600 }, { expireTimeSpan: 900_000 });
    const mine = browser();
    const first = who((await mine.open("/")).text).accessToken;
    clock.ahead = 500_000;
    // Two requests that are to renew the session; one is answered at once, one after another request has refreshed the tokens.
    const begin = async () => {
      const headers = [["Cookie", `__Host-session=${mine.cookies.get("__Host-session")}`]] as const;
      const result = await schemes[0]?.authenticate(new FakeExchange({ headers }));
      return () => (result?.kind === "authenticated" ? result.onResponse?.({ status: 200, headers: new HeaderList() }).headers.getAll("set-cookie").length : undefined);
    };
    const [quick, slow] = [await begin(), await begin()];
    expect(quick()).toBe(1);
    clock.ahead = 550_000;
    const now = who((await mine.open("/")).text).accessToken;
    expect(now).not.toBe(first);
    expect(slow()).toBe(0);
  });

  it("that are being refreshed while the session is signed out are nobody's", async () => {
    const { browser, clock, provider } = await site({ ...tokens, logoutPath: "/logout" }, { accessTokenLifetime: 600 });
    const mine = browser();
    await mine.open("/");
    clock.ahead = 550_000;
    const answered = Promise.withResolvers<void>();
    provider.hold = answered.promise;
    const cookie = mine.cookies.get("__Host-session") ?? "";
    const refreshing = mine.ask(new URL("/", publicOrigin));
    await vi.waitFor(() => expect(provider.asked.filter((each) => each === "POST /token").length).toBe(2), 30_000);
    const other = browser();
    other.cookies.set("__Host-session", cookie);
    // The provider holds what it is asked for in the name of the session, too.
    const leaving = other.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors" } });
    expect((await leaving).status).toBe(204);
    answered.resolve();
    expect((await refreshing).status).toBe(302);
    expect(mine.cookies.has("__Host-session")).toBe(false);
  });

  it("that the provider does not renew end the session", async () => {
    const { browser, provider, clock } = await site(tokens, { accessTokenLifetime: 600 });
    const mine = browser();
    await mine.open("/");
    provider.user = "bob";
    clock.ahead = 590_000;
    mine.cookies.set("other", "1");
    const stale = new Map(mine.cookies);
    await mine.open("/");
    // A refresh token that was used is good no more: the provider takes it for stolen.
    clock.ahead = 700_000;
    mine.cookies.clear();
    for (const [name, value] of stale) mine.cookies.set(name, value);
    const page = await mine.ask(new URL("/", publicOrigin), { headers: { "Sec-Fetch-Mode": "cors" } });
    expect(page.status).toBe(401);
  });

  it("stay while the provider is down, until they end; then it is 503", async () => {
    const { browser, provider, clock, log } = await site(tokens, { accessTokenLifetime: 600 });
    const mine = browser();
    const first = who((await mine.open("/")).text).accessToken;
    provider.stop();
    clock.ahead = 570_000;
    expect(who((await mine.open("/")).text).accessToken).toBe(first);
    expect(log.named("session-refresh-failed").length).toBe(1);
    clock.ahead = 620_000;
    expect((await mine.open("/")).status).toBe(503);
    provider.restart();
    clock.ahead = 640_000;
    expect(who((await mine.open("/")).text).accessToken).not.toBe(first);
  });
});

describe("a sign-out", () => {
  const config = { logoutPath: "/logout", saveTokens: true, signedOutPath: "/bye" };
  const own = { "Sec-Fetch-Site": "same-origin" };

  it("ends the session here and at the provider", async () => {
    const { browser, provider } = await site(config);
    const mine = browser();
    await mine.open("/");
    const page = await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: own });
    expect(page.status).toBe(302);
    const url = new URL(page.header("location") ?? "");
    expect(url.origin + url.pathname).toBe(`${provider.issuer}/session/end`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ post_logout_redirect_uri: `${publicOrigin}/bye`, client_id: "gateway", id_token_hint: expect.any(String) });
    expect(mine.cookies.size).toBe(0);
    await vi.waitFor(() => expect(provider.asked).toContain("POST /token/revocation"), 10_000);
    expect((await mine.ask(url)).status).toBe(200);
  });

  it("is not for other sites to ask for", async () => {
    const { browser } = await site(config);
    const mine = browser();
    await mine.open("/");
    for (const ask of [{ headers: { "Sec-Fetch-Site": "cross-site" } }, { headers: { "Sec-Fetch-Site": "same-site" } }, {}, { method: "POST", form: {}, headers: { Origin: "https://evil.test" } }, { method: "POST", form: {} }] as const) {
      expect((await mine.ask(new URL("/logout", publicOrigin), ask)).status).toBe(403);
    }
    expect(mine.cookies.has("__Host-session")).toBe(true);
    expect((await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: { Origin: publicOrigin } })).status).toBe(302);
  });

  it("by a script ends the session, and leads nowhere", async () => {
    const { browser } = await site(config);
    const mine = browser();
    await mine.open("/");
    const page = await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: { ...own, "Sec-Fetch-Mode": "cors" } });
    expect([page.status, page.header("location"), mine.cookies.size]).toEqual([204, undefined, 0]);
  });

  it("holds for copies of the session, too", async () => {
    const { browser, clock } = await site(config);
    const mine = browser();
    await mine.open("/");
    const copy = mine.cookies.get("__Host-session") ?? "";
    await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: own });
    const thief = browser();
    thief.cookies.set("__Host-session", copy);
    clock.ahead = 60_000;
    expect((await thief.ask(new URL("/", publicOrigin))).status).toBe(302);
    expect(thief.cookies.has("__Host-session")).toBe(false);
  });

  it("while the provider is down ends the session here", async () => {
    const { browser, provider } = await site(config);
    const mine = browser();
    await mine.open("/");
    provider.stop();
    const page = await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: own });
    expect([page.status, mine.cookies.size]).toEqual([302, 0]);
  });
});
