import type { AccessPolicyConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
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
  const { maxBodySize } = policy;
  return (ctx, next) => {
    const { exchange } = ctx;
    const isTooLarge = maxBodySize !== undefined && !ownBodyLimit && Number(exchange.request.headers.get("content-length") ?? 0) > maxBodySize;
    const status = policy.refusal(exchange) || (isTooLarge ? 413 : 0);
    if (status !== 0) {
      const headers = HeaderList.from([["Content-Length", "0"]]);
      if (status === 405 && policy.allow !== undefined) headers.append("Allow", policy.allow);
      exchange.response.send({ status, headers });
      return;
    }
    const limit = exchange.features.bodyLimit;
    if (maxBodySize !== undefined && !ownBodyLimit && limit !== undefined && !limit.readOnly) limit.set(maxBodySize);
    return next(ctx);
  };
}
