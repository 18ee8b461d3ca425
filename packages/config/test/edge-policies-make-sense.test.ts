import { describe, expect, it } from "vitest";
import { validatePolicies, type PoliciesConfig } from "../src/index.ts";

function faults(policies: PoliciesConfig): string[] {
  return validatePolicies(policies).map(({ code, path }) => `${code} ${path.slice(2).join(".")}`);
}

describe("policies say all that makes no sense in them:", () => {
  it("access", () => {
    const none = { ambiguousPaths: "Perhaps" } as unknown as { readonly ambiguousPaths: "Refuse" };
    expect(
      faults({
        access: [
          { name: "a", allowAddresses: [], denyAddresses: ["10.0.0.0/33", "fe80::1%eth0", "host"], methods: [], requireHeaders: ["a b"], denyHeaders: [""] },
          { name: "b", methods: ["G T"], maxTargetLength: 0, maxHeaderBytes: 1.5, maxBodySize: -1, ...none },
          { name: "fine", allowAddresses: ["::/0"], methods: ["GET"], ambiguousPaths: "Refuse", maxBodySize: 0 },
          { name: "FINE" },
        ],
      }),
    ).toEqual([
      "access-address a.DenyAddresses.0",
      "access-address a.DenyAddresses.1",
      "access-address a.DenyAddresses.2",
      "access-address a.AllowAddresses",
      "access-name a.Methods",
      "access-name a.RequireHeaders.0",
      "access-name a.DenyHeaders.0",
      "access-name b.Methods.0",
      "access-paths b.AmbiguousPaths",
      "access-number b.MaxTargetLength",
      "access-number b.MaxHeaderBytes",
      "access-number b.MaxBodySize",
      "policy-duplicate FINE",
    ]);
  });

  it("rate limits", () => {
    expect(
      faults({
        rateLimiter: [
          { name: "a" },
          { name: "b", permitLimit: 0, queueLimit: -1, maxPartitions: 10, statusCode: 200, window: 0, queueTimeout: 2 ** 40 },
          { name: "c", permitLimit: 1, algorithm: "Concurrency", window: 1000 },
          { name: "d", permitLimit: 1, partitionBy: "Header" },
          { name: "e", permitLimit: 1, headerName: "X-Key" },
          { name: "fine", permitLimit: 1, partitionBy: "Header", headerName: "X-Key" },
        ],
      }),
    ).toEqual([
      "rate-limiter-number a.PermitLimit",
      "rate-limiter-number b.PermitLimit",
      "rate-limiter-number b.QueueLimit",
      "rate-limiter-number b.MaxPartitions",
      "rate-limiter-number b.StatusCode",
      "rate-limiter-number b.Window",
      "rate-limiter-number b.QueueTimeout",
      "rate-limiter-number c.Window",
      "rate-limiter-header d.HeaderName",
      "rate-limiter-header e.HeaderName",
    ]);
  });

  it("CORS", () => {
    expect(
      faults({
        cors: [
          { name: "a", origins: ["https://a.example/", "ftp://a.example:1", "a.example", "https://a.example:0", "https://*.*.example", "https://a*.example", "https://user@a.example", "*"], methods: ["G T"], headers: ["a:b"], exposedHeaders: ["*"], maxAge: -1 },
          { name: "b", origins: ["https://a.example"], credentials: true, exposedHeaders: ["*"] },
          { name: "c", origins: ["*"], credentials: true },
          { name: "d", origins: ["null"] },
          { name: "fine", origins: ["https://A.example:8443", "http://[::1]:80", "https://*.example.org", "chrome-extension://abcdef"], credentials: true },
        ],
      }),
    ).toEqual([
      "cors-origins a.Origins.0",
      "cors-origins a.Origins.1",
      "cors-origins a.Origins.2",
      "cors-origins a.Origins.3",
      "cors-origins a.Origins.4",
      "cors-origins a.Origins.5",
      "cors-origins a.Origins.6",
      "cors-origins a.Origins.7",
      "cors-name a.Methods.0",
      "cors-name a.Headers.0",
      "cors-max-age a.MaxAge",
      "cors-credentials b.ExposedHeaders",
      "cors-credentials c.Origins.0",
      "cors-origins d.Origins.0",
    ]);
  });

  it("timeouts, compression, static files", () => {
    const odd = { encodings: ["deflate"] } as unknown as { readonly encodings: readonly ["gzip"] };
    expect(
      faults({
        timeout: [{ name: "a" }, { name: "b", timeout: 0 }, { name: "c", timeout: 2 ** 40 }, { name: "fine", timeout: 1 }],
        compression: [{ name: "a", ...odd, mediaTypes: ["text/html; charset=utf-8", "*/*", "text"], minimumSize: -1 }, { name: "fine", mediaTypes: ["text/*"], minimumSize: 0 }],
        staticFiles: [
          { name: "a" },
          { name: "b", root: "www", requestPath: "assets/", fallback: "/index.html", maxAge: -1 },
          { name: "c", root: "www", fallback: "../index.html" },
          { name: "d", root: "www", fallback: "a\\b.html" },
          { name: "e", root: "www", fallback: "a/.secret" },
          { name: "fine", root: "www", requestPath: "/assets", fallback: "app/index.html" },
        ],
      }),
    ).toEqual([
      "timeout-not-positive a.Timeout",
      "timeout-not-positive b.Timeout",
      "duration-too-long c.Timeout",
      "compression a.Encodings.0",
      "compression a.MediaTypes.0",
      "compression a.MediaTypes.1",
      "compression a.MediaTypes.2",
      "compression a.MinimumSize",
      "static-files a.Root",
      "static-files b.RequestPath",
      "static-files b.Fallback",
      "static-files b.MaxAge",
      "static-files c.Fallback",
      "static-files d.Fallback",
      "static-files e.Fallback",
    ]);
  });
});
