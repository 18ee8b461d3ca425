/** Faults of the policies themselves; which routes name them is checked with the routes. */
import { isIP } from "node:net";
import type { ConfigIssue } from "../config-issue.ts";
import { longestTimer } from "../duration.ts";
import {
  policySections,
  type AccessPolicyConfig,
  type CompressionPolicyConfig,
  type CorsPolicyConfig,
  type DefinedPolicyKind,
  type OutputCachePolicyConfig,
  type PoliciesConfig,
  type RateLimiterPolicyConfig,
  type StaticFilesPolicyConfig,
  type TimeoutPolicyConfig,
} from "../policies-config.ts";
import { quoted } from "./issue-collector.ts";
import type { KnownPolicies } from "./known-policies.ts";
import { reservedPolicies } from "./known-policies.ts";
import { token, type AddPolicyIssue as Add } from "./policy-issues.ts";
import { checkAuthentication } from "./validate-authentication.ts";
import { checkSignIns } from "./validate-sign-in.ts";
import { checkAuthorization } from "./validate-authorization.ts";

/** The faults of `Policies` alone: whether routes name what is there is not looked at. Empty when all is well. */
export function validatePolicies(policies: PoliciesConfig | undefined): readonly ConfigIssue[] {
  if (policies === undefined) return [];
  return [
    ...checkKind("cors", policies.cors, checkCors),
    ...checkKind("rateLimiter", policies.rateLimiter, checkRateLimiter),
    ...checkKind("timeout", policies.timeout, checkTimeout),
    ...checkKind("access", policies.access, checkAccess),
    ...checkKind("compression", policies.compression, checkCompression),
    ...checkKind("staticFiles", policies.staticFiles, checkStaticFiles),
    ...checkKind("outputCache", policies.outputCache, checkOutputCache),
    ...checkKind("authentication", policies.authentication, checkAuthentication),
    ...checkSignIns(policies.authentication ?? []),
    ...checkKind("authorization", policies.authorization, checkAuthorization),
  ];
}

/** `known` with the names that the configuration defines; reserved ones are not names of their own. */
export function withDefinedPolicies(known: KnownPolicies, policies: PoliciesConfig | undefined): KnownPolicies {
  if (policies === undefined) return known;
  const all: Record<string, readonly string[] | undefined> = { ...known };
  for (const kind of Object.keys(policySections) as DefinedPolicyKind[]) {
    const defined = (policies[kind] ?? []).map(({ name }) => name).filter((name) => !isReserved(kind, name));
    if (defined.length > 0) all[kind] = [...(known[kind] ?? []), ...defined];
  }
  return all;
}

function isReserved(kind: DefinedPolicyKind, name: string): boolean {
  return (reservedPolicies[kind] ?? []).some((each) => each.toLowerCase() === name.toLowerCase());
}

function checkKind<T extends { readonly name: string }>(kind: DefinedPolicyKind, policies: readonly T[] | undefined, check: (policy: T, add: Add) => void): ConfigIssue[] {
  const section = policySections[kind];
  const issues: ConfigIssue[] = [];
  const seen = new Set<string>();
  for (const policy of policies ?? []) {
    const add: Add = (code, member, message, hint) => {
      issues.push({ code, severity: "error", message: `${message} (${section} policy '${quoted(policy.name)}')`, hint, path: ["Policies", section, policy.name, ...member] });
    };
    const lower = policy.name.toLowerCase();
    if (lower === "") add("policy-name", [], "a policy has no name");
    if (seen.has(lower)) add("policy-duplicate", [], "the name stands twice; names ignore case, also across providers");
    if (isReserved(kind, lower) && lower !== "default") add("policy-name", [], "the name means something of its own on a route", "take another one");
    seen.add(lower);
    check(policy, add);
  }
  return issues;
}

