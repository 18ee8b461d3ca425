import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { OAuth2Config } from "@proxy/config";
import { publicOrigin } from "./browser.ts";
import { clientId, clientSecret } from "./identity-provider.ts";
import { oauth2, siteWith } from "./schemes.ts";

const callback = `${publicOrigin}/signin-hub`;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

/** A provider as hosting services have it: codes, tokens without scopes of OpenID, and an address that says who it is. */
async function startHub(answers: { readonly user?: (response: ServerResponse) => void; readonly token?: (response: ServerResponse) => void } = {}) {
  const codes = new Map<string, string>();
  const json = (response: ServerResponse, status: number, body: unknown): void => void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://hub.test");
    if (url.pathname === "/auth") {
      const code = `code-${codes.size}`;
      codes.set(code, url.searchParams.get("code_challenge") ?? "");
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(302, { Location: back.href }).end();
    } else if (url.pathname === "/token") {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      if (answers.token !== undefined) return answers.token(response);
      const form = new URLSearchParams(text);
      const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      const isGood = codes.get(form.get("code") ?? "") === challenge && form.get("client_secret") === clientSecret && form.get("client_id") === clientId;
      codes.delete(form.get("code") ?? "");
      if (isGood) json(response, 200, { access_token: "token-of-octo", token_type: "bearer", scope: "read:user" });
      else json(response, 400, { error: "invalid_grant" });
    } else if (answers.user !== undefined) answers.user(response);
    else if (request.headers.authorization === "Bearer token-of-octo" && request.headers["user-agent"] !== undefined) json(response, 200, { id: 583_231, login: "octo", plan: { name: "free" }, two_factor: true, company: null });
    else json(response, 401, {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const config: Partial<OAuth2Config> = { nameClaim: "id", scopes: ["read:user"], mapClaims: { plan: "plan.name" } };

describe("sign-in with OAuth 2", () => {
  it("takes who it is from the provider's address for that", async () => {
    const { browser } = siteWith(oauth2(await startHub(), { ...config, saveTokens: true }));
    const page = await browser().open("/a");
    expect([page.status, page.url]).toEqual([200, `${publicOrigin}/a`]);
    expect(JSON.parse(page.text)).toMatchObject({ scheme: "hub", name: "583231", accessToken: "token-of-octo", claims: { id: ["583231"], login: ["octo"], plan: ["free"], two_factor: ["true"], company: [] } });
  });

  it("asks with PKCE and state", async () => {
    const { browser } = siteWith(oauth2(await startHub(), config));
    const { url } = await browser().openUntil("/", (to) => to.pathname === "/auth");
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({ response_type: "code", client_id: clientId, scope: "read:user", code_challenge_method: "S256", redirect_uri: callback });
  });

  it("takes no code of another sign-in, none twice, and no foreign state", async () => {
    const { browser } = siteWith(oauth2(await startHub(), config));
    const toCallback = (url: URL): boolean => url.href.startsWith(callback);
    const mine = browser();
    const { url } = await mine.openUntil("/", toCallback);
    expect((await browser().ask(new URL(url))).status).toBe(400);
    const other = browser();
    const stolen = new URL((await other.openUntil("/", toCallback)).url);
    stolen.searchParams.set("code", new URL(url).searchParams.get("code") ?? "");
    expect((await other.ask(stolen)).status).toBe(400);
    expect((await mine.ask(new URL(url))).status).toBe(400);
    expect(mine.cookies.size + other.cookies.size).toBe(0);
  });

  it("takes no answer that says another issuer (mix-up)", async () => {
    const issuer = await startHub();
    for (const [own, given, status] of [[undefined, "https://evil.test", 400], [issuer, "https://evil.test", 400], [issuer, undefined, 400], [issuer, issuer, 302]] as const) {
      const mine = siteWith(oauth2(issuer, { ...config, issuer: own })).browser();
      const url = new URL((await mine.openUntil("/", (to) => to.href.startsWith(callback))).url);
      if (given !== undefined) url.searchParams.set("iss", given);
      expect((await mine.ask(url)).status).toBe(status);
    }
  });

  it("that the provider cannot finish is 503, and what it says wrongly 400", async () => {
    const json = (status: number, text: string) => (response: ServerResponse) => void response.writeHead(status, { "Content-Type": "application/json" }).end(text);
    for (const [answers, status] of [
      [{ user: json(500, "{}") }, 503],
      [{ user: json(429, "{}") }, 503],
      [{ user: (response: ServerResponse) => void response.destroy() }, 503],
      [{ token: json(502, "{}") }, 503],
      [{ token: (response: ServerResponse) => void response.destroy() }, 503],
      [{ user: json(403, "{}") }, 400],
      [{ user: json(200, "[]") }, 400],
      [{ user: json(200, "no json") }, 400],
      [{ user: json(200, "{}") }, 400],
      [{ token: json(200, '{"error":"bad_verification_code"}') }, 400],
    ] as const) {
      const mine = siteWith(oauth2(await startHub(answers), config)).browser();
      expect((await mine.open("/")).status, JSON.stringify(status)).toBe(status);
      expect(mine.cookies.size).toBe(0);
    }
  });
});
