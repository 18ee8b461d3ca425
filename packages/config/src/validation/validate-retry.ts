import { longestTimer } from "../duration.ts";
import type { RetryBudgetConfig, RetryConfig } from "../retry-config.ts";
import type { IssueCollector, IssuePath } from "./issue-collector.ts";
import { quoted } from "./issue-collector.ts";

const conditions = ["ConnectFailure", "Reset", "Timeout"];
const methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** More than this is not kept of a request body, however many requests there are. */
const largestBody = 16_777_216;

/** `Retry` of a route or a cluster; checked also while it is off. */
export function checkRetry(retry: RetryConfig | null | undefined, found: IssueCollector): void {
  if (retry === undefined || retry === null) return;
  checkNumber("retry-number", ["Retry", "MaxAttempts"], retry.maxAttempts, [1, 10], found);
  checkNumber("retry-number", ["Retry", "MaxBodySize"], retry.maxBodySize, [0, largestBody], found);
  checkTime("retry-number", ["Retry", "PerTryTimeout"], retry.perTryTimeout, found);
  for (const [index, condition] of (retry.on ?? []).entries()) {
    if (conditions.includes(condition)) continue;
    found.error("retry-condition", ["Retry", "On", index], `'${quoted(condition)}' is nothing to retry on`, {
      value: condition,
      hint: `use ${conditions.join(", ")}, or StatusCodes`,
    });
  }
  for (const [index, status] of (retry.statusCodes ?? []).entries()) {
    if (Number.isInteger(status) && status >= 400 && status <= 599) continue;
    found.error("retry-status", ["Retry", "StatusCodes", index], `${quoted(status)} is no status of a failure`, { value: status, hint: "use 400 to 599" });
  }
  for (const [index, method] of (retry.methods ?? []).entries()) {
    if (typeof method === "string" && token.test(method) && method !== "CONNECT") {
      const meant = method.toUpperCase();
      // RFC 9110, 9.1: methods are told apart by case.
      if (method !== meant && methods.includes(meant)) {
        found.warn("retry-method-case", ["Retry", "Methods", index], `'${quoted(method)}' is another method than ${meant}`, { value: method, hint: `did you mean ${meant}?` });
      }
      continue;
    }
    found.error("retry-method", ["Retry", "Methods", index], `'${quoted(method)}' is no method that can be retried`, { value: method });
  }
  if (retry.enabled !== false && retry.on?.length === 0 && (retry.statusCodes ?? []).length === 0) {
    found.warn("retry-nothing", ["Retry", "On"], "Retry is on nothing", { hint: "name conditions in On or statuses in StatusCodes, or write Enabled: false" });
  } else if (retry.enabled !== false && retry.maxAttempts === 1) {
    found.warn("retry-nothing", ["Retry", "MaxAttempts"], "one attempt leaves none for a retry", { hint: "the first attempt counts: 2 is one retry" });
  }
}

export function checkRetryBudget(budget: RetryBudgetConfig | null | undefined, found: IssueCollector): void {
  if (budget === undefined || budget === null) return;
  checkNumber("retry-number", ["RetryBudget", "Percent"], budget.percent, [0, 100], found);
  checkNumber("retry-number", ["RetryBudget", "MinPerSecond"], budget.minPerSecond, [0, Number.MAX_SAFE_INTEGER], found);
}

/** A whole number from the first to the second of `range`, where it is given. */
export function checkNumber(
  code: string,
  path: IssuePath,
  value: number | null | undefined,
  [from, to]: readonly [number, number],
  found: IssueCollector,
): void {
  if (value === undefined || value === null || (Number.isSafeInteger(value) && value >= from && value <= to)) return;
  const range = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
  found.error(code, path, `${path.join(".")} must be a whole number ${range}`, { value });
}

/** Milliseconds above 0 that a timer can wait, where they are given. */
export function checkTime(code: string, path: IssuePath, value: number | null | undefined, found: IssueCollector): void {
  if (value === undefined || value === null) return;
  if (!(value > 0)) found.error(code, path, `${path.join(".")} must be above 0`, { value });
  else if (value > longestTimer) {
    found.error("duration-too-long", path, `${path.join(".")} is longer than a timer can wait`, { value, hint: "at most 24.20:31:23" });
  }
}
