import type { AccessPolicyConfig } from "@proxy/config";
import { HeaderList, type Exchange } from "@proxy/http";
import type { Step } from "@proxy/pipeline";
import { compileAccessPolicy, type AccessPolicy } from "./access-policy.ts";

/** The step `access` with one policy for all routes. */
export function accessStep(policy: Omit<AccessPolicyConfig, "name">): Step {
  return { name: "access", run: accessRun(compileAccessPolicy({ name: "default", ...policy })) };
}

/**
 * What refuses requests under `policy`, and sets its limit of the request body: a body of unknown length is cut off where it goes beyond, by the server.
 * `ownBodyLimit`: the route has one, which its own step sets.
 */
export function accessRun(policy: AccessPolicy, ownBodyLimit = false): Step["run"] {
  const passes = accessCheck(policy, ownBodyLimit);
  return (ctx, next) => (passes(ctx.exchange) ? next(ctx) : undefined);
}

/** Answers what may not pass, and says whether the request goes on. */
export function accessCheck(policy: AccessPolicy, ownBodyLimit = false): (exchange: Exchange) => boolean {
  const { maxBodySize } = policy;
  return (exchange) => {
    const isTooLarge = maxBodySize !== undefined && !ownBodyLimit && Number(exchange.request.headers.get("content-length") ?? 0) > maxBodySize;
    const status = policy.refusal(exchange) || (isTooLarge ? 413 : 0);
    if (status !== 0) {
      const headers = HeaderList.from([["Content-Length", "0"]]);
      if (status === 405 && policy.allow !== undefined) headers.append("Allow", policy.allow);
      exchange.response.send({ status, headers });
      return false;
    }
    const limit = exchange.features.bodyLimit;
    if (maxBodySize !== undefined && !ownBodyLimit && limit !== undefined && !limit.readOnly) limit.set(maxBodySize);
    return true;
  };
}
