import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { CookieSessionConfig, OpenIdConnectConfig, ProxyConfigInput } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
import { edgeProxy } from "../proxies.ts";
import { publicOrigin, TestBrowser } from "./browser.ts";
import { clientId, clientSecret, startIdentityProvider, type IdentityProvider } from "./identity-provider.ts";
import { secret, ShiftedClock } from "./schemes.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

async function started() {
  const provider = await startIdentityProvider({ redirectUris: [`${publicOrigin}/signin-login`], signedOutUris: [`${publicOrigin}/`] });
  open.push(provider);
  return provider;
}

function configOf(provider: IdentityProvider, login: Partial<OpenIdConnectConfig> = {}, session: CookieSessionConfig = {}): ProxyConfigInput {
  return {
    routes: {
      app: { clusterId: "c", match: { path: "/app/{**rest}" }, authorizationPolicy: "staff" },
      mine: { clusterId: "c", match: { path: "/mine/{**rest}" }, authorizationPolicy: "bob" },
      free: { clusterId: "c", match: { path: "/free/{**rest}" }, authorizationPolicy: "Anonymous" },
      plain: { clusterId: "c", match: { path: "/{**rest}" } },
    },
    clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
    policies: {
      authentication: {
        session: { cookie: { keys: { secrets: [secret] }, ...session } },
        login: { openIdConnect: { authority: provider.issuer, clientId, clientSecret, publicOrigin, loginPath: "/login", logoutPath: "/logout", ...login } },
      },
      authorization: {
        staff: { schemes: ["login"], claims: { groups: ["staff"] }, forward: { headers: { "X-User": "@name" }, token: "Forward" } },
        bob: { schemes: ["login"], claims: { sub: ["bob"] } },
      },
    },
  };
}

async function site(provider: IdentityProvider, config: ProxyConfigInput) {
  const clock = new ShiftedClock();
  const calls: FakeCall[] = [];
  const script = (call: FakeCall): void => {
    calls.push(call);
    call.respond();
  };
  const { proxy, log } = await edgeProxy(config, { clock: { ...clock, now: clock.now, date: clock.date, after: () => () => {} } }, { script });
  const lastSeen = (name: string): string | undefined => calls.at(-1)?.request.headers.get(name);
  return { provider, clock, proxy, log, calls, lastSeen, browser: () => new TestBrowser(async (exchange) => proxy.handle(exchange)) };
}

describe("a route whose policy wants a session", () => {
  it("sends browsers to sign in, and forwards them afterwards with who they are", async () => {
    const provider = await started();
    const { browser, calls, lastSeen } = await site(provider, configOf(provider, { saveTokens: true }));
    const mine = browser();
    mine.cookies.set("theme", "dark");
    expect((await mine.ask(new URL("/app/data", publicOrigin), { headers: { "Sec-Fetch-Mode": "cors" } })).status).toBe(401);
    expect(calls.length).toBe(0);
    const page = await mine.open("/app/one?two");
    expect([page.status, page.url]).toEqual([200, `${publicOrigin}/app/one?two`]);
    expect(lastSeen("x-user")).toBe("alice");
    expect(lastSeen("cookie")).toBe("theme=dark");
    expect(lastSeen("authorization")).toMatch(/^Bearer \S+$/);
  });

  it("says no to those who are somebody else", async () => {
    const provider = await started();
    const { browser } = await site(provider, configOf(provider));
    const mine = browser();
    await mine.open("/app/");
    expect((await mine.open("/mine/")).status).toBe(403);
  });

  it("is not reached with what a client says of itself", async () => {
    const provider = await started();
    const { browser, lastSeen, calls } = await site(provider, configOf(provider));
    const mine = browser();
    mine.cookies.set("__Host-session", "A".repeat(300));
    const page = await mine.ask(new URL("/app/", publicOrigin), { headers: { "X-User": "root" } });
    expect([page.status, calls.length]).toEqual([302, 0]);
    expect(mine.cookies.has("__Host-session")).toBe(false);
    await mine.open("/app/", { headers: { "X-User": "root" } });
    expect(lastSeen("x-user")).toBe("alice");
  });
});

describe("a cookie that is no session", () => {
  it("is cleared by the answer, whatever that is", async () => {
    const provider = await started();
    const config = configOf(provider);
    const { browser, lastSeen } = await site(provider, { ...config, policies: { ...config.policies, authorization: { staff: { schemes: ["login"], requireAuthenticated: false }, bob: { schemes: ["login"] } } } });
    for (const [path, mode, status] of [["/app/", "navigate", 200], ["/mine/", "navigate", 302], ["/mine/", "cors", 401]] as const) {
      const mine = browser();
      mine.cookies.set("__Host-session", "A".repeat(300));
      mine.cookies.set("__Host-sessionC1", "A");
      mine.cookies.set("a", "b");
      const page = await mine.ask(new URL(path, publicOrigin), { headers: { "Sec-Fetch-Mode": mode } });
      expect([page.status, page.header("cache-control")]).toEqual([status, "no-store"]);
      expect([...mine.cookies.keys()].filter((name) => !name.includes("signin"))).toEqual(["a"]);
    }
    expect(lastSeen("cookie")).toBe("a=b");
  });
});