const originPattern = /^https?:\/\/(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$/;
/** Other schemes have origins too: extensions of browsers, applications. */
const otherScheme = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/;

function checkCors(policy: CorsPolicyConfig, add: Add): void {
  const { origins = [], methods = [], headers = [], exposedHeaders = [], maxAge } = policy;
  if (origins.length === 0) add("cors-origins", ["Origins"], "a policy needs Origins", "name them, or write \"*\" for any");
  for (const [index, origin] of origins.entries()) {
    if (origin === "*") {
      if (policy.credentials === true) {
        add("cors-credentials", ["Origins", index], "any origin with credentials lets every site act as its visitors", "name the origins, or leave Credentials out");
      }
      if (origins.length > 1) add("cors-origins", ["Origins", index], "'*' stands beside other origins");
    } else if (origin === "null") {
      add("cors-origins", ["Origins", index], "the origin 'null' is that of every sandboxed page", "name the origin");
    } else if (!originPattern.test(origin.toLowerCase()) && !otherScheme.test(origin.toLowerCase())) {
      add("cors-origins", ["Origins", index], `'${quoted(origin)}' is no origin`, "write scheme, host and port without a path: https://app.example");
    }
  }
  for (const [member, names] of [["Methods", methods], ["Headers", headers], ["ExposedHeaders", exposedHeaders]] as const) {
    for (const [index, name] of names.entries()) {
      if (!token.test(name)) add("cors-name", [member, index], `'${quoted(name)}' is no name of a ${member === "Methods" ? "method" : "header field"}`);
    }
  }
  if (policy.credentials === true && exposedHeaders.includes("*")) {
    add("cors-credentials", ["ExposedHeaders"], "'*' means nothing to browsers beside credentials", "name the fields");
  }
  if (maxAge !== undefined && !(maxAge >= 0)) add("cors-max-age", ["MaxAge"], "MaxAge is below 0");
}

function checkRateLimiter(policy: RateLimiterPolicyConfig, add: Add): void {
  const number = (member: string, value: number | undefined, least: number, most = Number.MAX_SAFE_INTEGER): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) add("rate-limiter-number", [member], `${member} must be a whole number of at least ${least}`);
  };
  const duration = (member: string, value: number | undefined): void => {
    if (value !== undefined && !(value >= 1 && value <= longestTimer)) add("rate-limiter-number", [member], `${member} must be a duration of at least 1 ms, up to 24.20:31:23`);
  };
  if (policy.permitLimit === undefined) add("rate-limiter-number", ["PermitLimit"], "a policy needs a PermitLimit");
  number("PermitLimit", policy.permitLimit, 1, 2 ** 31 - 1);
  number("QueueLimit", policy.queueLimit, 0, 2 ** 31 - 1);
  number("MaxPartitions", policy.maxPartitions, 1024, 67_108_864);
  number("StatusCode", policy.statusCode, 400, 599);
  duration("Window", policy.window);
  duration("QueueTimeout", policy.queueTimeout);
  if (policy.algorithm === "Concurrency" && policy.window !== undefined) add("rate-limiter-number", ["Window"], "Concurrency has no Window");
  const { headerName } = policy;
  if (policy.partitionBy === "Header" ? !headerName || !token.test(headerName) : Boolean(headerName)) {
    add("rate-limiter-header", ["HeaderName"], policy.partitionBy === "Header" ? "PartitionBy Header needs the HeaderName of a field" : "HeaderName is for PartitionBy Header");
  }
}

function checkTimeout({ timeout }: TimeoutPolicyConfig, add: Add): void {
  if (timeout === undefined) add("timeout-not-positive", ["Timeout"], "a policy needs a Timeout");
  else if (!(timeout > 0)) add("timeout-not-positive", ["Timeout"], "Timeout must be above 0");
  else if (timeout > longestTimer) add("duration-too-long", ["Timeout"], "Timeout is longer than a timer can wait", "at most 24.20:31:23");
}

function checkAccess(policy: AccessPolicyConfig, add: Add): void {
  for (const [member, addresses] of [["AllowAddresses", policy.allowAddresses], ["DenyAddresses", policy.denyAddresses]] as const) {
    for (const [index, address] of (addresses ?? []).entries()) {
      if (!isNetwork(address)) add("access-address", [member, index], `'${quoted(address)}' is neither an address nor a network`, "write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32");
    }
  }
  if (policy.allowAddresses?.length === 0) add("access-address", ["AllowAddresses"], "an empty list lets nobody in", "leave it out to let everybody in");
  if (policy.methods?.length === 0) add("access-name", ["Methods"], "an empty list lets nothing in", "leave it out for all methods");
  for (const [member, names] of [["Methods", policy.methods], ["RequireHeaders", policy.requireHeaders], ["DenyHeaders", policy.denyHeaders]] as const) {
    for (const [index, name] of (names ?? []).entries()) {
      if (!token.test(name)) add("access-name", [member, index], `'${quoted(name)}' is no name of a ${member === "Methods" ? "method" : "header field"}`);
    }
  }
  const { ambiguousPaths } = policy;
  if (ambiguousPaths !== undefined && ambiguousPaths !== "Pass" && ambiguousPaths !== "Refuse") add("access-paths", ["AmbiguousPaths"], `'${quoted(ambiguousPaths)}' is neither Pass nor Refuse`);
  for (const [member, value, least] of [["MaxTargetLength", policy.maxTargetLength, 1], ["MaxHeaderBytes", policy.maxHeaderBytes, 1], ["MaxBodySize", policy.maxBodySize, 0]] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) add("access-number", [member], `${member} must be a whole number of at least ${least}`);
  }
}

