import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, defineConfig } from "../../src/index.ts";
import { decodeGatewayFile } from "../../src/schema/index.ts";

const file = (schemes: unknown): string => JSON.stringify({ Policies: { Authentication: schemes }, ReverseProxy: { Routes: {}, Clusters: {} } });

async function issuesOf(schemes: unknown): Promise<string[]> {
  const error = await decodeGatewayFile(file(schemes)).catch((given: unknown) => given);
  if (!(error instanceof ConfigError)) return [];
  return error.issues.map(({ code, pointer }) => `${code} ${(pointer ?? "").replace("/Policies/Authentication/", "")}`);
}

const publicOrigin = "https://app.example";
const oidc = { Authority: "https://login.example", ClientId: "gateway", PublicOrigin: publicOrigin };

describe("schemes that sign users in", () => {
  it("are read with the kinds of their members, and find their files beside the file", async () => {
    const { config } = await decodeGatewayFile(
      file({
        session: { Cookie: { ExpireTimeSpan: "02:00:00", SameSite: "strict", Keys: { Path: "keys.txt" } } },
        plain: { Cookie: { CookieName: "other" } },
        login: { OpenIdConnect: { ...oidc, ClientSecretFile: "secret.txt", Scopes: "openid", MapClaims: { role: "realm_access.roles" }, ResponseMode: "formpost", Timeout: "3s" } },
        hub: { OAuth2: { AuthorizationEndpoint: "https://hub.example/a", TokenEndpoint: "https://hub.example/t", UserInformationEndpoint: "https://hub.example/u", ClientId: "g", PublicOrigin: publicOrigin, RefreshBefore: "2m" } },
        old: { WsFederation: { Realm: "urn:app", PassiveEndpoint: "https://sts.example/ls", Issuer: "urn:sts", Certificates: "sts.pem", PublicOrigin: publicOrigin } },
      }),
      { source: resolve("/etc/gateway/gateway.json") },
    );
    expect(config.reverseProxy.policies?.authentication).toEqual([
      { name: "session", cookie: { expireTimeSpan: 7_200_000, sameSite: "Strict", keys: { path: resolve("/etc/gateway/keys.txt") } } },
      { name: "plain", cookie: { cookieName: "other" } },
      {
        name: "login",
        openIdConnect: { authority: "https://login.example", clientId: "gateway", publicOrigin, clientSecretFile: resolve("/etc/gateway/secret.txt"), scopes: ["openid"], mapClaims: { role: "realm_access.roles" }, responseMode: "FormPost", timeout: 3000 },
      },
      {
        name: "hub",
        oAuth2: { authorizationEndpoint: "https://hub.example/a", tokenEndpoint: "https://hub.example/t", userInformationEndpoint: "https://hub.example/u", clientId: "g", publicOrigin, refreshBefore: 120_000 },
      },
      { name: "old", wsFederation: { realm: "urn:app", passiveEndpoint: "https://sts.example/ls", issuer: "urn:sts", certificates: resolve("/etc/gateway/sts.pem"), publicOrigin } },
    ]);
  });

  it("tell all that is wrong at once, and no secret", async () => {
    const secret = "too short, secret";
    const schemes = {
      session: { Cookie: { CookieName: "__Host-a", Domain: "a_b", Path: "x;y", SameSite: "None", Secure: "false", MaxSize: "1024", ExpireTimeSpan: "00:00:00", LoginPath: "https://evil.example/", Keys: { Secrets: [secret, "long enough, and said twice, which is odd", "long enough, and said twice, which is odd"] } } },
      empty: { OpenIdConnect: { ClientSecret: secret, ClientSecretFile: "f", Scopes: ["email"], AuthorizationParameters: { state: "x", prompt: "login" } } },
      clear: { OpenIdConnect: { ...oidc, Authority: "http://login.example", PublicOrigin: "https://app.example/", CallbackPath: "//evil.example", LogoutPath: "/a/../b", SignedOutPath: "/x?y", Timeout: "1h", RefreshBefore: "1d" } },
      hub: { OAuth2: { TokenEndpoint: "ftp://hub.example/" } },
      old: { WsFederation: { MetadataAddress: "http://sts.example/", Issuer: "urn:x", Thumbprints: ["ab"], ClockSkew: "1h" } },
      older: { WsFederation: { Realm: "urn:app", PublicOrigin: publicOrigin } },
      lost: { OpenIdConnect: { ...oidc, SignInScheme: "nobody" } },
      same: { OpenIdConnect: { ...oidc, CallbackPath: "/signin-lost", LoginPath: "/in", LogoutPath: "/in", BackChannelLogoutPath: "/signin-hub" } },
      wrong: { OpenIdConnect: { ...oidc, BackChannelLogoutPath: "ended" } },
    };
    expect(await issuesOf(schemes)).toEqual([
      "sign-in session/Cookie/CookieName",
      "sign-in session/Cookie/SameSite",
      "sign-in session/Cookie/Domain",
      "sign-in session/Cookie/Path",
      "sign-in session/Cookie/LoginPath",
      "sign-in session/Cookie/ExpireTimeSpan",
      "sign-in session/Cookie/Keys/Secrets/0",
      "sign-in session/Cookie/Keys/Secrets/2",
      "sign-in empty/OpenIdConnect",
      "sign-in empty/OpenIdConnect/Scopes",
      "sign-in empty/OpenIdConnect",
      "sign-in empty/OpenIdConnect/ClientSecretFile",
      "sign-in empty/OpenIdConnect/AuthorizationParameters/state",
      "sign-in empty/OpenIdConnect",
      "sign-in clear/OpenIdConnect/Authority",
      "sign-in clear/OpenIdConnect/RefreshBefore",
      "sign-in clear/OpenIdConnect/PublicOrigin",
      "sign-in clear/OpenIdConnect/CallbackPath",
      "sign-in clear/OpenIdConnect/LogoutPath",
      "sign-in clear/OpenIdConnect/SignedOutPath",
      "sign-in clear/OpenIdConnect/Timeout",
      "sign-in hub/OAuth2",
      "sign-in hub/OAuth2/TokenEndpoint",
      "sign-in hub/OAuth2",
      "sign-in hub/OAuth2",
      "sign-in hub/OAuth2",
      "sign-in old/WsFederation",
      "sign-in old/WsFederation/MetadataAddress",
      "sign-in old/WsFederation/Issuer",
      "sign-in old/WsFederation/Thumbprints/0",
      "sign-in old/WsFederation/ClockSkew",
      "sign-in old/WsFederation",
      "sign-in older/WsFederation",
      "sign-in older/WsFederation",
      "sign-in older/WsFederation",
      "sign-in wrong/OpenIdConnect/BackChannelLogoutPath",
      "sign-in lost/OpenIdConnect/SignInScheme",
      "sign-in same/OpenIdConnect/CallbackPath",
      "sign-in same/OpenIdConnect/LogoutPath",
      "sign-in same/OpenIdConnect/BackChannelLogoutPath",
    ]);
    const error = (await decodeGatewayFile(file(schemes)).catch((given: unknown) => given)) as ConfigError;
    expect(JSON.stringify(error.issues)).not.toMatch(/too short, secret|said twice, which/);
  });

  it("do not share a cookie", async () => {
    expect(await issuesOf({ session: { Cookie: { Persistent: "true" } }, other: { Cookie: { SameSite: "Lax" } } })).toEqual(["sign-in other/Cookie"]);
    expect(await issuesOf({ session: { Cookie: { Persistent: "true" } }, other: { Cookie: { CookieName: "o" } } })).toEqual([]);
  });

  it("come from code with durations as text", () => {
    const { policies } = defineConfig({ policies: { authentication: { session: { cookie: { expireTimeSpan: "1h", absoluteLifetime: "1d" } }, login: { openIdConnect: { refreshBefore: "30s", remoteAuthenticationTimeout: "5m", mapClaims: { timeout: "1h" } } } } } });
    expect(policies?.authentication).toEqual([
      { name: "session", cookie: { expireTimeSpan: 3_600_000, absoluteLifetime: 86_400_000 } },
      { name: "login", openIdConnect: { refreshBefore: 30_000, remoteAuthenticationTimeout: 300_000, mapClaims: { timeout: "1h" } } },
    ]);
  });
});
