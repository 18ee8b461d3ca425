/** An exchange whose request reads differently to what stands behind it. */
import type { Exchange, RequestHead } from "@proxy/http";
import { WrappedExchange } from "@proxy/pipeline";

export class RequestExchange extends WrappedExchange {
  constructor(presented: Exchange, request: RequestHead) {
    super(presented, presented.response, request);
  }
}

/** `request` with other members: a head of its own, whatever the front server's is made of. */
export function changedRequest(request: RequestHead, changes: Partial<Pick<RequestHead, "headers" | "query" | "scheme" | "target">>): RequestHead {
  const { method, target, path, pathBase, query, scheme, authority, httpVersion, headers } = request;
  return { method, target, path, pathBase, query, scheme, authority, httpVersion, headers, ...changes };
}