function checkCompression({ encodings, mediaTypes, minimumSize }: CompressionPolicyConfig, add: Add): void {
  for (const [index, encoding] of (encodings ?? []).entries()) {
    if (!["br", "zstd", "gzip"].includes(encoding)) add("compression", ["Encodings", index], `'${quoted(encoding)}' is none of br, zstd and gzip`);
  }
  for (const [index, type] of (mediaTypes ?? []).entries()) {
    const [kind = "", name = "", ...rest] = type.split("/");
    if (!token.test(kind) || !token.test(name) || rest.length > 0 || kind === "*") add("compression", ["MediaTypes", index], `'${quoted(type)}' is no media type`, "write text/html or text/*, without parameters");
  }
  if (minimumSize !== undefined && !(Number.isSafeInteger(minimumSize) && minimumSize >= 0)) add("compression", ["MinimumSize"], "MinimumSize must be a whole number of at least 0");
}

function checkStaticFiles({ root, requestPath, fallback, maxAge }: StaticFilesPolicyConfig, add: Add): void {
  if (!root) add("static-files", ["Root"], "a policy needs a Root");
  if (requestPath && !/^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+$/.test(requestPath)) add("static-files", ["RequestPath"], `'${quoted(requestPath)}' is no path`, "begin with / and end without");
  if (fallback && (fallback.startsWith("/") || fallback.includes("\\") || fallback.split("/").some((part) => part === "" || part.startsWith(".")))) {
    add("static-files", ["Fallback"], `'${quoted(fallback)}' is no file below Root`, "write index.html");
  }
  if (maxAge !== undefined && !(maxAge >= 0)) add("static-files", ["MaxAge"], "MaxAge is below 0");
}

/** Fields that every cache looks at in a way of its own. */
const neverVariedBy: ReadonlySet<string> = new Set(["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "connection", "transfer-encoding", "content-length"]);

function checkOutputCache(policy: OutputCachePolicyConfig, add: Add): void {
  const code = "output-cache";
  const isHttp = policy.mode === "Http";
  for (const [member, value] of [["Duration", policy.duration], ["ExpirationTimeSpan", policy.expirationTimeSpan], ["LockTimeout", policy.lockTimeout]] as const) {
    if (value !== undefined && !(value >= 1 && value <= longestTimer)) add(code, [member], `${member} must be a duration of at least 1 ms, up to 24.20:31:23`);
    if (value !== undefined && isHttp && member !== "LockTimeout") add(code, [member], `in mode Http answers say how long they hold, and not ${member}`);
  }
  if (policy.duration !== undefined && policy.expirationTimeSpan !== undefined) add(code, ["ExpirationTimeSpan"], "Duration and ExpirationTimeSpan are the same", "leave one out");
  for (const [member, value, least] of [
    ["SizeLimit", policy.sizeLimit, 0],
    ["MaximumBodySize", policy.maximumBodySize, 0],
    ["MaxVariants", policy.maxVariants, 1],
    ["LockQueueLimit", policy.lockQueueLimit, 0],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) add(code, [member], `${member} must be a whole number of at least ${least}`);
  }
  for (const [member, names] of [["VaryByHeader", policy.varyByHeader], ["UnkeyedHeaders", policy.unkeyedHeaders]] as const) {
    for (const [index, name] of (names ?? []).entries()) {
      if (!token.test(name)) add(code, [member, index], `'${quoted(name)}' is no name of a header field`);
      else if (neverVariedBy.has(name.toLowerCase())) add(code, [member, index], `${name} is the cache's own business`);
    }
  }
  if ((policy.unkeyedHeaders ?? []).some((name) => name.toLowerCase() === "host")) add(code, ["UnkeyedHeaders"], "Host is always there");
  if (isHttp && policy.varyByHost === false) add(code, ["VaryByHost"], "in mode Http each host has answers of its own");
  if (isHttp && policy.ignoreAnswerCacheControl === true) add(code, ["IgnoreAnswerCacheControl"], "in mode Http answers decide");
  if ((policy.tags ?? []).includes("")) add(code, ["Tags"], "a tag is empty");
}

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes("%")) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
