/** Two gateways of one site, which share the secrets of their cookies and a store: what one was told the other knows. */
import { randomUUID } from "node:crypto";
import { runInNewContext } from "node:vm";
import { importJWK, SignJWT, type JWK } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import type { OpenIdConnectConfig } from "@proxy/config";
import { memorySignInStore } from "../../../src/index.ts";
import { edgeProxy } from "../../proxies.ts";
import { publicOrigin, TestBrowser } from "../browser.ts";
import { clientId, clientSecret, startIdentityProvider, type IdentityProvider } from "../identity-provider.ts";
import { openIdConnect, secret, ShiftedClock, siteWith } from "../schemes.ts";
import { SharedStore } from "./shared-store.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

const callback = `${publicOrigin}/signin-oidc`;
const page = new URL("/", publicOrigin);
const logout = { method: "POST", form: {}, headers: { "Sec-Fetch-Site": "same-origin" } } as const;

async function provided(): Promise<IdentityProvider> {
  const provider = await startIdentityProvider({ redirectUris: [callback, `${publicOrigin}/signin-login`], signedOutUris: [`${publicOrigin}/`], accessTokenLifetime: 600 });
  open.push(provider);
  return provider;
}

async function gateways(config: Partial<OpenIdConnectConfig> = {}, store?: SharedStore) {
  const provider = await provided();
  return { ...gatewaysOf(provider, config, store), provider };
}

function gatewaysOf(provider: IdentityProvider, config: Partial<OpenIdConnectConfig>, given?: SharedStore) {
  const store = given ?? new SharedStore(() => Date.now());
  const scheme = openIdConnect(provider.issuer, { logoutPath: "/logout", backChannelLogoutPath: "/ended", ...config });
  const [here, there] = [siteWith(scheme, {}, store), siteWith(scheme, {}, store)];
  return { store, here, there };
}

/** Another gateway's browser with the cookies of `from`. */
function copyOf(from: TestBrowser, at: { browser(): TestBrowser }): TestBrowser {
  const copy = at.browser();
  for (const [name, value] of from.cookies) copy.cookies.set(name, value);
  return copy;
}

async function logoutToken({ issuer, key }: IdentityProvider, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: clientId, iat: now, exp: now + 120, jti: randomUUID(), events: { "http://schemas.openid.net/event/backchannel-logout": {} }, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "RS256", kid: (key as JWK).kid ?? "", typ: "logout+jwt" }).sign(await importJWK(key as JWK, "RS256"));
}

describe("gateways that share a store", () => {
  it("share sessions and sign-ins: one begins, another goes on", async () => {
    const { here, there } = await gateways();
    const mine = here.browser();
    const { url } = await mine.openUntil("/", (to) => to.href.startsWith(callback));
    const other = copyOf(mine, there);
    expect((await other.ask(new URL(url))).status).toBe(302);
    expect((await copyOf(other, here).ask(page)).status).toBe(200);
  });

  it("know of each other's sign-outs", async () => {
    const { here, there } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    const copy = copyOf(mine, there);
    expect((await copy.ask(page)).status).toBe(200);
    expect((await mine.ask(new URL("/logout", publicOrigin), logout)).status).toBe(302);
    expect((await copy.ask(page)).status).toBe(302);
    expect(copy.cookies.has("__Host-session")).toBe(false);
  });

  it("know which answers were used", async () => {
    const { here, there } = await gateways();
    const mine = here.browser();
    const { url } = await mine.openUntil("/", (to) => to.href.startsWith(callback));
    const copy = copyOf(mine, there);
    expect((await mine.ask(new URL(url))).status).toBe(302);
    expect((await copy.ask(new URL(url))).status).toBe(400);
    expect(there.log.named("sign-in-failed").length).toBe(1);
  });

  it("know what the provider said to one of them, and it says it once", async () => {
    const { here, there, provider } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    const token = await logoutToken(provider, { sub: "alice" });
    const tell = async (at: typeof here): Promise<number> => (await at.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: token } })).status;
    expect(await tell(there)).toBe(200);
    expect((await mine.ask(page)).status).toBe(302);
    expect(await tell(here)).toBe(400);
  });

  it("tell the store nobody's name, and no secret", async () => {
    const { here, provider, store } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    await mine.ask(page);
    await mine.ask(new URL("/logout", publicOrigin), logout);
    await here.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: await logoutToken(provider, { sub: "alice" }) } });
    expect(new Set(store.asked.map((each) => each.split(" ")[0]))).toEqual(new Set(["take", "end", "endedUntil"]));
    expect(store.asked.join("\n")).not.toMatch(/alice|eyJ/);
    const keys = store.asked.flatMap((each) => JSON.parse(each.slice(each.indexOf(" "))).slice(1) as unknown[]).filter((each) => typeof each === "string");
    for (const key of keys) expect(key).toMatch(/^[\x20-\x7e]{1,64}$/);
  });
});

