import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/index.ts";
import { decodeGatewayFile } from "../../src/schema/index.ts";

function file(policies: unknown, route: Record<string, string> = {}): string {
  return JSON.stringify({ Policies: policies, ReverseProxy: { Routes: { r: { ClusterId: "c", Match: { Path: "/" }, ...route } }, Clusters: { c: {} } } });
}

async function issuesOf(text: string): Promise<string[]> {
  const error = await decodeGatewayFile(text).catch((given: unknown) => given);
  if (!(error instanceof ConfigError)) return [];
  return error.issues.map(({ code, pointer, line }) => `${code} ${pointer} ${line}`);
}

describe("policies in a file", () => {
  it("are read with the kinds of their members", async () => {
    const { config } = await decodeGatewayFile(
      file({ cors: { Spa: { origins: "https://app.example", maxAge: "10m" } }, RateLimiter: { api: { PermitLimit: 5, Window: "00:00:10", Algorithm: "tokenbucket" } } }, { CorsPolicy: "spa" }),
    );
    expect(config.reverseProxy.policies).toEqual({
      cors: [{ name: "Spa", origins: ["https://app.example"], maxAge: 600_000 }],
      rateLimiter: [{ name: "api", permitLimit: 5, window: 10_000, algorithm: "TokenBucket" }],
    });
  });

  it("tell all their faults at once, each with its place", async () => {
    const text = file(
      {
        Cors: { a: { Origins: ["*"], Credentials: "true" }, b: { Credentials: "perhaps" } },
        RateLimiter: { c: { Window: "soon" }, d: { PermitLimit: 1, PartitionBy: "Header" } },
        Access: { e: { AllowAddresses: ["10.0.0.0/33", "::1", "10.0.0.1"], AmbiguousPaths: "drop" } },
      },
      { RateLimiterPolicy: "f" },
    );
    expect(await issuesOf(text)).toEqual([
      "rate-limiter-policy-unknown /ReverseProxy/Routes/r/RateLimiterPolicy 1",
      "conversion /Policies/Cors/b/Credentials 1",
      "conversion /Policies/RateLimiter/c/Window 1",
      "conversion /Policies/Access/e/AmbiguousPaths 1",
      "cors-credentials /Policies/Cors/a/Origins/0 1",
      "cors-origins /Policies/Cors/b 1",
      "rate-limiter-number /Policies/RateLimiter/c 1",
      "rate-limiter-header /Policies/RateLimiter/d 1",
      "access-address /Policies/Access/e/AllowAddresses/0 1",
    ]);
  });

  it("that let nobody in are errors, and do not let everybody in", async () => {
    expect(await issuesOf(file({ Access: { a: { AllowAddresses: [] }, b: { Methods: [], DenyAddresses: [] } } }))).toEqual(["access-address /Policies/Access/a/AllowAddresses 1", "access-name /Policies/Access/b/Methods 1"]);
  });

  it("lists the known names for one that is not", async () => {
    const error = await decodeGatewayFile(file({ RateLimiter: { api: { PermitLimit: 1 } } }, { RateLimiterPolicy: "apy" })).catch((given: unknown) => given);
    expect((error as ConfigError).issues[0]?.hint).toBe("known are Default, Disable, api; others stand in Policies:RateLimiter, by name");
  });

  it("say who may pass, and find their files beside the file", async () => {
    const { config } = await decodeGatewayFile(
      file(
        {
          Authentication: {
            jwt: { Bearer: { Issuer: "https://login.example", Audiences: "api", KeyFile: "keys/jwks.json", ClockSkew: "30s" } },
            certs: { ClientCertificate: { RevocationLists: ["a.crl"] } },
            any: { ClientCertificate: {} },
          },
          Authorization: { editors: { Schemes: ["jwt"], Roles: "editor", Claims: { tenant: "*" }, Methods: { GET: "readers" }, Forward: { Headers: { "X-User": "@name" } } }, readers: {} },
        },
        { AuthorizationPolicy: "editors" },
      ),
    );
    const { authentication, authorization } = config.reverseProxy.policies ?? {};
    expect(authentication).toEqual([
      { name: "jwt", bearer: { issuer: "https://login.example", audiences: ["api"], keyFile: resolve("keys/jwks.json"), clockSkew: 30_000 } },
      { name: "certs", clientCertificate: { revocationLists: [resolve("a.crl")] } },
      { name: "any", clientCertificate: {} },
    ]);
    expect(authorization).toEqual([
      { name: "editors", schemes: ["jwt"], roles: ["editor"], claims: { tenant: ["*"] }, methods: { GET: "readers" }, forward: { headers: { "X-User": "@name" } } },
      { name: "readers" },
    ]);
  });

  it("that open doors are refused, without their secrets", async () => {
    const secret = "0123456789abcdef";
    const hash = "a".repeat(64);
    const text = file({
      Authentication: {
        none: {},
        "a:b": { Bearer: { Issuer: "https://i.example", Audiences: ["a"] } },
        both: { Bearer: { Issuer: "https://i.example", Audiences: ["a"] }, ApiKey: { Keys: { x: { Hash: hash } } } },
        open: { Bearer: {} },
        mixed: { Bearer: { Issuer: "i", Audiences: ["a"], Secret: secret, Algorithms: ["RS256"] } },
        confused: { Bearer: { Issuer: "i", Audiences: ["a"], KeyFile: "k", Algorithms: ["HS256"] } },
        clear: { Bearer: { Issuer: "http://login.example", Audiences: ["a"], ClockSkew: "1h" } },
        keys: { ApiKey: { Header: "a b", Query: "k=", Keys: { x: { Hash: hash }, y: { Hash: hash.toUpperCase() }, z: { Hash: "secret", Expires: "tomorrow" } } } },
        shown: { ClientCertificate: { Header: "X-Client-Cert", Thumbprints: ["12"], Subjects: ["me"], AlternativeNames: ["me"] } },
        unchecked: { ClientCertificate: { Header: "X-Client-Cert" } },
        ask: { ForwardAuth: { Url: "ftp://a/", ResponseHeaders: ["Host"], NameHeader: "X-User" } },
      },
      Authorization: {
        a: { Scopes: ["two words"], Methods: { "G T": "a" }, RequireAuthenticated: false, Forward: { Headers: { Host: "sub", "X-User": "@who" }, Token: "Exchange" } },
        b: { Forward: { Token: "Exchange", Exchange: { Endpoint: "http://sts.example/", ClientSecret: "x" } } },
      },
    });
    const at = "/Policies/Authentication";
    expect((await issuesOf(text)).map((issue) => issue.replace(/ 1$/, ""))).toEqual([
      `authentication ${at}/none`,
      `policy-name ${at}/a:b`,
      `authentication ${at}/both`,
      `authentication ${at}/open`,
      `authentication ${at}/mixed/Bearer/Algorithms/0`,
      `authentication ${at}/mixed/Bearer/Secret`,
      `authentication ${at}/confused/Bearer/Algorithms/0`,
      `authentication ${at}/clear/Bearer/Issuer`,
      `authentication ${at}/clear/Bearer/ClockSkew`,
      `authentication ${at}/keys/ApiKey/Header`,
      `authentication ${at}/keys/ApiKey/Query`,
      `authentication ${at}/keys/ApiKey/Keys/y/Hash`,
      `authentication ${at}/keys/ApiKey/Keys/z/Hash`,
      `authentication ${at}/keys/ApiKey/Keys/z/Expires`,
      `authentication ${at}/shown/ClientCertificate/Thumbprints/0`,
      `authentication ${at}/shown/ClientCertificate/Subjects/0`,
      `authentication ${at}/shown/ClientCertificate/AlternativeNames/0`,
      `authentication ${at}/unchecked/ClientCertificate/Header`,
      `authentication ${at}/ask/ForwardAuth/Url`,
      `authentication ${at}/ask/ForwardAuth/ResponseHeaders/0`,
      `authentication ${at}/ask/ForwardAuth/NameHeader`,
      "authorization /Policies/Authorization/a/Scopes/0",
      "authorization /Policies/Authorization/a/Methods/G T",
      "authorization /Policies/Authorization/a/RequireAuthenticated",
      "authorization /Policies/Authorization/a/Forward/Headers/Host",
      "authorization /Policies/Authorization/a/Forward/Headers/X-User",
      "authorization /Policies/Authorization/a/Forward",
      "authorization /Policies/Authorization/b/Forward/Exchange/Endpoint",
      "authorization /Policies/Authorization/b/Forward/Exchange",
      "authorization /Policies/Authorization/b/Forward/Exchange",
    ]);
    const error = (await decodeGatewayFile(text).catch((given: unknown) => given)) as ConfigError;
    expect(JSON.stringify(error.issues)).not.toMatch(new RegExp(`${secret}|${hash}|${hash.toUpperCase()}`));
  });
});
