import { HeaderList, type Exchange } from "@proxy/http";

/** Answers with `status`, `fields` and no body, unless the exchange is answered or over. Not to be kept by caches: it is about who asks. */
export function refuse(exchange: Exchange, status: number, fields: readonly (readonly [string, string])[] = []): void {
  const { response } = exchange;
  if (response.started || response.ended) return;
  response.send({ status, headers: HeaderList.from([...fields, ["Cache-Control", "no-store"], ["Content-Length", "0"]]) });
}

/** 405 with the methods that would do (RFC 9110, 15.5.6). */
export function answerMethodNotAllowed(exchange: Exchange, allow: string): void {
  refuse(exchange, 405, [["Allow", allow]]);
}
