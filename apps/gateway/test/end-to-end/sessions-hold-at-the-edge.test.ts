/** Sessions over the wire, with what attackers would have of them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { sendRaw, statusOf } from "../support/raw-client.ts";
import { startRawOrigin, type RawOrigin } from "../support/raw-origin.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";
import { RawBrowser, startSignInParty, type SignInParty } from "../support/sign-in-party.ts";

const [older, newer] = ["an older secret of this site's sessions", "a newer secret of this site's sessions"];
const session = "__Host-session";

let hub: SignInParty;
let lab: SignInParty;
let origin: RawOrigin;
const gateways: AsyncDisposable[] = [];

beforeEach(async () => {
  [hub, lab, origin] = [await startSignInParty(), await startSignInParty(), await startRawOrigin("app", (request) => `HTTP/1.1 ${/\r\nUpgrade: /i.test(request) ? 403 : 200} OK\r\nContent-Length: 2\r\n\r\nok`)];
});
afterEach(async () => {
  for (const each of gateways.splice(0)) await each[Symbol.asyncDispose]();
  await Promise.all([hub[Symbol.asyncDispose](), lab[Symbol.asyncDispose](), origin.close()]);
});

async function site(secrets: readonly string[] = [older]): Promise<RunningGateway> {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", {
    Policies: {
      Authentication: {
        session: { Cookie: { Keys: { Secrets: secrets } } },
        hub: { OAuth2: { ...hub.section, LoginPath: "/login", LogoutPath: "/logout" } },
        lab: { OAuth2: lab.section },
      },
      Authorization: { users: { Schemes: ["hub"], Forward: { Headers: { "X-User": "@name" } } }, lab: { Schemes: ["lab"] } },
    },
    ReverseProxy: {
      Routes: {
        app: { ClusterId: "c", Match: { Path: "/app/{**rest}" }, AuthorizationPolicy: "users" },
        lab: { ClusterId: "c", Match: { Path: "/lab/{**rest}" }, AuthorizationPolicy: "lab" },
        free: { ClusterId: "c", Match: { Path: "/free/{**rest}" } },
      },
      Clusters: { c: { Destinations: { d: { Address: origin.url } } } },
    },
  });
  const gateway = await startGateway([file], { strict: true });
  gateways.push(gateway);
  return gateway;
}

/** The values of a field that the destination saw last. */
const seen = (name: string): string[] => [...(origin.requests.at(-1) ?? "").matchAll(new RegExp(`\\r\\n${name}: ([^\\r]*)`, "gi"))].map(([, value]) => value ?? "");

test("a session is who the destination is told, and not what it is given", async () => {
  const { port } = await site();
  const mine = new RawBrowser(port);
  expect(await mine.signIn("/app/one?a=b")).toBe("/app/one?a=b");
  mine.cookies.set("theme", "dark");
  const spoofs = "X-User: root\r\nx_user: root\r\nX.User: root\r\nX-USER: root\r\nConnection: X-User\r\n";
  expect(statusOf(await mine.get("/app/one", spoofs))).toBe(200);
  expect([seen("x-user"), seen("cookie"), /root/.test(origin.requests.at(-1) ?? "")]).toEqual([["ann"], ["theme=dark"], false]);
  expect(statusOf(await mine.get("/free/", spoofs))).toBe(200);
  expect([seen("x-user"), seen("cookie"), /root/.test(origin.requests.at(-1) ?? "")]).toEqual([[], ["theme=dark"], false]);
});

test("a session may stand in any of several Cookie fields, and is none when it stands there twice", async () => {
  const { port } = await site();
  const mine = new RawBrowser(port);
  await mine.signIn("/app/");
  const value = mine.cookies.get(session) ?? "";
  const other = new RawBrowser(port);
  hub.claims = { sub: "mallory" };
  await other.signIn("/app/");
  const tossed = other.cookies.get(session) ?? "";
  const asked = async (...lines: string[]): Promise<number> => statusOf(await new RawBrowser(port).get("/app/", lines.map((line) => `Cookie: ${line}\r\n`).join("")));
  expect([await asked("a=1", `b=2; ${session}=${value}`, "c=3"), seen("cookie"), seen("x-user")]).toEqual([200, ["a=1; b=2; c=3"], ["ann"]]);
  for (const lines of [[`${session}=${value}`, `${session}=${tossed}`], [`${session}=${value}; ${session}=${value}`], [`${session}=${tossed}; a=1; ${session}=${value}`]]) expect(await asked(...lines)).toBe(401);
  // Names that are not quite the one, such as another host of the domain may set.
  for (const name of [`\u00a0${session}`, `${session}\u00a0`, session.toLowerCase(), session.toUpperCase(), `x${session}`, `"${session}"`, "session", "__Secure-session"]) {
    expect(await asked(`${name}=${tossed}`), name).toBe(401);
    expect([await asked(`${name}=${tossed}; ${session}=${value}`), seen("x-user")], name).toEqual([200, ["ann"]]);
  }
  expect(await asked(`${session}=${value.slice(0, -2)}AA`)).toBe(401);
});