describe("routes without such a policy", () => {
  it("forward everybody, and nobody's session", async () => {
    const provider = await started();
    const { browser, lastSeen } = await site(provider, configOf(provider));
    const mine = browser();
    await mine.open("/app/");
    await mine.openUntil("/login", (url) => url.pathname === "/auth");
    expect(mine.cookies.size).toBe(2);
    mine.cookies.set("a", "b");
    for (const path of ["/free/", "/other"]) {
      expect((await mine.open(path)).status).toBe(200);
      expect(lastSeen("cookie")).toBe("a=b");
    }
  });
});

describe("a session", () => {
  it("is renewed on the answer of a destination, which no cache may keep then", async () => {
    const provider = await started();
    const { browser, clock } = await site(provider, configOf(provider, {}, { expireTimeSpan: 600_000 }));
    const mine = browser();
    await mine.open("/app/");
    const before = mine.cookies.get("__Host-session");
    expect((await mine.open("/app/")).header("set-cookie")).toBeUndefined();
    clock.ahead = 400_000;
    const page = await mine.open("/app/");
    expect([page.header("cache-control"), mine.cookies.get("__Host-session") !== before]).toEqual(["no-store", true]);
    clock.ahead = 900_000;
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(200);
    clock.ahead = 1_600_000;
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(302);
    expect(mine.cookies.has("__Host-session")).toBe(false);
  });

  it("outlives a reload, also one that changes how it is kept", async () => {
    const provider = await started();
    const { browser, proxy } = await site(provider, configOf(provider));
    const mine = browser();
    await mine.open("/app/");
    const tab = await mine.openUntil("/login?returnUrl=/app/x", (url) => url.pathname === "/signin-login");
    await proxy.update(configOf(provider, {}, { persistent: true, keys: { secrets: ["a new secret, of which all know now", secret] } }));
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(200);
    expect((await mine.ask(new URL(tab.url))).header("location")).toBe("/app/x");
    await proxy.update(configOf(provider, { loginPath: "/other" }, { keys: { secrets: ["a new secret, of which all know now"] } }));
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(200);
  });

  it("is none when the scheme that made it is gone", async () => {
    const provider = await started();
    const config = configOf(provider);
    const { browser, proxy } = await site(provider, config);
    const mine = browser();
    await mine.open("/app/");
    const { session, login } = config.policies?.authentication ?? {};
    const other = { ...config, policies: { authentication: { session: session ?? {}, other: login ?? {} }, authorization: { staff: { schemes: ["session"] }, bob: { schemes: ["other"] } } } };
    await proxy.update(other);
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(401);
    await proxy.update(config);
    expect((await mine.ask(new URL("/app/", publicOrigin))).status).toBe(200);
  });

  it("may be asked for at the scheme that keeps it, whoever signed in", async () => {
    const provider = await started();
    const config = configOf(provider, {}, { loginPath: "/choose" });
    const { browser, lastSeen } = await site(provider, { ...config, policies: { ...config.policies, authorization: { staff: { schemes: ["session"], forward: { headers: { "X-User": "@name" } } }, bob: { schemes: ["session"] } } } });
    const mine = browser();
    expect((await mine.ask(new URL("/app/?a=b", publicOrigin))).header("location")).toBe("/choose?returnUrl=%2Fapp%2F%3Fa%3Db");
    await mine.open("/login");
    expect((await mine.open("/app/")).status).toBe(200);
    expect(lastSeen("x-user")).toBe("alice");
  });
});

describe("files that schemes name", () => {
  it("are read when the configuration is, and their faults told with the others", async () => {
    const provider = await started();
    const failed = edgeProxy(configOf(provider, { clientSecret: undefined, clientSecretFile: "/nowhere/secret" }, { keys: { path: "/nowhere/keys" } }));
    await expect(failed).rejects.toThrow(/\/nowhere\/secret cannot be read \(ENOENT\)/);
    await expect(failed).rejects.toThrow(/\/nowhere\/keys cannot be read \(ENOENT\)/);
  });

  it("hold secrets", async () => {
    const folder = mkdtempSync(join(tmpdir(), "edge-sign-in-"));
    try {
      writeFileSync(join(folder, "secret"), `${clientSecret}\n`);
      writeFileSync(join(folder, "keys"), `# the first seals\n${secret}\n`);
      const provider = await started();
      const { browser, proxy } = await site(provider, configOf(provider, { clientSecret: undefined, clientSecretFile: join(folder, "secret") }, { keys: { path: join(folder, "keys") } }));
      expect((await browser().open("/app/")).status).toBe(200);
      await proxy.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
