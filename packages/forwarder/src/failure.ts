import { BadRequestError, ClientGoneError, type DestinationError, type DestinationOrigin, ExchangeStateError } from "@proxy/http";
import { BodyTransformError } from "./body/changed-request-body.ts";
import { ForwarderError, type ForwarderErrorCode } from "./forwarder-error.ts";
import type { RequestBody } from "./request-body.ts";

/** How a forwarding failed, before it is put into words. */
export interface Failure {
  readonly code: ForwarderErrorCode;
  /** For the client, when its response has not started. */
  readonly status: number;
  readonly source: "client" | "gateway" | "destination";
  readonly retry: "never" | "safe";
  readonly cause: unknown;
}

/** The client's request body broke off: the outcome it takes precedence with, or undefined when it did not. */
export function requestBodyFailure(body: RequestBody | undefined): Failure | undefined {
  if (body === undefined || body.state !== "failed") return undefined;
  const cause = body.error;
  if (cause instanceof ClientGoneError) {
    return { code: "RequestBodyCanceled", status: 400, source: "client", retry: "never", cause };
  }
  if (cause instanceof ExchangeStateError) {
    // A body parser in front of the forwarding has it: not the client's doing.
    return { code: "RequestCreation", status: 502, source: "gateway", retry: "never", cause };
  }
  if (cause instanceof BodyTransformError) {
    return { code: "RequestCreation", status: 502, source: "gateway", retry: "never", cause };
  }
  const status = cause instanceof BadRequestError ? cause.status : 400;
  return { code: "RequestBodyClient", status, source: "client", retry: "never", cause };
}

/** The destination failed before its response head came. */
export function failureBeforeHead(error: DestinationError, body: RequestBody | undefined): Failure {
  const failed = requestBodyFailure(body);
  if (failed !== undefined) return failed;
  const retry = error.requestSent ? "never" : "safe";
  if (error.source === "client") {
    return { code: "RequestBodyClient", status: 400, source: "client", retry, cause: error };
  }
  const { source } = error;
  if (error.overloaded) return { code: "Request", status: 503, source, retry, cause: error };
  const status = error.timedOut ? 504 : 502;
  if (error.step === "request-body") return { code: "RequestBodyDestination", status, source, retry, cause: error };
  if (error.step === "response-head") return { code: "ResponseHeaders", status: 502, source, retry, cause: error };
  return { code: error.timedOut ? "RequestTimedOut" : "Request", status, source, retry, cause: error };
}

/** Nothing moved for the activity timeout before the response head came: who was being waited for? */
export function stalledBeforeHead(body: RequestBody | undefined, sent: boolean): Failure {
  const cause = new Error("no byte moved within the activity timeout");
  if (body !== undefined && body.state === "flowing") {
    return body.paused
      ? { code: "RequestBodyDestination", status: 504, source: "destination", retry: "never", cause }
      : { code: "RequestBodyClient", status: 408, source: "client", retry: "never", cause };
  }
  const retry = sent ? "never" : "safe";
  return { code: "RequestTimedOut", status: 504, source: sent ? "destination" : "gateway", retry, cause };
}

/** The client left, or the caller gave up (`byCaller`), before the response head came. */
export function canceledBeforeHead(body: RequestBody | undefined, cause: unknown, byCaller: boolean): Failure {
  const copying = body !== undefined && (body.state === "flowing" || body.state === "failed");
  return {
    code: copying ? "RequestBodyCanceled" : "RequestCanceled",
    status: byCaller ? 502 : 400,
    source: byCaller ? "gateway" : "client",
    retry: "never",
    cause,
  };
}

/** The response could not be used, or not be passed on: `source` is who failed. */
export function responseFailure(
  code: "ResponseHeaders" | "ResponseBodyClient" | "ResponseBodyDestination" | "UpgradeResponseClient",
  source: Failure["source"],
  cause: unknown,
): Failure {
  return { code, status: 502, source, retry: "never", cause };
}

/** Nothing moved for the activity timeout after the response head: `draining` says that the client was waited for. */
export function stalledAfterHead(draining: boolean): Failure {
  const cause = new Error("no byte moved within the activity timeout");
  return draining
    ? responseFailure("ResponseBodyClient", "client", cause)
    : responseFailure("ResponseBodyDestination", "destination", cause);
}

/** The client left or failed, or the caller gave up (`byCaller`), after the response head. */
export function canceledAfterHead(cause: unknown, byCaller: boolean): Failure {
  const left = byCaller || cause instanceof ClientGoneError;
  const source = byCaller ? "gateway" : "client";
  return { code: left ? "ResponseBodyCanceled" : "ResponseBodyClient", status: 502, source, retry: "never", cause };
}

/** The response is whole, and the destination gave the rest of the request body up. */
export function requestBodyUnwanted(): Failure {
  const cause = new Error("the destination wanted no more of it");
  return { code: "RequestBodyDestination", status: 502, source: "destination", retry: "never", cause };
}

/** Puts a failure into words. `status` is what the client was answered, if it was. */
export function describeFailure(failure: Failure, to: DestinationOrigin, status: number | undefined): ForwarderError {
  const { code, source, retry, cause } = failure;
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${code} for ${to.scheme}://${to.host}:${to.port}: ${why}`;
  return new ForwarderError(code, message, { source, retry, status, cause });
}
