import { DestinationError, type DestinationErrorStep } from "@proxy/http";
import type { UndiciCall } from "./undici-call.ts";

/** undici's error codes for a response head that cannot be used. */
const badHead = new Set(["UND_ERR_HEADERS_OVERFLOW", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);
/** Mistakes of ours, or of a transform: undici would not even try. */
const refused = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);

/** Turns what undici reports into what a destination's client reports. */
export function destinationError(error: Error, call: UndiciCall, what: string): DestinationError {
  if (call.bodyError !== undefined) {
    const message = `the request body broke off: ${call.bodyError.message}`;
    return new DestinationError(message, {
      step: "request-body",
      source: "client",
      requestSent: call.sent,
      cause: call.bodyError,
    });
  }
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const message = `${what} failed: ${error.message}`;
  if (refused.has(code)) {
    return new DestinationError(message, { step: "request", source: "gateway", requestSent: call.sent, cause: error });
  }
  return new DestinationError(message, {
    step: stepOf(error, code, call),
    timedOut: code === "UND_ERR_CONNECT_TIMEOUT" || (!call.sent && code === "ETIMEDOUT"),
    requestSent: call.sent,
    cause: error,
  });
}

function stepOf(error: Error, code: string, call: UndiciCall): DestinationErrorStep {
  if (!call.sent) return "connect";
  if (call.answered) return "response-body";
  if (error.name === "HTTPParserError" || badHead.has(code)) return "response-head";
  if (code === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH") return "request-body";
  if (code === "UND_ERR_SOCKET" && error.message.startsWith("bad ")) return "response-head";
  return call.body !== undefined && !call.body.over ? "request-body" : "request";
}
