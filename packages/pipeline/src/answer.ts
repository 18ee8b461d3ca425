import { HeaderList, type Exchange } from "@proxy/http";

/** Answers with `status` and no body, unless an answer has begun: then nothing happens. */
export function answerStatus(exchange: Exchange, status: number): void {
  if (exchange.response.started || exchange.response.ended) return;
  exchange.response.send({ status, headers: HeaderList.from([["Content-Length", "0"]]) });
}

/** 405 with the methods that would do (RFC 9110, 15.5.6). */
export function answerMethodNotAllowed(exchange: Exchange, allow: string): void {
  if (exchange.response.started || exchange.response.ended) return;
  exchange.response.send({
    status: 405,
    headers: HeaderList.from([
      ["Allow", allow],
      ["Content-Length", "0"],
    ]),
  });
}

/** Something threw: 500 while that can still be said, otherwise an end that no client takes for a whole answer. */
export function answerFailure(exchange: Exchange, error: unknown): void {
  if (exchange.response.ended) return;
  if (exchange.response.started) exchange.response.abort(error instanceof Error ? error : new Error(String(error)));
  else answerStatus(exchange, 500);
}