describe("a store that is away", () => {
  it("lets nobody in whose session may be over, and takes no session away", async () => {
    const { here, store } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    store.isAway = true;
    const answer = await mine.ask(page);
    expect([answer.status, mine.cookies.has("__Host-session")]).toEqual([503, true]);
    expect(here.log.named("sign-in-store-failed").length).toBe(1);
    // Who has no session is not asked about.
    expect((await here.browser().ask(page)).status).toBe(302);
    store.isAway = false;
    expect((await mine.ask(page)).status).toBe(200);
  });

  it("signs nobody in, and the same answer is good when it is back", async () => {
    const { here, store, provider } = await gateways();
    const mine = here.browser();
    const { url } = await mine.openUntil("/", (to) => to.href.startsWith(callback));
    store.isAway = true;
    const answer = await mine.ask(new URL(url));
    expect([answer.status, answer.header("retry-after")]).toEqual([503, "5"]);
    expect(provider.asked).not.toContain("POST /token");
    store.isAway = false;
    expect((await mine.ask(new URL(url))).status).toBe(302);
  });

  it("does not keep a browser signed in that signs out, and says that copies may go on", async () => {
    const { here, store } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    const copy = copyOf(mine, here);
    store.isAway = true;
    expect((await mine.ask(new URL("/logout", publicOrigin), logout)).status).toBe(503);
    expect(mine.cookies.has("__Host-session")).toBe(false);
    store.isAway = false;
    expect((await copy.ask(page)).status).toBe(200);
  });

  it("has the provider say again that a session ended", async () => {
    const { here, store, provider } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    const token = await logoutToken(provider, { sub: "alice" });
    const tell = async (): Promise<number> => (await here.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: token } })).status;
    store.isAway = true;
    expect(await tell()).toBe(503);
    store.isAway = false;
    expect(await tell()).toBe(200);
    expect((await mine.ask(page)).status).toBe(302);
  });

  it("that throws at once, or says what it must not, is one that is away", async () => {
    const provider = await provided();
    const mine = siteWith(openIdConnect(provider.issuer)).browser();
    await mine.open("/");
    const failing = (endedUntil: () => unknown) => ({ ...memorySignInStore(), endedUntil: endedUntil as () => undefined });
    const asks = [
      () => {
        throw new Error("down");
      },
      () => "1767225600000",
      async () => Number.NaN,
      // No Promise of this realm.
      () => runInNewContext('Promise.reject(new Error("down"))') as unknown,
    ];
    for (const ask of asks) expect((await copyOf(mine, siteWith(openIdConnect(provider.issuer), {}, failing(ask))).ask(page)).status).toBe(503);
    for (const ask of [() => runInNewContext("Promise.resolve()") as unknown, async () => undefined, async () => null]) expect((await copyOf(mine, siteWith(openIdConnect(provider.issuer), {}, failing(ask))).ask(page)).status).toBe(200);
  });
});

