import { type Exchange, HeaderList } from "@proxy/http";
import type { ClientResponse, Transformer } from "./forward-options.ts";
import { checkResponse } from "./outgoing.ts";
import { isThenable } from "./thenable.ts";

/**
 * Answers the client in the place of a destination that failed: runs the response transform without a response, then
 * sends status and fields with an empty body. `done` is told what a transform threw; a cancellation is no fault.
 */
export function answerFailure(
  exchange: Exchange,
  response: ClientResponse,
  transformer: Transformer,
  done: (fault: unknown) => void,
): void {
  try {
    const result = transformer.response?.(exchange, response, undefined);
    if (isThenable(result)) {
      Promise.resolve(result).then(
        () => send(exchange, response, transformer, undefined, done),
        (fault: unknown) => send(exchange, response, transformer, fault, done),
      );
      return;
    }
  } catch (fault) {
    send(exchange, response, transformer, fault, done);
    return;
  }
  send(exchange, response, transformer, undefined, done);
}

function send(
  { response: sink }: Exchange,
  response: ClientResponse,
  transformer: Transformer,
  thrown: unknown,
  done: (fault: unknown) => void,
): void {
  let fault = isCancellation(thrown) ? undefined : thrown;
  try {
    if (fault !== undefined) response.headers.clear();
    else if (transformer.trusted !== true) checkResponse(response, undefined);
    if (!sink.started) sink.send(response);
  } catch (cause) {
    fault ??= cause;
    if (!sink.started) sink.send({ status: response.status, headers: new HeaderList() });
  }
  done(fault);
}

function isCancellation(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}