test("a large session comes in parts, and only as a whole", async () => {
  const { port } = await site();
  const signedIn = async (sub: string): Promise<Map<string, string>> => {
    hub.claims = { sub, more: sub.repeat(3000) };
    const browser = new RawBrowser(port);
    await browser.signIn("/app/");
    return browser.cookies;
  };
  const [mine, other] = [await signedIn("ann"), await signedIn("eve")];
  expect([...mine.keys()]).toEqual([session, `${session}C1`, `${session}C2`, `${session}C3`, `${session}C4`].slice(0, mine.size));
  expect(mine.size).toBeGreaterThan(2);
  const asked = async (cookies: Iterable<readonly [string, string]>): Promise<number> => statusOf(await new RawBrowser(port).get("/app/", `Cookie: ${[...cookies].map((pair) => pair.join("=")).join("; ")}\r\n`));
  expect([await asked(mine), seen("x-user"), seen("cookie")]).toEqual([200, ["ann"], []]);
  // In whatever order they come.
  expect(await asked([...mine].reverse())).toBe(200);
  const changed = (change: (cookies: Map<string, string>) => void): Map<string, string> => {
    const cookies = new Map(mine);
    change(cookies);
    return cookies;
  };
  const count = mine.size - 1;
  const others = (name: string): string => other.get(name) ?? "";
  const mines = (name: string): string => mine.get(name) ?? "";
  for (const [what, cookies] of [
    ["a part is missing", changed((each) => each.delete(`${session}C1`))],
    ["the last part is missing", changed((each) => each.delete(`${session}C${count}`))],
    ["a part is another session's", changed((each) => each.set(`${session}C2`, others(`${session}C2`)))],
    ["two parts are swapped", changed((each) => each.set(`${session}C1`, mines(`${session}C2`)).set(`${session}C2`, mines(`${session}C1`)))],
    ["fewer are announced", changed((each) => each.set(session, `chunks-${count - 1}`))],
    ["more are announced", changed((each) => each.set(session, `chunks-${count + 1}`).set(`${session}C${count + 1}`, "AAAA"))],
    ["none are announced", changed((each) => each.set(session, "chunks-0"))],
    ["far too many are announced", changed((each) => each.set(session, "chunks-99999999"))],
    ["the head is missing", changed((each) => each.delete(session))],
    ["the head names itself", changed((each) => each.set(`${session}C1`, `chunks-${count}`))],
  ] as const) expect(await asked(cookies), what).toBe(401);
  expect(await asked([...mine, [`${session}C1`, others(`${session}C1`)]])).toBe(401);
  expect(await asked([...mine, [`${session}C${count + 1}`, "left-over"]])).toBe(200);
});

test("only people who look at pages are sent elsewhere: nobody loses what they posted, and no script is led astray", async () => {
  const { port } = await site();
  const asked = (head: string, method = "GET", body = ""): Promise<string> => sendRaw(port, `${method} /app/form HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${head}\r\n${body}`);
  const page = "Accept: text/html,*/*;q=0.8\r\n";
  expect(statusOf(await asked(page))).toBe(302);
  for (const [method, head, body] of [
    ["POST", `${page}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n`, "a=b"],
    ["PUT", `${page}Content-Length: 0\r\n`, ""],
    ["GET", `${page}Sec-Fetch-Mode: cors\r\n`, ""],
    ["GET", `${page}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n`, ""],
    ["GET", `${page}X-Requested-With: XMLHttpRequest\r\n`, ""],
    ["GET", "Accept: application/json\r\n", ""],
    ["GET", "", ""],
  ] as const) {
    const answer = await asked(head, method, body);
    expect([statusOf(answer), /\r\nWWW-Authenticate: Cookie/.test(answer), /\r\n(Location|Set-Cookie):/i.test(answer)], `${method} ${head}`).toEqual([401, true, false]);
  }
  expect(origin.requests).toEqual([]);
});

