import type { HeaderList } from "@proxy/http";

/** What the method rule reads of a request. */
export interface MethodRequest {
  readonly method: string;
  readonly headers: HeaderList;
}

/** Whether a route accepts the request's method. `methods` are upper case; undefined accepts all. */
export function methodAccepted(methods: ReadonlySet<string> | undefined, cors: boolean, request: MethodRequest): boolean {
  if (methods === undefined || methods.has(request.method)) return true;
  const method = request.method.toUpperCase();
  if (methods.has(method)) return true;
  if (!cors || method !== "OPTIONS") return false;
  // A CORS preflight (Fetch, 3.2.2) is for the method it asks about.
  const requested = request.headers.get("access-control-request-method");
  return requested !== undefined && request.headers.has("origin") && methods.has(requested.toUpperCase());
}