describe("tokens of a session", () => {
  const config = { saveTokens: true, scopes: ["openid", "profile", "offline_access"] };
  const refreshes = ({ asked }: IdentityProvider): number => asked.filter((each) => each === "POST /token").length;
  const tokenOf = (text: string): string => (JSON.parse(text) as { readonly accessToken: string }).accessToken;

  it("are refreshed by one gateway, while the others go on with those that are good yet", async () => {
    let ahead = 0;
    const { here, there, provider } = await gateways(config, new SharedStore(() => Date.now() + ahead));
    const mine = here.browser();
    const first = tokenOf((await mine.open("/")).text);
    const before = refreshes(provider);
    const copies = [copyOf(mine, here), copyOf(mine, there), copyOf(mine, here), copyOf(mine, there)];
    here.clock.ahead = there.clock.ahead = ahead = 550_000;
    const pages = await Promise.all(copies.map((copy) => copy.ask(page)));
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(refreshes(provider)).toBe(before + 1);
    // One of the two gateways has the new one; the provider takes none of its family for stolen.
    const fresh = copies.filter((_, index) => tokenOf(pages[index]?.text ?? "") !== first);
    expect(fresh.length).toBe(2);
    here.clock.ahead = there.clock.ahead = ahead = 1_140_000;
    for (const at of [there, here]) expect((await copyOf(fresh[0] as TestBrowser, at).ask(page)).status).toBe(200);
    expect(refreshes(provider)).toBe(before + 2);
  });

  it("that ended while another gateway has its turn are waited for", async () => {
    let ahead = 0;
    const { here, there, provider } = await gateways(config, new SharedStore(() => Date.now() + ahead));
    const mine = here.browser();
    await mine.open("/");
    const copy = copyOf(mine, there);
    here.clock.ahead = there.clock.ahead = ahead = 590_000;
    provider.stop();
    expect((await mine.ask(page)).status).toBe(200);
    here.clock.ahead = there.clock.ahead = ahead = 605_000;
    expect((await copy.ask(page)).status).toBe(503);
    provider.restart();
    // It has not had its turn yet: who began goes on.
    expect((await mine.ask(page)).status).toBe(200);
    expect((await copyOf(mine, there).ask(page)).status).toBe(200);
  });

  it("stay as they are while the store is away", async () => {
    const { here, store, provider } = await gateways(config);
    const mine = here.browser();
    await mine.open("/");
    const before = refreshes(provider);
    here.clock.ahead = 550_000;
    store.isAway = true;
    expect((await mine.ask(page)).status).toBe(503);
    store.isAway = false;
    expect((await mine.ask(page)).status).toBe(200);
    expect(refreshes(provider)).toBe(before + 1);
  });
});

describe("a provider that names sessions when they end, and did not when they began", () => {
  it("means those of whom it names, of which it never said which they are", async () => {
    const { here, there, provider } = await gateways();
    const mine = here.browser();
    await mine.open("/");
    provider.user = "bob";
    const bob = here.browser();
    await bob.open("/");
    const token = await logoutToken(provider, { sub: "alice", sid: "its own name for it" });
    expect((await there.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: token } })).status).toBe(200);
    expect([(await mine.ask(page)).status, (await bob.ask(page)).status]).toEqual([302, 200]);
  });
});

describe("a logout token that comes twice", () => {
  it("ends no session that began after it", async () => {
    const { here, provider } = await gateways();
    const token = await logoutToken(provider, { sub: "alice", iat: Math.floor(Date.now() / 1000) - 90, exp: Math.floor(Date.now() / 1000) + 30 });
    const tell = async (): Promise<number> => (await here.browser().ask(new URL("/ended", publicOrigin), { method: "POST", form: { logout_token: token } })).status;
    const mine = here.browser();
    await mine.open("/");
    expect([await tell(), await tell()]).toEqual([200, 400]);
    expect((await mine.ask(page)).status).toBe(200);
  });
});

describe("a session that ended", () => {
  it("stays so when its scheme is another one after a reload", async () => {
    const provider = await provided();
    const clock = new ShiftedClock();
    const config = (absoluteLifetime: number) => ({
      routes: { app: { clusterId: "c", match: { path: "/{**rest}" }, authorizationPolicy: "Default" } },
      clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
      policies: {
        authentication: {
          session: { cookie: { keys: { secrets: [secret] }, absoluteLifetime } },
          login: { openIdConnect: { authority: provider.issuer, clientId, clientSecret, publicOrigin, logoutPath: "/logout" } },
        },
        authorization: { default: { schemes: ["login"] } },
      },
    });
    const { proxy } = await edgeProxy(config(36_000_000), { clock: { ...clock, now: clock.now, date: clock.date, after: () => () => {} } }, { script: (call) => call.respond() });
    const browser = (): TestBrowser => new TestBrowser(async (exchange) => proxy.handle(exchange));
    const mine = browser();
    expect((await mine.open("/")).status).toBe(200);
    const copy = copyOf(mine, { browser });
    expect((await mine.ask(new URL("/logout", publicOrigin), logout)).status).toBe(302);
    expect((await copy.ask(page)).status).toBe(302);
    const again = copyOf(mine, { browser });
    await proxy.update(config(72_000_000));
    expect((await again.ask(page)).status).toBe(302);
    await proxy.close();
  });
});
