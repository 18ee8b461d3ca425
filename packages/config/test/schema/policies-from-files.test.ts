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
        Access: { e: { AllowAddresses: ["10.0.0.0/33", "::1", "10.0.0.1"] } },
      },
      { RateLimiterPolicy: "f" },
    );
    expect(await issuesOf(text)).toEqual([
      "rate-limiter-policy-unknown /ReverseProxy/Routes/r/RateLimiterPolicy 1",
      "conversion /Policies/Cors/b/Credentials 1",
      "conversion /Policies/RateLimiter/c/Window 1",
      "cors-credentials /Policies/Cors/a/Origins/0 1",
      "cors-origins /Policies/Cors/b 1",
      "rate-limiter-number /Policies/RateLimiter/c 1",
      "rate-limiter-header /Policies/RateLimiter/d 1",
      "access-address /Policies/Access/e/AllowAddresses/0 1",
    ]);
  });

  it("lists the known names for one that is not", async () => {
    const error = await decodeGatewayFile(file({ RateLimiter: { api: { PermitLimit: 1 } } }, { RateLimiterPolicy: "apy" })).catch((given: unknown) => given);
    expect((error as ConfigError).issues[0]?.hint).toBe("known are Default, Disable, api");
  });
});