test("a WebSocket needs a session as well, and says who it is", async () => {
  const { port } = await site();
  const mine = new RawBrowser(port);
  await mine.signIn("/app/");
  const handshake = "Connection: close, Upgrade, X-User\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const open = (cookie: string): Promise<string> => sendRaw(port, `GET /app/socket HTTP/1.1\r\nHost: app.test\r\n${cookie}Accept: text/html\r\nX-User: root\r\nX.User: root\r\n${handshake}\r\n`);
  expect(statusOf(await open(""))).toBe(401);
  expect(origin.requests).toEqual([]);
  // That the destination declines ends the connection; what it was told came before.
  expect(statusOf(await open(mine.cookieLine))).toBe(403);
  expect([seen("upgrade"), seen("x-user"), seen("cookie"), /root/.test(origin.requests.at(-1) ?? "")]).toEqual([["websocket"], ["ann"], [], false]);
});

test("a sign-in leads back into the site alone", async () => {
  const { port } = await site();
  for (const evil of ["https://evil.test/", "//evil.test", "/\\evil.test", "\\/evil.test", "/\t/evil.test", "/%09/evil.test", "/%0d%0aSet-Cookie:a=b", "javascript:alert(1)", "/..//evil.test", "///evil.test", "/\u00a0/evil.test", "http:evil.test"]) {
    const place = await new RawBrowser(port).signIn(`/login?returnUrl=${encodeURIComponent(evil)}`);
    expect(new URL(place, "https://app.test/signin-hub").origin, evil).toBe("https://app.test");
    expect(place, evil).toMatch(/^\/(?![/\\])/);
  }
  const twice = await new RawBrowser(port).signIn(`/login?returnUrl=${encodeURIComponent("/app/")}&returnUrl=${encodeURIComponent("//evil.test")}`);
  expect(twice).toBe("/app/");
});

test("what was asked of one party no other gets (mix-up), and a session is that of the scheme that made it", async () => {
  const { port } = await site();
  const mine = new RawBrowser(port);
  const state = new URL(RawBrowser.locationOf(await mine.get("/app/"))).searchParams.get("state");
  expect(statusOf(await mine.get(`/signin-lab?code=good&state=${state}`))).toBe(400);
  expect([hub.asked, lab.asked]).toEqual([[], []]);
  await mine.signIn("/app/");
  expect(statusOf(await mine.get("/app/", ""))).toBe(200);
  expect(statusOf(await mine.get("/lab/", ""))).toBe(401);
});

test("gateways of a site take each other's sessions while their secrets are exchanged one after the other", async () => {
  const [old, between, done] = [await site([older]), await site([older, newer]), await site([newer, older])];
  const from = async ({ port }: RunningGateway): Promise<RawBrowser> => {
    const browser = new RawBrowser(port);
    await browser.signIn("/app/");
    return browser;
  };
  const at = async ({ port }: RunningGateway, { cookies }: RawBrowser): Promise<number> => statusOf(await new RawBrowser(port).get("/app/", `Cookie: ${session}=${cookies.get(session)}\r\n`));
  const [first, second, third] = [await from(old), await from(between), await from(done)];
  expect([await at(old, first), await at(between, first), await at(done, first)]).toEqual([200, 200, 200]);
  expect([await at(old, second), await at(between, second), await at(done, second)]).toEqual([200, 200, 200]);
  // One that has not heard of the new secret yet takes nothing that it seals: hence the step between.
  expect([await at(old, third), await at(between, third), await at(done, third)]).toEqual([401, 200, 200]);
  // Sign-ins go on, too: begun at one, ended at another.
  const mine = new RawBrowser(between.port);
  const state = new URL(RawBrowser.locationOf(await mine.get("/app/"))).searchParams.get("state");
  const there = new RawBrowser(done.port);
  for (const [name, value] of mine.cookies) there.cookies.set(name, value);
  expect(statusOf(await there.get(`/signin-hub?code=good&state=${state}`))).toBe(302);
});
